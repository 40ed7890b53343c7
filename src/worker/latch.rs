use std::task::{Poll, Waker};

use crate::lock::Lock;
use crate::unwind::discard;
use crate::waker_slot::WakerSlot;

/// Counts aborted tasks down, and wakes the future that waits until all of them have ended.
#[derive(Default)]
pub(crate) struct Latch(Lock<Count>);

#[derive(Default)]
struct Count {
    running: usize,
    cancelled: usize,
    waker: WakerSlot,
}

impl Latch {
    /// Adds `count` tasks that must end before the latch opens.
    pub(crate) fn add(&self, count: usize) {
        self.0.lock().running += count;
    }

    /// Counts one task as ended. Returns the waker of the future that waits, if this was the last task.
    ///
    /// `cancelled` says whether the task was cancelled at the request of this latch's owner.
    #[must_use = "to be woken when no lock is held"]
    pub(crate) fn count_down(&self, cancelled: bool) -> Option<Waker> {
        let mut count = self.0.lock();
        count.running -= 1;
        count.cancelled += usize::from(cancelled);
        if count.running == 0 {
            count.waker.take()
        } else {
            None
        }
    }

    /// Returns the number of tasks that were cancelled at the request of this latch's owner, once all have ended.
    pub(crate) fn result(&self) -> Option<usize> {
        self.0.lock().result()
    }

    /// Waits until all tasks have ended, and returns the same number as [`result`](Self::result).
    pub(crate) fn poll(&self, waker: Waker) -> Poll<usize> {
        let count = self.0.lock();
        if let Some(cancelled) = count.result() {
            drop(count);
            discard(waker);
            return Poll::Ready(cancelled);
        }
        WakerSlot::leave(count, |count| &mut count.waker, waker);
        Poll::Pending
    }

    /// Takes the waker out when nothing waits any more.
    pub(crate) fn hush(&self) {
        WakerSlot::clear(self.0.lock(), |count| &mut count.waker);
    }
}

impl Count {
    fn result(&self) -> Option<usize> {
        (self.running == 0).then_some(self.cancelled)
    }
}
