use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::kind::Kind;
use super::{Blocking, Spawner};
use crate::worker::Worker;

/// Runs workers on the runtime around the caller: tokio inside of its context, else smol, else async-std, as far as
/// their features are enabled.
///
/// smol and async-std have threads of their own, so they are always there if they are compiled in. Without a runtime
/// around the caller, the tokio runtime that was used last takes the workers.
pub(crate) struct Found {
    kinds: Vec<Kind>,
}

impl Found {
    pub(crate) fn new() -> Self {
        let kinds = vec![
            #[cfg(feature = "tokio")]
            super::tokio::kind(),
            #[cfg(feature = "smol")]
            super::smol::kind(),
            #[cfg(feature = "async-std")]
            super::async_std::kind(),
        ];
        Self { kinds }
    }

    fn kind_here(&self) -> Option<&Kind> {
        self.kinds.iter().find(|kind| (kind.id_here)().is_some())
    }

    fn spawner(&self) -> Option<&dyn Spawner> {
        let kind = self.kind_here().or(self.kinds.first())?;
        Some(&*kind.spawner)
    }
}

impl Found {
    /// Returns the time where there is no runtime around the caller.
    #[cold]
    fn now_elsewhere(&self) -> Instant {
        self.spawner().map_or_else(Instant::now, Spawner::now)
    }
}

impl Spawner for Found {
    /// Drops the worker if there is no runtime. The pool notices that.
    fn spawn(&self, worker: Worker) {
        if let Some(runtime) = self.spawner() {
            runtime.spawn(worker);
        }
    }

    fn spawn_blocking(&self, work: Blocking) {
        if let Some(runtime) = self.spawner() {
            runtime.spawn_blocking(work);
        }
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        self.spawner()?.sleep(duration)
    }

    fn now(&self) -> Instant {
        for kind in &self.kinds {
            if let Some(now) = (kind.now_here)() {
                return now;
            }
        }
        self.now_elsewhere()
    }

    #[inline]
    fn runtime_here(&self) -> Option<NonZeroU64> {
        self.kinds.iter().find_map(|kind| (kind.id_here)())
    }

    fn spawner_here(&self) -> Option<Arc<dyn Spawner>> {
        let kind = self.kind_here()?;
        (kind.bind_here)(&kind.spawner)
    }
}
