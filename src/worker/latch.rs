use std::task::{Poll, Waker};

use crate::lock::Lock;
use crate::unwind::discard;

/// Waits until a number of aborted tasks have ended.
#[derive(Default)]
pub(crate) struct Latch(Lock<Count>);

#[derive(Default)]
struct Count {
    running: usize,
    cancelled: usize,
    waker: Option<Waker>,
}

impl Latch {
    /// So many more to wait for.
    pub(crate) fn add(&self, count: usize) {
        self.0.lock().running += count;
    }

    /// One of them has ended.
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

    /// Once all have ended: how many of them were cancelled on its account.
    pub(crate) fn result(&self) -> Option<usize> {
        self.0.lock().result()
    }

    /// Waits for all, and tells how many of them were cancelled on its account.
    pub(crate) fn poll(&self, waker: Waker) -> Poll<usize> {
        let mut count = self.0.lock();
        if let Some(cancelled) = count.result() {
            drop(count);
            discard(waker);
            return Poll::Ready(cancelled);
        }
        let stale = count.waker.replace(waker);
        drop(count);
        discard(stale);
        Poll::Pending
    }

    /// Nobody waits any more.
    pub(crate) fn hush(&self) {
        let left = self.0.lock().waker.take();
        discard(left);
    }
}

impl Count {
    fn result(&self) -> Option<usize> {
        (self.running == 0).then_some(self.cancelled)
    }
}
