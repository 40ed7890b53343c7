//! Progress: how far a pool, a group or a feed has come, as a stream.
//!
//! ```text
//!            every 100 ms, or at a change                 counts differ, or all is over
//!  waits ─────────────────────────────────▶ reads counts ──────────────────────────────▶ item
//!    ▲                                          │ no news
//!    └──────────────────────────────────────────┘
//! ```
//!
//! Nothing counts for the stream: it reads the counts that the pool has anyway. With a timer of the runtime, the stream
//! reads them from time to time, and waits for the pool only to see its end, as [`closed`](crate::AioPool::closed) does.
//! Without a timer, the first change after a read wakes it.
//!
//! - [`ProgressStream`]: when it reads, and what it gives.
//! - [`Watched`]: what a stream reads. Here it is a pool or a group (`of_pool`); a feed has its own
//!   (`submit/feed/watched.rs`).
//! - `pause`: the time between two items. `draw`: the adapter for the crate `indicatif`.

#[cfg(feature = "indicatif")]
mod draw;
mod of_pool;
mod pause;
mod stream;
mod watched;

pub use self::stream::ProgressStream;
pub(in crate::pool) use self::watched::{Seen, Until, Watched};

/// How far a pool, a group or a feed has come. An item of a [`ProgressStream`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Progress {
    /// Number of tasks that have ended, in whatever way. A task that was cancelled is done too.
    pub done: u64,
    /// Number of these that panicked, timed out or were rejected. A task that returns an `Err` has not failed for the
    /// pool, which does not look into the values of tasks.
    pub failed: u64,
    /// Number of active tasks: those that hold a permit.
    pub active: usize,
    /// Number of tasks that wait for a permit. A feed counts as one task of its pool. In the progress of the feed
    /// itself, each item counts that is yet to be pulled, if the feed knows how many these are.
    pub waiting: usize,
    /// Number of tasks that are to be done in all, if it is known: see [`ProgressStream::total`].
    pub total: Option<u64>,
}
