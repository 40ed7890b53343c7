//! Spawners: the interface between the pool and a runtime.
//!
//! Each runtime has one file in this folder, and no other module names it.

#[cfg(feature = "async-std")]
mod async_std;
mod blocking;
mod found;
mod function;
mod has_timer;
mod kind;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;

use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "async-std")]
pub use self::async_std::AsyncStd;
pub use self::blocking::Blocking;
pub(crate) use self::found::Found;
pub use self::function::FnSpawner;
pub(crate) use self::has_timer::has_timer;
#[cfg(feature = "smol")]
pub use self::smol::Smol;
#[cfg(feature = "tokio")]
pub use self::tokio::Tokio;
use crate::worker::Worker;

/// Runs the workers of a pool on some runtime.
///
/// A spawner for your own runtime needs only `spawn`; use [`FnSpawner`] for a closure. Without `sleep`, a pool has no
/// timeouts.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use aiopool::{AioPool, Spawner, Worker};
/// use async_executor::Executor;
///
/// struct OnExecutor(Arc<Executor<'static>>);
///
/// impl Spawner for OnExecutor {
///     fn spawn(&self, worker: Worker) {
///         self.0.spawn(worker).detach();
///     }
/// }
///
/// let executor = Arc::new(Executor::new());
/// let pool = AioPool::with_spawner(2, OnExecutor(executor.clone()));
/// let answer = futures::executor::block_on(executor.run(pool.exec(async { 42 })));
/// assert_eq!(answer.unwrap(), 42);
/// ```
pub trait Spawner: Send + Sync + 'static {
    /// Polls `worker` to its end, independently of the caller.
    ///
    /// If the worker is dropped instead, the pool notices it, and the task of the worker ends.
    fn spawn(&self, worker: Worker);

    /// Runs `work`, which may block for a long time. The default starts a thread for it.
    fn spawn_blocking(&self, work: Blocking) {
        std::thread::spawn(move || work.run());
    }

    /// Starts a timer. Returns `None` if there is no timer, as the default does.
    ///
    /// The time begins with this call, or with the first poll of the timer, which follows soon.
    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let _ = duration;
        None
    }

    /// Returns the time on the clock of [`sleep`](Self::sleep). The default is the clock of the machine.
    ///
    /// A runtime whose clock can be paused for tests overrides this. The pool calls it unlocked, for its limits, rates and
    /// holds, and for the times of the tasks of a [timed](crate::Builder::timed) pool. If it panics, the clock of the
    /// machine counts.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Returns the number of the runtime around the caller, for a spawner that serves several runtimes. No two runtimes
    /// that live at the same time have the same number.
    ///
    /// A pool calls this at each submission, and starts the task on [that runtime](Self::spawner_here). The default
    /// returns `None`: then all workers are given to this spawner.
    fn runtime_here(&self) -> Option<NonZeroU64> {
        None
    }

    /// Returns a spawner for the runtime around the caller, and for no other.
    ///
    /// The default returns `None`. A spawner that overrides [`runtime_here`](Self::runtime_here) overrides this too.
    fn spawner_here(&self) -> Option<Arc<dyn Spawner>> {
        None
    }
}
