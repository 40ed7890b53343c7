use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::{FusedStream, Stream};

use super::pause::Pause;
use super::{Progress, Seen, Until, Watched};
use crate::coop;
use crate::task::PoolRef;

/// Time between two items, unless [`every`](ProgressStream::every) sets another.
const EVERY: Duration = Duration::from_millis(100);

/// How far a pool, a group or a feed has come, again and again. Returned by
/// [`AioPool::progress`](crate::AioPool::progress) and [`Feed::progress_stream`](crate::Feed::progress_stream).
///
/// - **The first item** is there at once: the present counts.
/// - **A further item** is given if the counts have changed since the last one, and not sooner than 100 ms after it, or the
///   time that [`every`](Self::every) sets. It has the newest counts: what came in between is not kept. So a reader may be
///   as slow as it likes.
/// - **The end**: the last item has the final counts, and is given at once. The progress of a pool ends when the pool is
///   closed and no task is active or waiting; that of a feed, when the feed has finished. With a
///   [`total`](Self::total), it also ends when so many tasks are done.
///
/// # Cost
///
/// The stream reads counts that the pool has anyway, under the pool's lock, once for each item. While the reader is
/// elsewhere, nothing is kept for the stream, and no task wakes it. While the reader waits for an item, the pool has one
/// waker of it, for the end, as for [`closed`](crate::AioPool::closed): other tasks do not wake it. If nothing changes, the
/// stream looks as often as it may give an item.
///
/// The pause between two items needs the timer of the pool's runtime. Without a timer, each poll gives an item if there is
/// news, and a stream that has none to give is woken by the next task of the pool that starts from the queue or ends,
/// once. A task that only comes into the queue does not wake it then.
///
/// # In a task of the pool
///
/// A task that reads the progress of its own pool lends its permit while it waits for an item. It is itself one of the tasks
/// that keep the pool from being idle, so the stream ends only if it has a total.
///
/// # Dropping
///
/// Dropping it leaves nothing behind: no timer, no waker, no task. The stream of a pool is a handle to it, like a clone. That
/// of a feed is not, and does not abort the feed.
///
/// # Cancel safety
///
/// A future that awaits the next item may be dropped: nothing is lost.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use std::time::Duration;
///
/// let pool = aiopool::AioPool::new(2);
/// let mut progress = pool.progress().every(Duration::from_millis(20));
/// assert_eq!(progress.next().await.unwrap().done, 0);
///
/// pool.map_n(0..100, |n| async move { n });
/// pool.close();
/// let mut last = None;
/// while let Some(now) = progress.next().await {
///     last = Some(now);
/// }
/// let last = last.unwrap();
/// assert_eq!((last.done, last.failed, last.active, last.waiting), (100, 0, 0, 0));
/// # });
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct ProgressStream {
    watched: Box<dyn Watched>,
    pause: Pause,
    total: Option<u64>,
    /// The counts that are subtracted.
    before: Progress,
    /// The last item.
    last: Option<Progress>,
    is_over: bool,
}

impl ProgressStream {
    pub(in crate::pool) fn new(watched: impl Watched + 'static) -> Self {
        Self {
            watched: Box::new(watched),
            pause: Pause::new(EVERY),
            total: None,
            before: Progress::default(),
            last: None,
            is_over: false,
        }
    }

    /// Sets the least time between two items, which is 100 ms by default. Zero means no pause: the stream is woken at the
    /// first change after each poll.
    pub fn every(mut self, pause: Duration) -> Self {
        self.pause = Pause::new(pause);
        self
    }

    /// Sets how many tasks are to be done in all: the [`total`](Progress::total) of all items. Once so many are done, the
    /// stream ends.
    ///
    /// A pool does not know what will be submitted to it. So its progress has a total only if the caller sets one. A feed
    /// has one by itself if its input knows its length, as the iterators of a range or a `Vec` do: if its size hint is
    /// exact when the feed is made.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(2);
    /// let mut progress = pool.progress().total(10);
    /// let results = pool.map(0..10, |n| async move { n });
    /// let (results, last) = tokio::join!(results, async {
    ///     let mut last = None;
    ///     while let Some(now) = progress.next().await {
    ///         last = Some(now); // … and draw a bar
    ///     }
    ///     last.unwrap()
    /// });
    /// assert_eq!((results.len(), last.done, last.total), (10, 10, Some(10)));
    /// # });
    /// ```
    pub fn total(mut self, tasks: u64) -> Self {
        self.total = Some(tasks);
        self
    }

    /// Leaves the tasks out that have ended before this call: `done` and `failed` begin at 0. For a pool that has done
    /// other work before.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(2);
    /// pool.map(0..10, |n| async move { n }).await;
    /// let mut second = pool.progress().from_now();
    /// assert_eq!(second.next().await.unwrap().done, 0);
    /// # });
    /// ```
    pub fn from_now(mut self) -> Self {
        let before = &mut self.before;
        let note = &mut |seen: Seen| {
            *before = seen.now;
            None
        };
        self.watched.look(std::task::Waker::noop().clone(), note);
        self
    }

    /// Waits for the next item. Returns `None` after the last one.
    pub async fn next(&mut self) -> Option<Progress> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<Option<Progress>> {
        let core = self.watched.core();
        let is_due = self.pause.is_over(core, cx);
        let waker = core.waker(cx);
        let until = match (self.pause.is_on(), self.total) {
            (false, _) => Until::Change,
            (true, Some(_)) => Until::Idle,
            (true, None) => Until::Over,
        };
        let reader = Reader {
            before: self.before,
            total: self.total,
            last: self.last,
            is_due,
        };
        let mut answer = Answer::Nothing;
        self.watched.look(waker, &mut |seen| {
            answer = reader.answer(seen);
            (answer == Answer::Nothing).then_some(until)
        });
        self.give(answer)
    }

    fn give(&mut self, answer: Answer) -> Poll<Option<Progress>> {
        let item = match answer {
            Answer::Nothing => return Poll::Pending,
            Answer::News(now) => Some(now),
            Answer::Last(last) => {
                self.is_over = true;
                self.pause.stop();
                last
            }
        };
        self.last = item;
        Poll::Ready(item)
    }
}

/// What decides whether there is an item.
struct Reader {
    before: Progress,
    total: Option<u64>,
    last: Option<Progress>,
    is_due: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Nothing,
    News(Progress),
    /// The stream ends, with this item if it is not the same as the last one.
    Last(Option<Progress>),
}

impl Reader {
    fn answer(&self, Seen { now, is_over }: Seen) -> Answer {
        let now = self.counted(now);
        let is_new = self.last != Some(now);
        if is_over || self.total.is_some_and(|total| now.done >= total) {
            return Answer::Last(is_new.then_some(now));
        }
        // The first item does not wait for a pause.
        if is_new && (self.is_due || self.last.is_none()) {
            Answer::News(now)
        } else {
            Answer::Nothing
        }
    }

    /// Returns the counts as this reader has them.
    fn counted(&self, now: Progress) -> Progress {
        let known = now
            .total
            .map(|total| total.saturating_sub(self.before.done));
        Progress {
            done: now.done - self.before.done,
            failed: now.failed - self.before.failed,
            total: self.total.or(known),
            ..now
        }
    }
}

impl Stream for ProgressStream {
    type Item = Progress;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Progress>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        coop::poll(cx, |cx| self.poll_news(cx))
    }
}

impl FusedStream for ProgressStream {
    fn is_terminated(&self) -> bool {
        self.is_over
    }
}

impl fmt::Debug for ProgressStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressStream")
            .field("every", &self.pause.length)
            .field("total", &self.total)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}
