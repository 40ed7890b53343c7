use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{
    AbortHandle, Failure, JoinError, Outcome, PoolRef, Reason, Shared, Slot, TaskId, TaskLabel,
    TaskState,
};
use crate::coop;

/// A handle to a task: await it for the result, read the state of the task, or abort the task.
///
/// The result is set exactly once, whatever happens to the task, its pool or its runtime. At that time the task's
/// future has been dropped, its permit has passed on, and the pool's counters include the end of the task.
///
/// Dropping the handle detaches the task, which runs on. Its result cannot be read then, and is dropped before the task
/// counts as ended. See [`abort_on_drop`](Self::abort_on_drop) for the opposite.
///
/// # Cancel safety
///
/// A future that awaits `&mut handle` may be dropped and begun again: nothing is lost. A task that awaits one ready
/// handle after the other yields now and then.
///
/// # Panics
///
/// Polling the handle again after it has given its result panics.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = aiopool::AioPool::new(2);
/// let handle = pool.spawn_n(async { 6 * 7 });
/// assert_eq!(handle.await.unwrap(), 42);
/// # });
/// ```
pub struct JoinHandle<T> {
    task: Arc<Shared<T>>,
    label: Arc<TaskLabel>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(task: Arc<Shared<T>>, label: Arc<TaskLabel>) -> Self {
        Self { task, label }
    }

    /// Returns the number of the task: 0, 1, 2 … in order of submission.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    /// Returns the name of the task: its own, or `"{pool}-{id}"`.
    pub fn name(&self) -> Cow<'_, str> {
        self.label.task_name(self.id())
    }

    /// Returns the state of the task.
    pub fn state(&self) -> TaskState {
        let state = self.label.pool_ref().state(self.slot(), self.id());
        match state {
            // The task has been taken out of the queue and is about to end, but its handle does not have the result
            // yet.
            TaskState::Finished if !self.is_finished() => TaskState::Active,
            _ => state,
        }
    }

    /// Returns `true` if the task has ended, in whatever way.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Returns the result if the task has ended. The result is returned only once.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let mut handle = pool.spawn_n(async { 1 });
    /// pool.join().await;
    /// assert_eq!(handle.try_join().unwrap().unwrap(), 1);
    /// assert!(handle.try_join().is_none());
    /// # });
    /// ```
    pub fn try_join(&mut self) -> Option<Result<T, JoinError>> {
        let outcome = self.task.take()?;
        Some(self.result(outcome))
    }

    /// Asks the task to stop, and returns at once.
    ///
    /// A waiting task leaves the queue, and its future is dropped during this call. The future of an active task is
    /// dropped by its worker, at a poll that this call causes. If the future completes before that, its value wins.
    ///
    /// Returns `false` if the task had ended, or had been asked before.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let active = pool.spawn(std::future::pending::<()>()).await;
    /// let waiting = pool.spawn_n(async { 1 });
    /// assert!(waiting.abort() && waiting.is_finished());
    /// assert!(active.abort());
    /// assert!(!active.abort(), "it has been asked before");
    /// assert!(active.await.unwrap_err().is_cancelled());
    /// # });
    /// ```
    pub fn abort(&self) -> bool {
        self.abort_for(Reason::Aborted)
    }

    /// Asks the task to stop, and gives a reason, which [`JoinError::reason`] returns.
    pub fn abort_with(&self, reason: impl Into<Cow<'static, str>>) -> bool {
        self.abort_for(Reason::explained(reason))
    }

    /// Asks the task to stop, and waits until its future has been dropped.
    ///
    /// Returns the task's value if it had ended before.
    ///
    /// # Errors
    ///
    /// Returns the error of the task, most often one with [`JoinError::is_cancelled`].
    ///
    /// # Cancel safety
    ///
    /// The task is asked at the first poll. If this future is dropped after that, it only stops waiting.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let never = pool.spawn_n(std::future::pending::<()>());
    /// assert!(never.cancel().await.unwrap_err().is_cancelled());
    /// assert!(pool.is_empty(), "its future has been dropped");
    /// # });
    /// ```
    pub async fn cancel(self) -> Result<T, JoinError> {
        self.abort();
        self.await
    }

    /// Returns a handle that can abort the task from anywhere, any number of times.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle::new(self.slot(), self.id(), self.label.clone())
    }

    /// Waits until the task has a permit, or has ended without one.
    pub(crate) fn poll_announced(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.task.poll_announced(cx, &self.label)
    }

    /// Returns the slot of the task in the pool's register, until the task has ended.
    pub(crate) fn slot(&self) -> Slot {
        if self.task.slot() == Some(Slot::NOWHERE) {
            self.label.pool_ref().settle();
        }
        self.task.slot().unwrap_or(Slot::NOWHERE)
    }

    /// Returns the pool of the task.
    pub(crate) fn pool_ref(&self) -> Arc<dyn PoolRef> {
        self.label.pool_ref().clone()
    }

    fn abort_for(&self, reason: Reason) -> bool {
        self.label
            .pool_ref()
            .abort(self.slot(), self.id().into(), reason)
    }

    fn result(&self, outcome: Outcome<T>) -> Result<T, JoinError> {
        match outcome {
            Outcome::Value(value) => Ok(value),
            Outcome::Failed(failure) => Err(self.error(failure.unpack())),
        }
    }

    fn error(&self, failure: Failure) -> JoinError {
        JoinError::new(self.id(), self.label.clone(), failure)
    }
}

impl<T> Unpin for JoinHandle<T> {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        coop::poll(cx, |cx| self.task.poll_outcome(cx, &self.label))
            .map(|outcome| self.result(outcome))
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .field("finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

impl<T> Drop for JoinHandle<T> {
    /// Takes the waker out, since nothing waits here any more. This tells a task of the pool that its nested wait is
    /// over.
    #[inline]
    fn drop(&mut self) {
        self.task.hush();
    }
}
