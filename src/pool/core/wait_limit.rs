//! How long tasks may wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lock::Lock;
use crate::pool::core::Core;
use crate::pool::core::parts::clock::Clock;
use crate::pool::core::parts::deadlines::Filed;
use crate::task::{PoolRef, Slot, TaskId};
use crate::wakes::Wakes;

/// The time limit of a task's wait. Created before the task waits, and over when the task no longer waits.
pub(crate) struct WaitLimit {
    clock: Arc<Clock>,
    /// `None` if the deadline is too far away for an [`Instant`].
    until: Option<Instant>,
    stage: Lock<Wait>,
}

enum Wait {
    Before,
    Timed(Filed),
    Over,
}

impl WaitLimit {
    /// Files the deadline of a task that was submitted, unless the task has left the queue already. Returns `true` if
    /// the timer has to be told.
    fn begin(&self, slot: Slot, id: TaskId) -> bool {
        let Some(until) = self.until else {
            return false;
        };
        let mut stage = self.stage.lock();
        // Filed under the lock of the stage: `end` either comes before this, or finds the deadline.
        let Wait::Before = *stage else {
            return false;
        };
        let (filed, concerns_timer) = self.clock.file_wait(until, slot, id);
        *stage = Wait::Timed(filed);
        concerns_timer
    }

    /// Ends the limit: the task no longer waits.
    pub(crate) fn end(&self, wakes: &mut Wakes) {
        let stage = std::mem::replace(&mut *self.stage.lock(), Wait::Over);
        if let Wait::Timed(filed) = stage {
            wakes.add(self.clock.end_wait(filed));
        }
    }
}

impl Core {
    /// Returns the time limit of a task that is about to be submitted.
    #[track_caller]
    pub(crate) fn wait_limit(&self, limit: Duration) -> Arc<WaitLimit> {
        self.check_timer();
        Arc::new(WaitLimit {
            clock: self.clock.clone(),
            until: self.now().checked_add(limit),
            stage: Lock::new(Wait::Before),
        })
    }

    /// Starts the time limit of a task that was submitted. If no timer can keep the time, the limit is over at once.
    pub(crate) fn time_wait(&self, limit: &WaitLimit, slot: Slot, id: TaskId) {
        if !limit.begin(slot, id) || !self.keep_time() {
            return;
        }
        if !self.clock.has_timer() {
            self.expire_if_waiting(limit, slot, id);
        }
        self.dispatch(self.lock());
    }

    fn expire_if_waiting(&self, limit: &WaitLimit, slot: Slot, id: TaskId) {
        let is_timed = matches!(*limit.stage.lock(), Wait::Timed(_));
        if is_timed {
            self.expire(slot, id);
        }
    }
}
