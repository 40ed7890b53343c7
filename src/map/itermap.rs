use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::ahead::{Pull, Pulled};
use super::batches::{Batches, Gathers, ReturnWhen};
use super::flow::Flow;
use super::shed::Shed;
use crate::coop;
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
        IterMap {
            flow: Flow::new(self, SPARE),
            items: Some(items.into_iter()),
            f,
            gathered: Shed::new(),
        }
    }
}

/// Number of items that are pulled beyond what the pool can run. Their tasks can start while the reader is not polled.
const SPARE: usize = 16;

/// The results of [`AioPool::itermap`], as a stream in the order in which the tasks end.
///
/// Dropping it aborts the tasks whose results were not read.
///
/// # Panics
///
/// Polling it passes on a panic of the iterator or the closure. It may be polled again after that.
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
    /// `None` once the iterator has ended.
    items: Option<I>,
    f: F,
    /// The results of the next batch.
    gathered: Shed<Result<T, JoinError>>,
}

impl<I, F, T> IterMap<I, F, T> {
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
        assert!(
            items > 0,
            "a buffer of 0 would never pull an item: the least is 1"
        );
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

impl<I, F, Fut> IterMap<I, F, Fut::Output>
where
    I: Iterator,
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

    /// Pulls and submits items, up to the limit of unread results and the limit of one poll.
    fn pull(&mut self, cx: &Context<'_>) -> Pulled {
        let mut pull = Pull::new(cx);
        while let Some(items) = &mut self.items {
            if !self.flow.wants_item() {
                return Pulled::Enough;
            }
            if pull.is_over() {
                return Pulled::Some;
            }
            match items.next() {
                Some(item) => self.flow.spawn((self.f)(item)),
                None => self.items = None,
            }
        }
        Pulled::All
    }
}

impl<I, F, Fut> Stream for IterMap<I, F, Fut::Output>
where
    I: Iterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    type Item = Result<Fut::Output, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        coop::poll(cx, |cx| self.poll_result(cx))
    }
}

impl<I, F, Fut> Gathers for IterMap<I, F, Fut::Output>
where
    I: Iterator,
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
}

impl<I, F, T> Unpin for IterMap<I, F, T> {}

impl<I, F, T> fmt::Debug for IterMap<I, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IterMap")
            .field("pool", &self.flow.pool().name())
            .field("unread", &self.flow.unread())
            .finish_non_exhaustive()
    }
}
