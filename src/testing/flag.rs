use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Wake, Waker};

/// Set by a wake, and taken before a poll.
pub(super) struct Flag(AtomicBool);

impl Flag {
    /// Returns a flag that is set: what it stands for is to be polled for the first time.
    pub(super) fn set() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(SeqCst)
    }

    /// Resets the flag. Returns `true` if it was set.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, SeqCst)
    }

    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(self.clone())
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}
