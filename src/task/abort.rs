use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{JoinError, JoinHandle, Reason, Slot, TaskId, TaskLabel, TaskState};
use crate::coop;

/// A handle that can abort a task, but does not give its result.
///
/// It keeps neither the task nor its result alive, and dropping it does nothing. Made by [`JoinHandle::abort_handle`].
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = aiopool::AioPool::new(1);
/// let handle = pool.spawn_n(std::future::pending::<()>());
/// let stop = handle.abort_handle();
/// assert!(stop.abort_with("enough"));
/// assert_eq!(handle.await.unwrap_err().reason(), Some("enough"));
/// assert!(stop.is_finished());
/// # });
/// ```
#[derive(Clone)]
pub struct AbortHandle {
    slot: Slot,
    id: TaskId,
    label: Arc<TaskLabel>,
}

impl AbortHandle {
    pub(crate) fn new(slot: Slot, id: TaskId, label: Arc<TaskLabel>) -> Self {
        Self { slot, id, label }
    }

    /// Asks the task to stop, and returns at once. See [`JoinHandle::abort`].
    pub fn abort(&self) -> bool {
        self.abort_for(Reason::Aborted)
    }

    /// Asks the task to stop, and gives a reason. See [`JoinHandle::abort_with`].
    pub fn abort_with(&self, reason: impl Into<Cow<'static, str>>) -> bool {
        self.abort_for(Reason::explained(reason))
    }

    /// Returns `true` if the task has ended.
    pub fn is_finished(&self) -> bool {
        self.state() == TaskState::Finished
    }

    pub(crate) fn state(&self) -> TaskState {
        self.label.pool_ref.state(self.slot, self.id)
    }

    /// Returns the slot of the task in its pool, and the task's number.
    #[cfg(feature = "control")]
    pub(crate) fn place(&self) -> (Slot, TaskId) {
        (self.slot, self.id)
    }

    /// Returns the number of the task.
    pub fn id(&self) -> TaskId {
        self.id
    }

    fn abort_for(&self, reason: Reason) -> bool {
        self.label.pool_ref.abort(self.slot, self.id.into(), reason)
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A [`JoinHandle`] that aborts its task when it is dropped.
///
/// Made by [`JoinHandle::abort_on_drop`].
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = aiopool::AioPool::new(1);
/// let guard = pool.spawn_n(std::future::pending::<()>()).abort_on_drop();
/// drop(guard);
/// pool.join().await;
/// assert_eq!(pool.stats().cancelled, 1);
/// # });
/// ```
#[must_use = "dropping it aborts the task; `detach` it to let the task run on"]
pub struct AbortOnDrop<T> {
    /// `None` once the handle has been detached.
    handle: Option<JoinHandle<T>>,
}

impl<T> AbortOnDrop<T> {
    pub(crate) fn new(handle: JoinHandle<T>) -> Self {
        Self {
            handle: Some(handle),
        }
    }

    /// Detaches the task from this guard: the task runs on, whatever happens to the returned handle.
    pub fn detach(mut self) -> JoinHandle<T> {
        self.handle
            .take()
            .expect("whoever takes the handle takes all")
    }
}

impl<T> AbortOnDrop<T> {
    /// Waits until the task has a permit, or has ended without one.
    pub(crate) fn poll_announced(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.handle
            .as_ref()
            .map_or(Poll::Ready(()), |handle| handle.poll_announced(cx))
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self
            .handle
            .as_mut()
            .expect("whoever takes the handle takes all");
        Pin::new(handle).poll(cx)
    }
}

impl<T> fmt::Debug for AbortOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AbortOnDrop").field(&self.handle).finish()
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}

/// Asks all these tasks to stop. Waiting tasks are asked first, so that none of them starts when a running one stops.
pub(crate) async fn abort_each<T>(tasks: &[JoinHandle<T>]) {
    let count = tasks.len();
    let abort = |step: usize| {
        let task = &tasks[step % count];
        if step >= count || task.state() == TaskState::Waiting {
            task.abort();
        }
    };
    coop::in_parts(2 * count, abort).await;
}
