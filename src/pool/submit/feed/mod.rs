//! Feeds: many tasks that wait in the queue as one entry.
//!
//! ```text
//!              its turn            an item                     the last has ended
//!  waiting ───────────────▶ pulled ─────────▶ runs as a task ─────────────────────▶ report
//!     ▲                        │ │
//!     └── behind the others ───┘ └ none left, a panic, an abort: no more are pulled
//! ```
//!
//! The source of a stream that is pending in its turn stays with its worker, without a permit, and waits again once the
//! stream has an item.
//!
//! - [`Source`]: the input and the closure. It moves between the queue and the workers.
//! - [`Item`](item::Item): a task that the source makes of an item.
//! - [`Tracker`]: the state that the feed, its source and its items share.
//! - [`Unpulled`](unpulled::Unpulled): the number of items that the source will still pull, counted in the pool.
//! - `watched`: the progress of a feed as a stream; [`Watchers`](watchers::Watchers): the wakers of these streams.

mod item;
mod source;
mod tracker;
mod unpulled;
mod watched;
mod watchers;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use self::source::Source;
pub use self::tracker::FeedReport;
use self::tracker::Tracker;
use self::unpulled::exactly;
use crate::coop;
use crate::input::{Input, Streamed};
use crate::pool::core::arrival::Arrival;
use crate::pool::core::order::Patience;
use crate::pool::{AioPool, Core};
use crate::task::{PoolRef, Reason};

impl AioPool {
    /// Feeds the pool with tasks made of `items`, one whenever a permit is free for it. Returns at once.
    ///
    /// However many items there are, the feed takes only the memory of one waiting task and of the tasks that run, so
    /// the iterator may be infinite. The workers pull the iterator, one item at a time.
    ///
    /// In the queue the feed is one entry: when its turn comes, it starts one task, and goes to the back of the queue.
    /// So tasks that are submitted later, and other feeds, have their turns in between. The feed waits for permits like
    /// any task: the pool's `join` waits until the feed is exhausted.
    ///
    /// The results of the tasks are dropped, and only counted: see [`FeedReport`]. To read results, use
    /// [`itermap`](Self::itermap) with a [`buffer`](crate::IterMap::buffer).
    ///
    /// A panic of the iterator or of the closure ends the feed, and counts as a task that panicked. If the pool is
    /// closed or its queue is full, it takes nothing of the feed, and counts the feed as one rejected task. If the pool
    /// is closed later, it still takes the rest of the feed. The end of the feed's runtime ends the feed, and counts as
    /// one rejected task too; a runtime that only drops a worker now and then does not end the feed.
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
        self.feed_input(items.into_iter(), f)
    }

    /// Feeds the pool with tasks made of the items of a stream, one whenever there is an item and a permit is free for
    /// it. Returns at once.
    ///
    /// This is [`feed`](Self::feed) for an input that is a stream. A worker polls the stream when the turn of the feed
    /// comes. If the stream is pending then, the feed holds no permit until there is an item, and goes to the back of
    /// the queue with it. So at most one item is ahead of the tasks.
    ///
    /// While the stream is pending, the feed counts as one [waiting](Self::waiting) task. The pool's
    /// [`join`](Self::join) waits for the end of the stream. If a stream may never end, end its feed by
    /// [`abort`](Feed::abort) or [`cancel_all`](Self::cancel_all). Stopping only the waiting tasks
    /// ([`Shutdown::CancelWaiting`](crate::Shutdown::CancelWaiting)) ends it too. The stream is dropped when the feed
    /// ends.
    ///
    /// All else is as for a [`feed`](Self::feed): the counts, a panic of the stream or the closure, a closed or full
    /// pool, and the end of the runtime.
    ///
    /// [`PoolStreamExt::for_each_on`](crate::PoolStreamExt::for_each_on) does the same in a chain.
    ///
    /// # Panics
    ///
    /// Panics if the pool has no runtime yet, and none is found.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use futures::channel::mpsc;
    ///
    /// let pool = aiopool::AioPool::new(8);
    /// let (send, jobs) = mpsc::unbounded();
    /// let feed = pool.feed_stream(jobs, |n: u64| async move { n * n });
    /// for n in 0..100 {
    ///     send.unbounded_send(n).unwrap();
    /// }
    /// drop(send);  // ends the stream
    /// assert_eq!(feed.await.completed, 100);
    /// # });
    /// ```
    #[track_caller]
    pub fn feed_stream<S, F, Fut>(&self, items: S, f: F) -> Feed
    where
        S: Stream + Send + 'static,
        F: FnMut(S::Item) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        self.feed_input(Streamed::new(items), f)
    }

    #[track_caller]
    fn feed_input<I, F, Fut>(&self, items: I, f: F) -> Feed
    where
        I: Input + Send + 'static,
        F: FnMut(I::Item) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let core = self.core();
        core.spawner();
        let tracker = Arc::new(Tracker::new(exactly(items.items_left())));
        let source = Box::new(Source::new(items, f, tracker.clone(), self));
        self.refresh_room(Patience::Park);
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
            core: core.me(),
        }
    }
}

/// A handle to a feed in a pool. Returned by [`AioPool::feed`].
///
/// Await it to get its [`FeedReport`], which is ready when the last task of the feed has ended.
///
/// Dropping it detaches the feed, which continues.
///
/// # Cancel safety
///
/// A future that awaits `&mut feed` may be dropped, and the feed awaited again: nothing is lost.
pub struct Feed {
    tracker: Arc<Tracker>,
    core: Arc<Core>,
}

impl Feed {
    /// Stops the feed, and returns at once: no more items are pulled, and the tasks that run are aborted.
    ///
    /// Returns `false` if the feed has finished, or was aborted before.
    pub fn abort(&self) -> bool {
        let Some(abort) = self.tracker.begin_abort() else {
            return false;
        };
        for (slot, id) in abort {
            self.core.abort(slot, id, Reason::Aborted);
        }
        true
    }

    /// Returns `true` if the feed has finished: nothing is left to pull, and all of its tasks have ended.
    pub fn is_finished(&self) -> bool {
        self.tracker.is_finished()
    }

    /// Returns the counts of the feed so far. [`progress_stream`](Self::progress_stream) gives them again and again.
    pub fn progress(&self) -> FeedReport {
        self.tracker.report()
    }
}

impl Future for Feed {
    type Output = FeedReport;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<FeedReport> {
        coop::poll(cx, |cx| self.tracker.poll(self.core.waker(cx)))
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
