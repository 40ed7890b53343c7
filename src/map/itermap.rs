use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};

use super::ahead::Pulled;
use super::batches::Batches;
use super::flow::Flow;
use super::gathers::Gathers;
use super::return_when::ReturnWhen;
use super::shed::Shed;
use crate::coop;
use crate::input::{Input, Streamed};
use crate::pool::AioPool;
use crate::task::JoinError;

impl AioPool {
    /// Runs a task for each item, and returns a stream of the results as the tasks end.
    ///
    /// Nothing happens before the first poll. After that, items are pulled as results are read, for any number of
    /// items. The tasks whose results are not read yet are at most as many as the pool can run at once, plus 16. In a
    /// group or a [`scope`](Self::scope), the number that it can run is the smallest [`size`](Self::size) among itself
    /// and the pools around it. Where none of them has a size, the limit is 1024. A [`resize`](Self::resize) takes
    /// effect at once. [`buffer`](IterMap::buffer) sets another limit. One poll pulls some tens of items at most, and
    /// wakes its task if there are more to pull.
    ///
    /// In a pool whose queue has a bound ([`max_waiting`](crate::Builder::max_waiting)), an item is pulled when the
    /// queue has room for its task. If other tasks fill the queue, one task of the stream waits in it nevertheless,
    /// as for a [`feed`](Self::feed). So no task is refused.
    ///
    /// The tasks run on while the stream is not polled. In a closed pool every task is
    /// [rejected](JoinError::is_rejected), so an endless input gives endless errors.
    ///
    /// Use [`map`](Self::map) to wait for all results, in the order of the items.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let mut squares = pool.itermap(0.., |n: u64| async move { n * n }).ordered();
    /// let mut sum = 0;
    /// for _ in 0..10 {
    ///     sum += squares.next().await.unwrap().unwrap();
    /// }
    /// assert_eq!(sum, 285);
    /// # });
    /// ```
    pub fn itermap<I, F, Fut>(&self, items: I, f: F) -> IterMap<I::IntoIter, F, Fut::Output>
    where
        I: IntoIterator,
        F: FnMut(I::Item) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        IterMap::new(self, items.into_iter(), f)
    }

    /// Runs a task for each item of a stream, and returns a stream of the results as the tasks end.
    ///
    /// This is [`itermap`](Self::itermap) for an input that is a stream, with the same limit: the stream is polled only
    /// as results are read, and the tasks whose results are not read yet are at most as many as the pool can run at
    /// once, plus 16, or as many as [`buffer`](IterMap::buffer) says. Where the input is a scarce resource, such as a
    /// queue of messages with a lease, a buffer of the pool's size pulls no item before a task can start for it.
    ///
    /// The stream may be pending for any time. It holds no permit, and the tasks that were started run on. It is
    /// dropped when it has ended.
    ///
    /// [`PoolStreamExt::map_on`](crate::PoolStreamExt::map_on) does the same in a chain.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use futures::stream;
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let words = stream::iter(["a", "bb"]);
    /// let lengths = pool.itermap_stream(words, |word| async move { word.len() });
    /// let mut lengths = lengths.ordered();
    /// assert_eq!(lengths.next().await.unwrap().unwrap(), 1);
    /// assert_eq!(lengths.next().await.unwrap().unwrap(), 2);
    /// assert!(lengths.next().await.is_none());
    /// # });
    /// ```
    pub fn itermap_stream<S, F, Fut>(&self, items: S, f: F) -> IterMap<Streamed<S>, F, Fut::Output>
    where
        S: Stream,
        F: FnMut(S::Item) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        IterMap::new(self, Streamed::new(items), f)
    }
}

/// The results of [`AioPool::itermap`] and [`AioPool::itermap_stream`], as a stream in the order in which the tasks
/// end.
///
/// The input `I` is an iterator, or a stream in [`Streamed`].
///
/// Dropping it aborts the tasks whose results were not read.
///
/// # Panics
///
/// Polling it passes on a panic of the input or the closure. It may be polled again after that.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use futures::StreamExt;
///
/// let pool = aiopool::AioPool::new(4);
/// let lengths = pool.itermap(["a", "bb"], |word| async move { word.len() });
/// let mut lengths: Vec<_> = lengths.map(Result::unwrap).collect().await;
/// lengths.sort();
/// assert_eq!(lengths, [1, 2]);
/// # });
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct IterMap<I, F, T> {
    flow: Flow<T>,
    /// `None` once the input has ended.
    items: Option<I>,
    f: F,
    /// The results of the next batch.
    gathered: Shed<Result<T, JoinError>>,
}

impl<I, F, T> IterMap<I, F, T> {
    fn new(pool: &AioPool, items: I, f: F) -> Self {
        Self {
            flow: Flow::new(pool),
            items: Some(items),
            f,
            gathered: Shed::new(),
        }
    }

