use std::future::poll_fn;
use std::panic::Location;

use futures_core::Stream;

use super::shed::Shed;
use crate::coop;
use crate::input::{Input, Streamed};
use crate::pool::AioPool;
use crate::task::{JoinError, JoinHandle};

/// Methods that run many tasks.
impl AioPool {
    /// Runs a task for each item, and returns all results, in the order of the items.
    ///
    /// Items are pulled, and their futures made, only as permits become free, so a long or costly input is never far
    /// ahead of the tasks. An error is a result like any other; see [`try_map`](Self::try_map) to stop at the first
    /// error. At most one task waits in the queue, even where the queue has a [bound](crate::Builder::max_waiting) and
    /// is full: no item is refused for want of room.
    ///
    /// Use [`itermap`](Self::itermap) to read results while tasks run, and
    /// [`map_n`](Self::map_n) to submit all at once.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `items` or `f`. The tasks that were started are then aborted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future aborts the tasks that it has started, since their results could not be read any more.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let lengths = pool.map(["a", "bb", "ccc"], |word| async move { word.len() }).await;
    /// let lengths: Vec<_> = lengths.into_iter().map(Result::unwrap).collect();
    /// assert_eq!(lengths, [1, 2, 3]);
    /// # });
    /// ```
    pub async fn map<I, F, Fut>(&self, items: I, mut f: F) -> Vec<Result<Fut::Output, JoinError>>
    where
        I: IntoIterator,
        F: FnMut(I::Item) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        self.run_all(&mut items.into_iter(), |item| {
            self.line_up_announced(f(item))
        })
        .await
    }

    /// Runs a task for each item of a stream, and returns all results, in the order of the items.
    ///
    /// This is [`map`](Self::map) for an input that is a stream: the stream is polled only as permits become free. It
    /// may be pending for any time, while the tasks that were started run on.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `items` or `f`. The tasks that were started are then aborted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future aborts the tasks that it has started, since their results could not be read any more.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use futures::stream;
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let words = stream::iter(["a", "bb", "ccc"]);
    /// let lengths = pool.map_stream(words, |word| async move { word.len() }).await;
    /// let lengths: Vec<_> = lengths.into_iter().map(Result::unwrap).collect();
    /// assert_eq!(lengths, [1, 2, 3]);
    /// # });
    /// ```
    pub async fn map_stream<S, F, Fut>(
        &self,
        items: S,
        mut f: F,
    ) -> Vec<Result<Fut::Output, JoinError>>
    where
        S: Stream,
        F: FnMut(S::Item) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        self.run_all(&mut Streamed::new(items), |item| {
            self.line_up_announced(f(item))
        })
        .await
    }

    /// Submits a task for each item, whose handle is told when the task starts, and returns all results.
    pub(super) async fn run_all<I: Input, T>(
        &self,
        input: &mut I,
        mut submit: impl FnMut(I::Item) -> JoinHandle<T>,
    ) -> Vec<Result<T, JoinError>> {
        let mut started = Shed::new();
        while let Some(item) = poll_fn(|cx| input.poll_item(cx)).await {
            let task = submit(item).abort_on_drop();
            poll_fn(|cx| task.poll_announced(cx)).await;
            started.push(task);
            coop::proceed().await;
        }
        let mut results = Shed::new();
        coop::proceed().await;
        for task in started.list() {
            results.push(task.await);
        }
        results.take()
    }

    /// Submits a task for each item at once, and returns the handles in the order of the items.
    ///
    /// Each task is submitted as by [`spawn_n`](Self::spawn_n). The input must end.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `items` or `f`. The tasks submitted before it run on.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let handles = pool.map_n(1..=3, |n| async move { n * n });
    /// let mut sum = 0;
    /// for handle in handles {
    ///     sum += handle.await.unwrap();
    /// }
    /// assert_eq!(sum, 14);
    /// # });
    /// ```
    #[track_caller]
    pub fn map_n<I, F, Fut>(&self, items: I, mut f: F) -> Vec<JoinHandle<Fut::Output>>
    where
        I: IntoIterator,
        F: FnMut(I::Item) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let location = Location::caller();
        items
            .into_iter()
            .map(|item| self.spawn_n_at(location, f(item)))
            .collect()
    }

    /// Submits `copies` tasks from the same function at once.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `f`. The tasks submitted before it run on.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let handles = pool.apply(10, || async { 1 });
    /// assert_eq!(handles.len(), 10);
    /// # });
    /// ```
    #[track_caller]
    pub fn apply<F, Fut>(&self, copies: usize, mut f: F) -> Vec<JoinHandle<Fut::Output>>
    where
        F: FnMut() -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        self.map_n(0..copies, |_| f())
    }
}
