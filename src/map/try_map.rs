use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::indexed::Indexed;
use super::members::Members;
use super::shed::Shed;
use crate::budget::Pace;
use crate::coop::{self, STEPS_IN_A_POLL};
use crate::error::TryMapError;
use crate::input::{Input, Streamed};
use crate::pool::AioPool;
use crate::task::{AbortOnDrop, JoinHandle, PoolRef, abort_each};
use crate::unwind::discard;

impl AioPool {
    /// Runs a task for each item, and returns the values of all tasks, in the order of the items, or the first failure.
    ///
    /// The first failure (an `Err`, a panic, or a task that is cancelled or rejected) cancels the other tasks: no more
    /// items are pulled, and this returns when all of its tasks have stopped. Items are pulled as for
    /// [`map`](Self::map).
    ///
    /// # Errors
    ///
    /// Returns [`TryMapError::Task`] with the first `Err`, or [`TryMapError::Join`] for a task without a result.
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
    /// use aiopool::{AioPool, TryMapError};
    ///
    /// let pool = AioPool::new(4);
    /// let parse = |word: &'static str| async move { word.parse::<u8>() };
    /// assert_eq!(pool.try_map(["1", "2"], parse).await.unwrap(), [1, 2]);
    ///
    /// let failed = pool.try_map(["1", "x", "3"], parse).await.unwrap_err();
    /// assert!(matches!(failed, TryMapError::Task(_)));
    /// # });
    /// ```
    pub async fn try_map<I, F, Fut, T, E>(
        &self,
        items: I,
        mut f: F,
    ) -> Result<Vec<T>, TryMapError<E>>
    where
        I: IntoIterator,
        F: FnMut(I::Item) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.try_all(&mut items.into_iter(), |item| {
            self.line_up_announced(f(item))
        })
        .await
    }

    /// Runs a task for each item of a stream, and returns the values of all tasks, in the order of the items, or the
    /// first failure.
    ///
    /// This is [`try_map`](Self::try_map) for an input that is a stream: the stream is polled only as permits become
    /// free. A task that fails ends the wait for a stream that is pending.
    ///
    /// For a stream whose items are themselves a [`Result`], see
    /// [`PoolStreamExt::try_map_on`](crate::PoolStreamExt::try_map_on).
    ///
    /// # Errors
    ///
    /// Returns [`TryMapError::Task`] with the first `Err`, or [`TryMapError::Join`] for a task without a result.
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
    /// let parse = |word: &'static str| async move { word.parse::<u8>() };
    /// let numbers = pool.try_map_stream(stream::iter(["1", "2"]), parse).await;
    /// assert_eq!(numbers.unwrap(), [1, 2]);
    ///
    /// let failed = pool.try_map_stream(stream::iter(["1", "x"]), parse).await;
    /// assert!(failed.is_err());
    /// # });
    /// ```
    pub async fn try_map_stream<S, F, Fut, T, E>(
        &self,
        items: S,
        mut f: F,
    ) -> Result<Vec<T>, TryMapError<E>>
    where
        S: Stream,
        F: FnMut(S::Item) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.try_all(&mut Streamed::new(items), |item| {
            self.line_up_announced(f(item))
        })
        .await
    }

    /// Submits a task for each item, whose handle is told when the task starts, until all have ended or one has failed.
    pub(super) async fn try_all<I: Input, T, E>(
        &self,
        input: &mut I,
        submit: impl FnMut(I::Item) -> JoinHandle<Result<T, E>>,
    ) -> Result<Vec<T>, TryMapError<E>> {
        let mut trial = Trial::new(self.pool_ref());
        match trial.run_all(input, submit).await {
            Ok(()) => Ok(trial.values.take().into_iter().flatten().collect()),
            Err(failure) => Err(trial.give_up(failure).await),
        }
    }
}

/// The tasks of a `try_map`, and the values of the tasks that have ended.
struct Trial<T, E> {
    running: Members<Indexed<AbortOnDrop<Result<T, E>>>>,
    pool_ref: Arc<dyn PoolRef>,
    values: Shed<Option<T>>,
}

impl<T, E> Trial<T, E> {
    fn new(pool_ref: Arc<dyn PoolRef>) -> Self {
        Self {
            running: Members::new(),
            pool_ref,
            values: Shed::new(),
        }
    }

    /// Runs a task for each item, until all have ended or one has failed.
    async fn run_all<I: Input>(
        &mut self,
        input: &mut I,
        mut submit: impl FnMut(I::Item) -> JoinHandle<Result<T, E>>,
    ) -> Result<(), TryMapError<E>> {
        // An item is not pulled if a task has failed already.
        while let Some(item) = self.unless_failed(|cx| input.poll_item(cx)).await? {
            let task = submit(item).abort_on_drop();
            let started = self.unless_failed(|cx| task.poll_announced(cx)).await;
            self.add(task);
            started?;
            coop::proceed().await;
        }
        poll_fn(|cx| coop::poll(cx, |cx| self.poll_all(cx))).await
    }

    fn add(&mut self, task: AbortOnDrop<Result<T, E>>) {
        let index = self.values.list().len();
        self.values.push(None);
        let task = Indexed {
            index,
            future: task,
        };
        self.running.push(task, self.pool_ref.clone());
    }

    /// Waits until `ready` returns `Ready`, or a task fails before.
    async fn unless_failed<R>(
        &mut self,
        mut ready: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> Result<R, TryMapError<E>> {
        poll_fn(|cx| match self.poll_all(cx) {
            Poll::Ready(Err(failure)) => Poll::Ready(Err(failure)),
            Poll::Ready(Ok(())) | Poll::Pending => ready(cx).map(Ok),
        })
        .await
    }

    /// Returns `Ready` when all tasks have ended with a value, or one has failed.
    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TryMapError<E>>> {
        let mut budget = coop::steps(STEPS_IN_A_POLL, cx);
        loop {
            let Some((index, result)) = ready!(self.running.poll_next(cx)) else {
                return Poll::Ready(Ok(()));
            };
            match TryMapError::flatten(result) {
                Ok(value) => self.values.list()[index] = Some(value),
                Err(failure) => return Poll::Ready(Err(failure)),
            }
            if !budget.spend(&mut Pace::Short) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Cancels the other tasks: asks all of them to stop, then waits for each.
    async fn give_up(mut self, failure: TryMapError<E>) -> TryMapError<E> {
        let rest: Vec<_> = self
            .running
            .take()
            .map(|task| task.future.detach())
            .collect();
        abort_each(&rest).await;
        for handle in rest {
            discard(handle.await);
        }
        failure
    }
}