    /// Gives the results in the order of the items.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(2);
    /// let slow_first = |n: u64| async move {
    ///     tokio::time::sleep(Duration::from_millis(20 - 10 * n)).await;
    ///     n
    /// };
    /// let mut results = pool.itermap(0..2, slow_first).ordered();
    /// assert_eq!(results.next().await.unwrap().unwrap(), 0);
    /// assert_eq!(results.next().await.unwrap().unwrap(), 1);
    /// # });
    /// ```
    pub fn ordered(mut self) -> Self {
        self.flow.put_in_order();
        self
    }

    /// Limits the items that are pulled and whose results are not read to `items`. Each result read makes room for one
    /// more.
    ///
    /// By default, the limit follows the [size](AioPool::itermap) of the pool. `buffer(usize::MAX)` submits all items,
    /// some tens at each poll.
    ///
    /// # Panics
    ///
    /// Panics if `items` is 0: no item would ever be pulled.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(100);
    /// let mut results = pool.itermap(0.., |n: u64| async move { n }).ordered().buffer(3);
    /// assert_eq!(results.next().await.unwrap().unwrap(), 0);
    /// assert!(pool.stats().submitted <= 3 + 1, "the rest is not pulled yet");
    /// # });
    /// ```
    #[track_caller]
    pub fn buffer(mut self, items: usize) -> Self {
        assert_is_buffer(items);
        self.flow.fix(items);
        self
    }

    /// Gives the results in batches. A batch consists of the results that are there when `until` is fulfilled.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, ReturnWhen};
    /// use futures::StreamExt;
    ///
    /// let pool = AioPool::new(4);
    /// let results = pool.itermap(0..4, |n| async move { n });
    /// let mut batches = results.batches(ReturnWhen::AllCompleted);
    /// assert_eq!(batches.next().await.unwrap().len(), 4);
    /// assert!(batches.next().await.is_none());
    /// # });
    /// ```
    pub fn batches(self, until: ReturnWhen) -> Batches<Self> {
        let pool_ref = self.flow.pool().pool_ref();
        Batches::new(self, until, Some(pool_ref))
    }
}

#[track_caller]
pub(super) fn assert_is_buffer(items: usize) {
    assert!(
        items > 0,
        "a buffer of 0 would never pull an item: the least is 1"
    );
}

impl<I, F, Fut> IterMap<I, F, Fut::Output>
where
    I: Input,
    F: FnMut(I::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    /// Waits for the next result. Returns `None` when all results have been read.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time. No result is lost.
    pub async fn next(&mut self) -> Option<Result<Fut::Output, JoinError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Pulled {
        let Some(items) = &mut self.items else {
            return Pulled::All;
        };
        let next = |cx: &mut Context<'_>| items.poll_item(cx).map(|item| item.map(&mut self.f));
        let pulled = self.flow.pull(cx, next);
        if pulled == Pulled::All {
            self.items = None;
        }
        pulled
    }
}

impl<I, F, Fut> Stream for IterMap<I, F, Fut::Output>
where
    I: Input,
    F: FnMut(I::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    type Item = Result<Fut::Output, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        coop::poll(cx, |cx| self.poll_result(cx))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let items = self.items.as_ref();
        self.flow
            .results_left(items.map_or((0, Some(0)), Input::items_left))
    }
}

impl<I, F, Fut> FusedStream for IterMap<I, F, Fut::Output>
where
    I: Input,
    F: FnMut(I::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    fn is_terminated(&self) -> bool {
        self.items.is_none() && self.flow.unread() == 0
    }
}

impl<I, F, Fut> Gathers for IterMap<I, F, Fut::Output>
where
    I: Input,
    F: FnMut(I::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    type Value = Fut::Output;

    fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let pulled = self.pull(cx);
        self.flow.poll_result(cx, pulled)
    }

    fn gathered(&mut self) -> &mut Vec<Result<Fut::Output, JoinError>> {
        self.gathered.list()
    }

    fn gathered_len(&self) -> usize {
        self.gathered.len()
    }
}

impl<I, F, T> Unpin for IterMap<I, F, T> {}

impl<I, F, Fut> Stream for Batches<IterMap<I, F, Fut::Output>>
where
    I: Input,
    F: FnMut(I::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    type Item = Vec<Result<Fut::Output, JoinError>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_batch(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.batches_left()
    }
}

impl<I, F, Fut> FusedStream for Batches<IterMap<I, F, Fut::Output>>
where
    I: Input,
    F: FnMut(I::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    fn is_terminated(&self) -> bool {
        self.is_over()
    }
}

impl<I, F, T> fmt::Debug for IterMap<I, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IterMap")
            .field("pool", &self.flow.pool().name())
            .field("unread", &self.flow.unread())
            .finish_non_exhaustive()
    }
}
