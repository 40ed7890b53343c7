use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::batches::{Batches, Gathers, ReturnWhen};
use super::completion::Completion;
use super::shed::Shed;
use crate::pool::AioPool;
use crate::task::{AbortOnDrop, JoinError, JoinHandle};
use crate::unwind::discard;

impl AioPool {
    /// Runs a task for each item, and gives their results as they come.
    ///
    /// Nothing happens before the first poll; then all items are submitted.
    /// [`buffer`](IterMap::buffer) bounds that, for long or endless inputs.
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
    /// let mut squares = pool.itermap(0.., |n: u64| async move { n * n }).buffer(8).ordered();
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
        let running = Running::Completion(Completion::new(self));
        let items = Some(items.into_iter());
        IterMap {
            pool: self.clone(),
            items,
            f,
            ahead: usize::MAX,
            running,
            gathered: Shed::new(),
        }
    }
}

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
    pool: AioPool,
    /// `None` once it has ended.
    items: Option<I>,
    f: F,
    /// How many may be pulled and not yet read.
    ahead: usize,
    running: Running<T>,
    /// Results for the batch to come.
    gathered: Shed<Result<T, JoinError>>,
}

/// The tasks whose results were not read, by the order in which they will be.
enum Running<T> {
    Completion(Completion<T>),
    Input(VecDeque<AbortOnDrop<T>>),
}

impl<I, F, T> IterMap<I, F, T> {
    /// Gives the results in the order of the items.
    pub fn ordered(mut self) -> Self {
        if let Running::Completion(tasks) = &mut self.running {
            let handles = std::mem::replace(tasks, Completion::new(&self.pool)).into_handles();
            self.running =
                Running::Input(handles.into_iter().map(JoinHandle::abort_on_drop).collect());
        }
        self
    }

    /// Pulls at most `items` that are not yet read: each result read makes room for one more.
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
        self.ahead = items;
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
        let keeper = self.pool.keeper();
        Batches::new(self, until, Some(keeper))
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

    /// Submits as many items as may be ahead of the reader.
    fn pull(&mut self) {
        while self.running.len() < self.ahead {
            let Some(item) = self.items.as_mut().and_then(Iterator::next) else {
                self.items = None;
                return;
            };
            self.running.spawn(&self.pool, (self.f)(item));
        }
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
        self.pull();
        self.running.poll_next(cx)
    }
}

impl<T> Running<T> {
    fn len(&self) -> usize {
        match self {
            Self::Completion(tasks) => tasks.len(),
            Self::Input(tasks) => tasks.len(),
        }
    }

    fn spawn<Fut>(&mut self, pool: &AioPool, future: Fut)
    where
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        match self {
            Self::Completion(tasks) => tasks.spawn(pool, future),
            Self::Input(tasks) => tasks.push_back(pool.spawn_n(future).abort_on_drop()),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        let tasks = match self {
            Self::Completion(tasks) => return tasks.poll_next(cx),
            Self::Input(tasks) => tasks,
        };
        let Some(first) = tasks.front_mut() else {
            return Poll::Ready(None);
        };
        let result = ready!(Pin::new(first).poll(cx));
        tasks.pop_front();
        Poll::Ready(Some(result))
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        // From the last on, as in `Completion`.
        if let Self::Input(tasks) = self {
            while let Some(task) = tasks.pop_back() {
                discard(task);
            }
        }
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

    fn gathered(&mut self) -> &mut Vec<Result<Fut::Output, JoinError>> {
        self.gathered.list()
    }
}

impl<I, F, T> Unpin for IterMap<I, F, T> {}

impl<I, F, T> fmt::Debug for IterMap<I, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IterMap")
            .field("pool", &self.pool.name())
            .field("unread", &self.running.len())
            .finish_non_exhaustive()
    }
}
