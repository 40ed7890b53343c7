use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use super::{Reason, Slot, TaskId, TaskState};

/// A runtime's timer, running.
pub(crate) type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the handles of tasks ask of the pool that keeps them.
pub(crate) trait PoolRef: Send + Sync {
    /// Asks the task to stop. `false`: it had ended, or been asked before.
    fn abort(&self, slot: Slot, id: TaskId, reason: Reason) -> bool;
    fn state(&self, slot: Slot, id: TaskId) -> TaskState;
    /// The waker to leave where somebody waits for this pool: a task of its own lends its permit meanwhile.
    fn waker(&self, cx: &Context<'_>) -> Waker;
    /// Returns whether a task of this pool is being polled on this thread.
    fn is_inside(&self) -> bool;
    /// The time that the task could wait is over.
    fn expire(&self, slot: Slot, id: TaskId);
    /// Starts the runtime's timer.
    ///
    /// # Panics
    ///
    /// Panics if the runtime has none.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// Where a task comes from: its pool, and by which name it is known there.
///
/// One serves all the unnamed tasks of a pool; a named task has its own.
#[derive(Clone)]
pub(crate) struct TaskLabel {
    pub(crate) pool_ref: Arc<dyn PoolRef>,
    pool: Arc<str>,
    task: Option<Cow<'static, str>>,
}

impl TaskLabel {
    pub(crate) fn new(pool_ref: Arc<dyn PoolRef>, pool: Arc<str>) -> Self {
        let task = None;
        Self {
            pool_ref,
            pool,
            task,
        }
    }

    /// The same for one task with a name of its own.
    pub(crate) fn named(&self, name: Cow<'static, str>) -> Self {
        let task = Some(name);
        Self {
            task,
            ..self.clone()
        }
    }

    pub(crate) fn pool_name(&self) -> &str {
        &self.pool
    }

    pub(crate) fn task_name(&self, id: TaskId) -> Cow<'_, str> {
        match &self.task {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("{}-{id}", self.pool)),
        }
    }
}

impl fmt::Debug for TaskLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskLabel").field(&self.pool).finish()
    }
}
