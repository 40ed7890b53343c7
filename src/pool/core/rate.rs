use std::time::Duration;

use crate::pool::core::Core;
use crate::pool::core::state::State;
use crate::pool::core::window::Stamp;
use crate::spawner::Spawner;
use crate::unwind::{caught, discard};
use crate::worker::WorkerShared;

/// The maximum number of starts in an interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) starts: u32,
    pub(crate) per: Duration,
}

impl Rate {
    /// Returns the rate at which starts are as far apart as this rate allows on average. It keeps this rate too: so many
    /// starts need the whole interval.
    pub(crate) fn spread(self) -> Self {
        let mut apart = self.per / self.starts;
        if apart * self.starts < self.per {
            apart += Duration::from_nanos(1);
        }
        Self {
            starts: 1,
            per: apart,
        }
    }

    /// Returns `true` if the runtime has a timer.
    pub(crate) fn is_kept_by(self, spawner: &dyn Spawner) -> bool {
        let sleep = caught(|| spawner.sleep(self.per)).ok().flatten();
        let is_there = sleep.is_some();
        discard(sleep);
        is_there
    }
}

impl State {
    /// Limits the starts from now on.
    pub(crate) fn limit_starts(&mut self, rate: Rate) {
        self.gate.allow(rate.starts);
    }

    /// Gives starts back to the gate.
    pub(crate) fn refill(&mut self, starts: u32) {
        if let Some(left) = self.gate.starts() {
            self.gate.allow(left + starts);
        }
    }
}

/// The starts of a rate.
///
/// The gate gives a start to a task together with its permit. The start is counted at the first poll of the task, and
/// again at the end of that poll. If the task ends before its first poll, its start is available again.
impl Core {
    /// Counts the start of the worker's task, which is about to be polled for the first time.
    pub(crate) fn begin_start(&self, worker: &WorkerShared) {
        if let Some(Stamp(stamp)) = self.count_start() {
            worker.begin_first_poll(stamp);
        }
    }

    /// Counts the start of the worker's task again, at the end of its first poll: no time that the task reads from a
    /// clock in that poll is later than the counted one.
    pub(crate) fn end_first_poll(&self, worker: &WorkerShared) {
        if let Some(stamp) = worker.end_first_poll() {
            self.recount_start(Stamp(stamp));
        }
    }

    /// Ends what the worker's task has to do with the rate, before the end of the task is made known.
    #[inline]
    pub(crate) fn end_start(&self, worker: &WorkerShared) {
        if self.settings.rate.is_none() {
            return;
        }
        if worker.is_unstarted() {
            self.give_start_back();
        } else {
            self.end_first_poll(worker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_rate_keeps_the_rate_that_it_spreads() {
        for starts in [1, 2, 3, 7, 20, 1000, u32::MAX] {
            for nanos in [1, 10, 1_000_000_007, u64::MAX] {
                let per = Duration::from_nanos(nanos);
                let spread = Rate { starts, per }.spread();
                assert_eq!(spread.starts, 1);
                assert!(spread.per.as_nanos() * u128::from(starts) >= per.as_nanos());
                let earlier = spread.per.as_nanos() - 1;
                assert!(earlier * u128::from(starts) < per.as_nanos());
            }
        }
        let per = Duration::MAX;
        assert_eq!(Rate { starts: 1, per }.spread().per, per);
    }
}
