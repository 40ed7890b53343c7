use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{JoinError, JoinHandle, TaskState};
use crate::coop;

impl<T> JoinHandle<T> {
    /// Binds the task to its handle: dropping the returned handle aborts the task.
    pub fn abort_on_drop(self) -> AbortOnDrop<T> {
        AbortOnDrop { handle: Some(self) }
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
        if let Some(handle) = self.handle.as_ref().filter(|handle| !handle.is_finished()) {
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
