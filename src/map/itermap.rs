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
    /// Runs a task for each item, and gives their results as they come.
    ///
    /// Nothing happens before the first poll. Then items are pulled as results are read, however many there are:
    /// those that are not read yet are never more than the pool can run at once, and 16. In a group or a
    /// [`scope`](Self::scope), that is the least [`size`](Self::size) on the way through the pools around it;
    /// where none of them has a size, it is 1024. A [`resize`](Self::resize) is followed at once.
    /// [`buffer`](IterMap::buffer) sets another number. One poll pulls some tens of items at most, and has itself
    /// polled again if there are more to come.
    ///
    /// In a pool whose queue has a bound ([`max_waiting`](crate::Builder::max_waiting)), an item is pulled when
    /// there is room for its task. If others fill the queue, one task stands in it all the same, as for a
    /// [`feed`](Self::feed). So none is refused.
    ///
    /// The tasks run on while nobody polls the stream. In a closed pool every item
    /// is [rejected](JoinError::is_rejected), so that an endless input gives no end.
    ///
    /// Use [`map`](Self::map) to wait for all results, in order.
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

/// So many more items are pulled than the pool can run: tasks that start while the reader is away.
const SPARE: usize = 16;

/// The results of [`AioPool::itermap`]: a stream, in the order in which the tasks end.
///
/// Dropping it aborts those of its tasks whose results were not read.
///
/// # Panics
///
/// Polling it passes on a panic of the iterator or the closure. It may be polled on after that.
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
    /// `None` once it has ended.
    items: Option<I>,
    f: F,
    /// Results for the batch to come.
    gathered: Shed<Result<T, JoinError>>,
}

impl<I, F, T> IterMap<I, F, T> {
    /// Gives the results in the order of the items.
    pub fn ordered(mut self) -> Self {
        self.flow.put_in_order();
        self
    }

    /// Pulls at most `items` that are not yet read: each result read makes room for one more.
    ///
    /// Without this, that follows the [size](AioPool::itermap) of the pool. `buffer(usize::MAX)` parks all items,
    /// some tens at each poll.
    ///
    /// # Panics
    ///
    /// Panics if it is 0: nothing would ever be pulled.
    #[track_caller]
    pub fn buffer(mut self, items: usize) -> Self {
        assert!(
            items > 0,
            "a buffer of 0 would never pull an item: the least is 1"
        );
        self.flow.fix(items);
        self
    }

    /// Gives results in batches: as many as there are when `until` is true.
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
    /// Waits for the next result; `None` when all have been read.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any time. No result is lost.
    pub async fn next(&mut self) -> Option<Result<Fut::Output, JoinError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Submits as many items as may be ahead of the reader, and as one poll may pull.
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
