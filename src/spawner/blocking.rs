use std::fmt;

/// Work that may block its thread.
///
/// The pool passes it to [`Spawner::spawn_blocking`](crate::Spawner::spawn_blocking), which runs it on a thread that
/// may be blocked.
#[must_use = "it does nothing until it is run"]
pub struct Blocking {
    work: Box<dyn FnOnce() + Send>,
}

impl Blocking {
    pub(crate) fn new(work: impl FnOnce() + Send + 'static) -> Self {
        Self {
            work: Box::new(work),
        }
    }

    /// Runs the work on this thread. A panic in it is caught, and becomes the outcome of its task.
    pub fn run(self) {
        (self.work)();
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::Blocking;
    use crate::spawner::{FnSpawner, Spawner};

    /// Returns `true` if the work ran on another thread.
    fn runs_elsewhere(spawner: &dyn Spawner) -> bool {
        let (tell, told) = channel();
        spawner.spawn_blocking(Blocking::new(move || {
            tell.send(thread::current().id()).ok();
        }));
        told.recv()
            .is_ok_and(|ran_on| ran_on != thread::current().id())
    }

    #[test]
    fn blocking_work_runs_on_another_thread() {
        assert!(runs_elsewhere(&FnSpawner(drop)));
    }

    #[test]
    #[cfg(feature = "tokio")]
    fn blocking_work_runs_on_another_thread_of_tokio() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        assert!(runs_elsewhere(&crate::Tokio::handle(
            runtime.handle().clone()
        )));
    }

    #[test]
    #[cfg(feature = "smol")]
    fn blocking_work_runs_on_another_thread_of_smol() {
        assert!(runs_elsewhere(&crate::Smol));
    }

    #[test]
    #[cfg(feature = "async-std")]
    fn blocking_work_runs_on_another_thread_of_async_std() {
        assert!(runs_elsewhere(&crate::AsyncStd));
    }
}
