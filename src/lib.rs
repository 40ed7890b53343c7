//! A task pool for async Rust, on any runtime.
//!
//! A counting semaphore decides how many tasks run; everything else waits in
//! order, inside the pool, as data and not as tasks of the runtime. The verbs
//! are the same on tokio, smol, async-std, or an executor of your own.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use aiopool::AioPool;
//!
//! let pool = AioPool::new(100);
//! for page in 0..1000 {
//!     pool.spawn(async move { page }).await;           // waits for a permit: backpressure
//! }
//! let late = pool.spawn_n(async { "report" });         // never waits: parks
//! let sizes = pool.map(0..10, |n| async move { n }).await; // ordered results
//! pool.join().await;                                   // waits for all of it
//! # assert_eq!((late.await.unwrap(), sizes.len()), ("report", 10));
//! # });
//! ```
//!
//! # Where to look
//!
//! - [`AioPool`]: the pool and its verbs, with what it guarantees.
//! - [`JoinHandle`]: a task's result to come, and ways to stop it.
//! - [`SimpleTaskPool`]: copies of one function, started and stopped by number.
//! - [`current`], [`lend`]: from inside of a task.
//! - [`TaskBuilder`]: tasks with a name, a rank, a weight, limits, callbacks.
//! - [`IterMap`], [`iterwait`], [`wait`]: results as they come.
//! - [`PoolStreamExt`]: the verbs of a pool as methods of streams.
//! - [`Spawner`]: the runtime, and how to bring another one.
//! - `control`, with the feature of this name: looking at a running pool, and steering it, from outside.
//! - `tower`, with the feature of this name: a layer whose calls run under a permit of a pool.
//! - `testing`, with the feature of this name: a runtime that is driven by hand, for tests of programs with a pool.
//! - `fleet`, with the feature of this name: the same verbs over many machines.
//! - [`migrating`]: what the methods of three Python libraries are here.
//!
//! The book is in [`docs`]: a [guide](docs::guide), a [cookbook](docs::cookbook), and pages about
//! [cancellation](docs::cancellation), [other crates](docs::comparison), [performance](docs::performance), and
//! [questions](docs::faq).
//!
//! # Words
//!
//! A *permit* is the right to run. A *waiting* task stands in the queue, and has not been polled. An *active* one holds
//! a permit. *Abort* asks and returns; *cancel* asks and waits until it is so; *detach* lets go; *close* refuses
//! newcomers; *join* waits for all.
#![cfg_attr(docsrs, feature(doc_cfg))]

// `map` after `pool`, for the order of the methods in the docs of `AioPool`.
mod pool;

mod map;

mod adaptive;
#[cfg(doc)]
mod architecture;
mod budget;
#[cfg(feature = "control")]
pub mod control;
mod coop;
#[cfg(all(test, any(feature = "control", feature = "fleet")))]
mod corpus;
#[cfg(any(doc, doctest))]
pub mod docs;
mod error;
#[cfg(feature = "fleet")]
pub mod fleet;
mod gate;
mod input;
mod lock;
pub mod migrating;
#[cfg(all(test, any(aiopool_loom, aiopool_shuttle)))]
mod models;
mod nesting;
mod observe;
mod shrink;
mod simple;
mod slot_map;
mod spawner;
mod sync;
mod task;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tower")]
pub mod tower;
mod unwind;
mod waker_slot;
mod wakes;
mod worker;

pub use adaptive::{Adaptive, AdaptiveStats};
pub use error::{AbortError, BuildError, GroupError, TryMapError, TrySpawnError, ZeroSize};
pub use input::{Input, Streamed};
pub use map::{
    Batches, IterMap, IterWait, PoolStreamExt, ReturnWhen, TryFeed, TryIterMap, Waited, iterwait,
    wait,
};
#[cfg(feature = "metrics")]
pub use observe::MetricsObserver;
pub use observe::{Ended, Observer, Submission, TaskScope, TaskView};
#[cfg(feature = "tracing")]
pub use observe::{SpanParent, TracingObserver};
#[cfg(feature = "timeline")]
pub use observe::{TimelineObserver, TimelineReport};
pub use pool::{
    AioPool, BlockingWork, Builder, CancelReport, Current, Feed, FeedReport, GroupBuilder, Permit,
    PermitBuilder, Progress, ProgressStream, Shutdown, ShutdownReport, Stats, TaskBuilder, Then,
    Tries, current, lend,
};
pub use simple::SimpleTaskPool;
#[cfg(feature = "async-std")]
pub use spawner::AsyncStd;
#[cfg(feature = "smol")]
pub use spawner::Smol;
#[cfg(feature = "tokio")]
pub use spawner::Tokio;
pub use spawner::{Blocking, FnSpawner, Spawner};
pub use task::{
    AbortHandle, AbortOnDrop, CancelCause, JoinError, JoinHandle, Refusal, Tag, TaskId, TaskInfo,
    TaskState,
};
pub use worker::Worker;

/// The examples of the README, compiled and run.
#[cfg(all(doctest, feature = "control", feature = "fleet"))]
#[doc = include_str!("../README.md")]
struct Readme;
