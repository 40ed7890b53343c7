use std::fmt;

/// Work that may block its thread, on its way to where that does no harm.
///
/// Given to [`Spawner::spawn_blocking`](crate::Spawner::spawn_blocking).
#[must_use = "it does nothing until it is run"]
pub struct Blocking {
    work: Box<dyn FnOnce() + Send>,
}

impl Blocking {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the pool has no verb for blocking work yet")
    )]
    pub(crate) fn new(work: impl FnOnce() + Send + 'static) -> Self {
        Self {
            work: Box::new(work),
        }
    }

    /// Runs it, on this thread. A panic in it is caught, and is the outcome of its task.
    pub fn run(self) {
        (self.work)();
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}
