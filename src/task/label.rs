use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::{EntryId, Reason, Slot, Tag, TaskId, TaskState};

/// A timer of a runtime that has been started.
pub(crate) type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The pool of a task, as the handles of the task see it.
pub(crate) trait PoolRef: Send + Sync {
    /// Asks the task to stop. Returns `false` if the task had ended, or had been asked before.
    fn abort(&self, slot: Slot, id: EntryId, reason: Reason) -> bool;
    /// Gives their slots to the tasks that were submitted and have none yet.
    fn settle(&self);
    fn state(&self, slot: Slot, id: TaskId) -> TaskState;
    /// Returns the waker to leave where the current future waits for this pool. In a task of this pool, the waker makes
    /// the task lend its permit during the wait.
    fn waker(&self, cx: &Context<'_>) -> Waker;
    /// Returns `true` if a task of this pool is being polled on this thread.
    fn is_inside(&self) -> bool;
    /// Ends the task if it still waits, since the time that it was allowed to wait is over.
    fn expire(&self, slot: Slot, id: TaskId);
    /// Returns the time of the runtime's clock.
    fn clock_time(&self) -> Instant;
    /// Starts a timer of the runtime.
    ///
    /// # Panics
    ///
    /// Panics if the runtime has no timer.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The pool of a task, and the names for messages about the task.
///
/// All tasks of a pool share one label, but for those with a name or a tag, which have their own.
pub(crate) enum TaskLabel {
    OfPool {
        pool_ref: Arc<dyn PoolRef>,
        name: Arc<str>,
    },
    Own {
        of_pool: Arc<Self>,
        task: Option<Cow<'static, str>>,
        tag: Option<Tag>,
    },
}

impl TaskLabel {
    pub(crate) fn new(pool_ref: Arc<dyn PoolRef>, name: Arc<str>) -> Self {
        Self::OfPool { pool_ref, name }
    }

    /// Returns the label for a task of this pool with a name or a tag of its own.
    pub(crate) fn own(self: &Arc<Self>, task: Option<Cow<'static, str>>, tag: Option<Tag>) -> Self {
        let of_pool = self.clone();
        Self::Own { of_pool, task, tag }
    }

    pub(crate) fn pool_ref(&self) -> &Arc<dyn PoolRef> {
        match self {
            Self::OfPool { pool_ref, .. } => pool_ref,
            Self::Own { of_pool, .. } => of_pool.pool_ref(),
        }
    }

    pub(crate) fn pool_name(&self) -> &str {
        match self {
            Self::OfPool { name, .. } => name,
            Self::Own { of_pool, .. } => of_pool.pool_name(),
        }
    }

    /// Returns the name of a task that has one of its own.
    pub(crate) fn own_name(&self) -> Option<&str> {
        match self {
            Self::OfPool { .. } => None,
            Self::Own { task, .. } => task.as_deref(),
        }
    }

    pub(crate) fn tag(&self) -> Option<&Tag> {
        match self {
            Self::OfPool { .. } => None,
            Self::Own { tag, .. } => tag.as_ref(),
        }
    }

    pub(crate) fn task_name(&self, id: TaskId) -> Cow<'_, str> {
        match self.own_name() {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("{}-{id}", self.pool_name())),
        }
    }
}

impl fmt::Debug for TaskLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskLabel").field(&self.pool_name()).finish()
    }
}
