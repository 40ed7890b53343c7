use std::task::{Context, Poll, Waker};

use crate::lock::Lock;

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
    /// One more to wait for.
    pub(super) fn add(&self) {
        self.0.lock().running += 1;
    }

    /// One of them has ended.
    #[must_use = "to be woken when no lock is held"]
    pub(super) fn count_down(&self, cancelled: bool) -> Option<Waker> {
        let mut count = self.0.lock();
        count.running -= 1;
        count.cancelled += usize::from(cancelled);
        if count.running == 0 {
            count.waker.take()
        } else {
            None
        }
    }

    /// Waits for all, and tells how many of them were cancelled on its account.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<usize> {
        let waker = cx.waker().clone();
        let mut count = self.0.lock();
        if count.running == 0 {
            return Poll::Ready(count.cancelled);
        }
        let stale = count.waker.replace(waker);
        drop(count);
        drop(stale);
        Poll::Pending
    }
}
