use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::indexed::Indexed;
use super::look::{Look, look};
use super::members::Members;
use super::return_when::ReturnWhen;
use super::shed::Shed;
use crate::coop;
use crate::task::{JoinError, JoinHandle, Sleep};

/// The result of [`wait`].
pub struct Waited<T> {
    /// The results that are there, in the order in which the tasks ended. Each comes with the index of its handle.
    pub done: Vec<(usize, Result<T, JoinError>)>,
    /// The handles whose results are not there, in their original order.
    pub pending: Vec<JoinHandle<T>>,
}

/// Waits until enough of these handles have their results, or the time is over.
///
/// Returns the results and the other handles. No task is cancelled. A result that is ready when the timer is seen to
/// have run out is among the results, also with a `timeout` of 0.
///
/// # Panics
///
/// Panics if a `timeout` is given and the runtime has no timer.
///
/// # Cancel safety
///
/// Dropping the future detaches the tasks. Their results are lost.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::{AioPool, ReturnWhen, wait};
///
/// let pool = AioPool::new(2);
/// let never = pool.spawn_n(std::future::pending::<i32>());
/// let soon = pool.spawn_n(async { 1 });
/// let waited = wait(vec![never, soon], ReturnWhen::FirstCompleted, None).await;
/// assert_eq!(waited.done[0].0, 1);
/// assert_eq!(waited.pending.len(), 1);
/// # });
/// ```
pub async fn wait<T>(
    handles: Vec<JoinHandle<T>>,
    until: ReturnWhen,
    timeout: Option<Duration>,
) -> Waited<T> {
    let mut timer = handles
        .first()
        .zip(timeout)
        .map(|(handle, limit)| handle.pool_ref().sleep(limit));
    let mut waiting = Waiting::new(handles);
    poll_fn(|cx| coop::poll(cx, |cx| waiting.poll(until, &mut timer, cx))).await;
    waiting.into_waited()
}

struct Waiting<T> {
    pending: Members<Indexed<JoinHandle<T>>>,
    done: Shed<(usize, Result<T, JoinError>)>,
    failed: bool,
    /// Whether the time is over.
    late: bool,
}

impl<T> Waiting<T> {
    fn new(handles: Vec<JoinHandle<T>>) -> Self {
        let mut pending = Members::new();
        for (index, future) in handles.into_iter().enumerate() {
            let pool_ref = future.pool_ref();
            pending.push(Indexed { index, future }, pool_ref);
        }
        Self {
            pending,
            done: Shed::new(),
            failed: false,
            late: false,
        }
    }

    fn poll(
        &mut self,
        until: ReturnWhen,
        timer: &mut Option<Sleep>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            match look(cx, |cx| self.take(cx)) {
                Look::Ended => return Poll::Ready(()),
                Look::Broken => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Look::Dry if self.late || self.is_enough(until) => return Poll::Ready(()),
                Look::Dry => {}
            }
            let Some(timer) = timer else {
                return Poll::Pending;
            };
            ready!(timer.as_mut().poll(cx));
            // The results that are ready by now are taken once more: they come before the end of the time.
            self.late = true;
        }
    }

    fn take(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.pending.poll_next(cx).map(|next| {
            let (index, result) = next?;
            self.failed |= result.is_err();
            self.done.push((index, result));
            Some(())
        })
    }

    fn is_enough(&mut self, until: ReturnWhen) -> bool {
        let has_some = !self.done.list().is_empty();
        until.is_met(has_some, self.failed)
    }

    fn into_waited(mut self) -> Waited<T> {
        let mut pending: Vec<_> = self.pending.take().collect();
        pending.sort_by_key(|handle| handle.index);
        let pending = pending.into_iter().map(|handle| handle.future).collect();
        Waited {
            done: self.done.take(),
            pending,
        }
    }
}

impl<T> fmt::Debug for Waited<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waited")
            .field("done", &self.done.len())
            .field("pending", &self.pending.len())
            .finish()
    }
}
