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
pub(crate) struct TaskLabel {
    pool: Arc<PoolLabel>,
    task: Option<Cow<'static, str>>,
    pub(crate) tag: Option<Tag>,
}

/// What the labels of all tasks of a pool or a group share.
struct PoolLabel {
    pool_ref: Arc<dyn PoolRef>,
    name: Arc<str>,
}

impl TaskLabel {
    pub(crate) fn new(pool_ref: Arc<dyn PoolRef>, name: Arc<str>) -> Self {
        let pool = Arc::new(PoolLabel { pool_ref, name });
        let (task, tag) = (None, None);
        Self { pool, task, tag }
    }

    /// Returns the label for a task with a name or a tag of its own.
    pub(crate) fn own(&self, task: Option<Cow<'static, str>>, tag: Option<Tag>) -> Self {
        let pool = self.pool.clone();
        Self { pool, task, tag }
    }

    pub(crate) fn pool_ref(&self) -> &Arc<dyn PoolRef> {
        &self.pool.pool_ref
    }

    pub(crate) fn pool_name(&self) -> &str {
        &self.pool.name
    }

    /// Returns the name of a task that has one of its own.
    pub(crate) fn own_name(&self) -> Option<&str> {
        self.task.as_deref()
    }

    pub(crate) fn task_name(&self, id: TaskId) -> Cow<'_, str> {
        match &self.task {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("{}-{id}", self.pool.name)),
        }
    }
}

impl fmt::Debug for TaskLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskLabel").field(&self.pool.name).finish()
    }
}
