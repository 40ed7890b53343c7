use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::task::{PoolRef, Sleep};

/// How long a task may run, or how long it may go on after it was asked to stop, by the runtime's clock.
///
/// The runtime's timer is started when the limit is first polled: a task that ends before that needs no timer.
pub(crate) struct Limit {
    time: Duration,
    stage: Stage,
}

enum Stage {
    Unset,
    Begun(Instant),
    Timed(Sleep),
}

/// Less elapsed time than this is ignored: the timer may be late by as much, as timers of runtimes are anyway.
const GRAIN: Duration = Duration::from_millis(1);

impl Limit {
    pub(crate) fn new(time: Duration) -> Self {
        let stage = Stage::Unset;
        Self { time, stage }
    }

    /// Begins to count at the first call, by the runtime's clock.
    #[inline]
    pub(crate) fn begin(&mut self, pool_ref: &dyn PoolRef) {
        if let Stage::Unset = self.stage {
            self.stage = Stage::Begun(pool_ref.clock_time());
        }
    }

    /// Completes when the time is over. The time begins with the first poll, if it has not begun before.
    pub(crate) fn poll(&mut self, pool_ref: &dyn PoolRef, cx: &mut Context<'_>) -> Poll<()> {
        self.begin(pool_ref);
        if let Stage::Begun(begun) = self.stage {
            let gone = pool_ref.clock_time().saturating_duration_since(begun);
            let gone = Some(gone).filter(|gone| *gone >= GRAIN);
            let left = self.time.saturating_sub(gone.unwrap_or_default());
            self.stage = Stage::Timed(pool_ref.sleep(left));
        }
        match &mut self.stage {
            Stage::Timed(sleep) => sleep.as_mut().poll(cx),
            Stage::Unset | Stage::Begun(_) => Poll::Pending,
        }
    }
}
