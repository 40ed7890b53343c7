use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::lock::Lock;
use crate::pool::{AioPool, Feed, FeedReport, ProgressStream};
use crate::unwind::discard;

/// A handle to a feed whose input may fail. Returned by
/// [`PoolStreamExt::try_for_each_on`](crate::PoolStreamExt::try_for_each_on).
///
/// Await it to get the [`FeedReport`], or the error that has ended the input. Either is ready when the last task of the
/// feed has ended.
///
/// Dropping it detaches the feed, which continues.
///
/// # Cancel safety
///
/// A future that awaits `&mut feed` may be dropped, and the feed awaited again: nothing is lost.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::{AioPool, PoolStreamExt};
/// use futures::stream;
///
/// let pool = AioPool::new(4);
/// let jobs = stream::iter([Ok::<u32, std::io::Error>(1), Ok(2)]);
/// let report = jobs.try_for_each_on(&pool, |job| async move { job * 2 }).await.unwrap();
/// assert_eq!(report.completed, 2);
/// # });
/// ```
pub struct TryFeed<E> {
    feed: Feed,
    error: Arc<Lock<Option<E>>>,
}

impl<E> TryFeed<E> {
    /// Stops the feed, and returns at once: no more items are pulled, and the tasks that run are aborted.
    ///
    /// Returns `false` if the feed has finished, or was aborted before.
    pub fn abort(&self) -> bool {
        self.feed.abort()
    }

    /// Returns `true` if the feed has finished: nothing is left to pull, and all of its tasks have ended.
    pub fn is_finished(&self) -> bool {
        self.feed.is_finished()
    }

    /// Returns the counts of the feed so far.
    pub fn progress(&self) -> FeedReport {
        self.feed.progress()
    }

    /// Watches how far the feed has come: [`Feed::progress_stream`].
    pub fn progress_stream(&self) -> ProgressStream {
        self.feed.progress_stream()
    }
}

impl<E: Send + 'static> TryFeed<E> {
    pub(super) fn new<S, F, Fut, I>(pool: &AioPool, items: S, f: F) -> Self
    where
        S: Stream<Item = Result<I, E>> + Send + 'static,
        F: FnMut(I) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let error = Arc::default();
        let items = UntilError {
            items,
            error: Arc::clone(&error),
        };
        Self {
            feed: pool.feed_stream(items, f),
            error,
        }
    }
}

impl<E> Future for TryFeed<E> {
    type Output = Result<FeedReport, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let report = ready!(Pin::new(&mut self.feed).poll(cx));
        let error = self.error.lock().take();
        Poll::Ready(error.map_or(Ok(report), Err))
    }
}

impl<E> fmt::Debug for TryFeed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryFeed")
            .field("feed", &self.feed)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The values of a stream, until its first error.
    struct UntilError<S, E> {
        #[pin]
        items: S,
        error: Arc<Lock<Option<E>>>,
    }
}

impl<S, I, E> Stream for UntilError<S, E>
where
    S: Stream<Item = Result<I, E>>,
{
    type Item = I;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I>> {
        let this = self.project();
        Poll::Ready(match ready!(this.items.poll_next(cx)).transpose() {
            Ok(item) => item,
            Err(error) => {
                let stale = this.error.lock().replace(error);
                discard(stale);
                None
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.items.size_hint().1)
    }
}
