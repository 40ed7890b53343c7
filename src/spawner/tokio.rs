use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::{Blocking, Spawner};
use crate::lock::Lock;
use crate::worker::Worker;

/// Runs workers on tokio.
///
/// Timeouts need a runtime with its timer enabled.
///
/// # Examples
///
/// ```
/// use aiopool::{AioPool, Tokio};
///
/// let runtime = tokio::runtime::Runtime::new().unwrap();
/// let pool = AioPool::with_spawner(4, Tokio::handle(runtime.handle().clone()));
/// let handle = pool.spawn_n(async { 1 + 1 }); // outside of the runtime
/// assert_eq!(runtime.block_on(handle).unwrap(), 2);
/// ```
#[derive(Debug)]
pub struct Tokio {
    choice: Choice,
}

#[derive(Debug)]
enum Choice {
    Fixed(Handle),
    /// The runtime around the caller; elsewhere, the last one seen.
    Current(Lock<Option<Handle>>),
}

impl Tokio {
    /// The runtime in whose context a task happens to be started.
    ///
    /// A task that is started from elsewhere, such as a plain thread, goes to
    /// the runtime that was used last. It is rejected if there has been none.
    pub fn current() -> Self {
        Self {
            choice: Choice::Current(Lock::new(Handle::try_current().ok())),
        }
    }

    /// This runtime and no other.
    pub fn handle(handle: Handle) -> Self {
        Self {
            choice: Choice::Fixed(handle),
        }
    }

    fn runtime(&self) -> Option<Handle> {
        let last = match &self.choice {
            Choice::Fixed(handle) => return Some(handle.clone()),
            Choice::Current(last) => last,
        };
        let Ok(current) = Handle::try_current() else {
            return last.lock().clone();
        };
        let stale = last.lock().replace(current.clone());
        drop(stale);
        Some(current)
    }
}

impl Spawner for Tokio {
    fn spawn(&self, worker: Worker) {
        if let Some(runtime) = self.runtime() {
            runtime.spawn(worker);
        }
    }

    fn spawn_blocking(&self, work: Blocking) {
        if let Some(runtime) = self.runtime() {
            runtime.spawn_blocking(move || work.run());
        }
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let runtime = self.runtime()?;
        let _inside = runtime.enter();
        Some(Box::pin(tokio::time::sleep(duration)))
    }

    fn now(&self) -> Instant {
        let elsewhere = Handle::try_current().is_err();
        let runtime = elsewhere.then(|| self.runtime()).flatten();
        let _inside = runtime.as_ref().map(Handle::enter);
        tokio::time::Instant::now().into_std()
    }
}

pub(super) fn found() -> Option<Box<dyn Spawner>> {
    Handle::try_current()
        .ok()
        .map(|_| Box::new(Tokio::current()) as Box<dyn Spawner>)
}
