use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::kind::Kind;
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
    /// The runtime around the caller. Outside of a runtime, the last one that was used.
    Current(Lock<Option<Handle>>),
}

impl Tokio {
    /// Runs each task on the runtime in whose context it is submitted.
    ///
    /// So one pool may serve several runtimes, each of which runs its own tasks. When one of them ends, the tasks that
    /// were submitted from it end too, and no others. A task that is submitted from outside of a runtime, such as from
    /// a thread of the program, goes to a runtime that the pool has used before. It is rejected if there has been none.
    pub fn current() -> Self {
        Self {
            choice: Choice::Current(Lock::new(Handle::try_current().ok())),
        }
    }

    /// Runs all tasks on this runtime.
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

impl Tokio {
    /// Returns the time of the runtime, in whose context the caller is not.
    #[cold]
    fn now_elsewhere(&self) -> Instant {
        let runtime = (!is_thread_ending()).then(|| self.runtime()).flatten();
        let _inside = runtime.as_ref().map(Handle::enter);
        clock_here()
    }
}

impl Spawner for Tokio {
    fn spawn(&self, worker: Worker) {
        if let Some(runtime) = self.runtime() {
            runtime.spawn(worker.wake_later_by(wake_later));
        }
    }

    fn spawn_blocking(&self, work: Blocking) {
        if let Some(runtime) = self.runtime() {
            runtime.spawn_blocking(move || work.run());
        }
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let runtime = self.runtime()?;
        if is_thread_ending() {
            // A thread that is ending cannot enter a runtime any more. The time then begins with the first poll.
            return Some(Box::pin(async move {
                tokio::time::sleep(duration).await;
            }));
        }
        let _inside = runtime.enter();
        Some(Box::pin(tokio::time::sleep(duration)))
    }

    fn now(&self) -> Instant {
        let here = match &self.choice {
            Choice::Fixed(handle) => is_inside(handle).then(clock_here),
            Choice::Current(_) => now_here(),
        };
        here.unwrap_or_else(|| self.now_elsewhere())
    }

    #[inline]
    fn runtime_here(&self) -> Option<NonZeroU64> {
        match self.choice {
            Choice::Fixed(_) => None,
            Choice::Current(_) => id_here(),
        }
    }

    fn spawner_here(&self) -> Option<Arc<dyn Spawner>> {
        match self.choice {
            Choice::Fixed(_) => None,
            // `runtime` also notes this runtime as the last one.
            Choice::Current(_) => Some(Arc::new(Tokio::handle(self.runtime()?))),
        }
    }
}

/// Wakes the tokio task that is being polled, after tokio has looked at its timers and sockets.
fn wake_later(cx: &mut Context<'_>) {
    // The first poll of `yield_now` defers the wake to that time. No further poll is needed.
    let has_yielded = !is_thread_ending() && pin!(tokio::task::yield_now()).poll(cx).is_pending();
    if !has_yielded {
        cx.waker().wake_by_ref();
    }
}

pub(super) fn kind() -> Kind {
    Kind {
        spawner: Arc::new(Tokio::current()),
        id_here,
        now_here,
        bind_here: |spawner| spawner.spawner_here(),
    }
}

/// Returns the number of the tokio runtime in whose context the caller is.
#[inline]
fn id_here() -> Option<NonZeroU64> {
    let here = Handle::try_current().ok()?;
    let mut number = Number(0);
    here.id().hash(&mut number);
    NonZeroU64::new(number.0)
}

/// Returns the time of the tokio runtime in whose context the caller is.
#[inline]
fn now_here() -> Option<Instant> {
    // The number of a task is found faster than its runtime, but `block_on` runs no task.
    let is_inside = tokio::task::try_id().is_some() || Handle::try_current().is_ok();
    is_inside.then(clock_here)
}

/// Returns the time of the runtime around the caller, whose clock may be paused. Outside of a runtime, that is the time
/// of the machine's clock.
#[inline]
fn clock_here() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Returns `true` if the caller is in the context of this runtime.
fn is_inside(runtime: &Handle) -> bool {
    Handle::try_current().is_ok_and(|here| here.id() == runtime.id())
}

/// Returns `true` if this thread is ending and its thread-locals are gone.
fn is_thread_ending() -> bool {
    Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed())
}

/// Reads the number out of a [`runtime::Id`](tokio::runtime::Id), which shows its number to hashers only.
struct Number(u64);

impl Hasher for Number {
    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn write(&mut self, bytes: &[u8]) {
        let fold = |number: u64, byte: &u8| number.rotate_left(8) ^ u64::from(*byte);
        self.0 = bytes.iter().fold(self.0, fold);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runtime_has_a_number_of_its_own() {
        let runtimes = [0; 8].map(|_| tokio::runtime::Runtime::new().unwrap());
        let ids = runtimes.each_ref().map(|runtime| {
            let _inside = runtime.enter();
            id_here().expect("it is inside of a runtime")
        });
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!((distinct.len(), id_here()), (ids.len(), None));
    }
}
