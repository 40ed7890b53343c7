use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{Reason, Slot, TaskId, TaskLabel, TaskState};

/// A handle that can abort a task, but does not give its result.
///
/// It keeps neither the task nor its result alive, and dropping it does nothing. Made by
/// [`JoinHandle::abort_handle`](crate::JoinHandle::abort_handle).
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

    /// Asks the task to stop, and returns at once. See [`JoinHandle::abort`](crate::JoinHandle::abort).
    pub fn abort(&self) -> bool {
        self.abort_for(Reason::Aborted)
    }

    /// Asks the task to stop, and gives a reason. See [`JoinHandle::abort_with`](crate::JoinHandle::abort_with).
    pub fn abort_with(&self, reason: impl Into<Cow<'static, str>>) -> bool {
        self.abort_for(Reason::explained(reason))
    }

    /// Returns `true` if the task has ended.
    pub fn is_finished(&self) -> bool {
        self.state() == TaskState::Finished
    }

    pub(crate) fn state(&self) -> TaskState {
        self.label.pool_ref().state(self.slot, self.id)
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
        self.label
            .pool_ref()
            .abort(self.slot, self.id.into(), reason)
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
