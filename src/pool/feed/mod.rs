//! A batch that stands in the queue as one entry.
//!
//! ```text
//!              its turn            an item                     the last has ended
//!  waiting ───────────────▶ pulled ─────────▶ runs as a task ─────────────────────▶ report
//!     ▲                        │ │
//!     └── behind the others ───┘ └ none left, a panic, an abort: no more are pulled
//! ```
//!
//! - [`Source`]: the iterator and the closure, which travel between queue and workers.
//! - [`Item`](item::Item): a task that it makes.
//! - [`Tracker`]: what the feed, its source and its items know of each other.
//! - [`Unpulled`](unpulled::Unpulled): the items that the source will still pull, counted in the pool.

mod item;
mod source;
mod tracker;
mod unpulled;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use self::source::Source;
pub use self::tracker::FeedReport;
use self::tracker::Tracker;
use super::AioPool;
use super::core::Patience;
use super::runtime::Arrival;
use crate::coop;
use crate::task::PoolRef;

impl AioPool {
    /// Feeds the pool with tasks made of `items`, one whenever a permit is free for it. Returns at once.
    ///
    /// However many items there are, they take the memory of one waiting task and of those that run: the
    /// iterator may be infinite. It is pulled by the workers, one item at a time.
    ///
    /// In the queue the feed is one entry: when its turn has come, it starts one task, and goes to the back
    /// of the queue. So tasks submitted later, and other feeds, have their turn in between. It waits
    /// for permits like any task: the pool's `join` waits until it is exhausted.
    ///
    /// The results of the tasks are dropped, and counted: see [`FeedReport`]. To read results, use
    /// [`itermap`](Self::itermap) with a [`buffer`](crate::IterMap::buffer).
    ///
    /// A panic of the iterator or of the closure ends the feed, and counts as a task that panicked.
    /// A pool that is closed or whose queue is full takes none of it, and counts it as one rejected task.
    /// Closed later, it takes the rest. So is the end of its runtime counted, which ends the feed; a runtime
    /// that drops a worker now and then does not.
    ///
    /// # Panics
    ///
    /// Panics if the pool has no runtime yet, and none is found.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(8);
    /// let feed = pool.feed(1..=1_000, |n: u64| async move { n * n });
    /// assert_eq!(feed.await.completed, 1_000);
    ///
    /// let endless = pool.feed(0.., |_: u64| async {});
    /// while endless.progress().completed < 100 {
    /// #   tokio::task::yield_now().await;
    ///     // …
    /// }
    /// endless.abort();
    /// assert!(endless.await.completed >= 100);
    /// # });
    /// ```
    #[track_caller]
    pub fn feed<I, F, Fut>(&self, items: I, f: F) -> Feed
    where
        I: IntoIterator,
        I::IntoIter: Send + 'static,
        F: FnMut(I::Item) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let core = self.core();
        core.spawner();
        let tracker = Arc::new(Tracker::new());
        let source = Box::new(Source::new(
            items.into_iter(),
            f,
            tracker.clone(),
            core,
            self.node(),
        ));
        core.refresh_room(Patience::Park);
        let Arrival {
            unused: _unused,
            runtime,
            mut state,
        } = core.lock_for_newcomer();
        if let Some(id) = core.refuse_source(&mut state, self.node()) {
            drop(state);
            source.refuse(core, id);
        } else {
            source.park(core, state, runtime);
        }
        Feed {
            tracker,
            pool_ref: self.pool_ref(),
        }
    }
}

/// A batch on its way through the pool. Made by [`AioPool::feed`].
///
/// Await it for its [`FeedReport`], which is there when the last of its tasks has ended.
///
/// Dropping it detaches the feed, which goes on.
///
/// # Cancel safety
///
/// Awaiting `&mut feed` may be dropped and begun again: nothing is lost.
pub struct Feed {
    tracker: Arc<Tracker>,
    pool_ref: Arc<dyn PoolRef>,
}

impl Feed {
    /// Stops the feed, and returns at once: no more items are pulled, and the tasks that run are aborted.
    ///
    /// Returns `false` if it had finished, or been aborted before.
    pub fn abort(&self) -> bool {
        let Some(abort) = self.tracker.begin_abort() else {
            return false;
        };
        for (slot, id) in abort {
            self.pool_ref.abort(slot, id, None);
        }
        true
    }

    /// Returns whether all of it is over: nothing is left to be pulled, and all tasks have ended.
    pub fn is_finished(&self) -> bool {
        self.tracker.is_finished()
    }

    /// Returns what has become of it so far.
    pub fn progress(&self) -> FeedReport {
        self.tracker.report()
    }
}

impl Future for Feed {
    type Output = FeedReport;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<FeedReport> {
        coop::poll(cx, |cx| self.tracker.poll(self.pool_ref.waker(cx)))
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("progress", &self.progress())
            .field("finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.tracker.hush();
    }
}
