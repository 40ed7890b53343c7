use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::pool::{AioPool, Core};
use crate::task::{TaskId, TaskLabel};
use crate::worker::{NestedWaits, WorkerShared, running};

/// Returns the task that is running here, or `None` outside of a pool's tasks.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = aiopool::AioPool::builder().name("demo").build().unwrap();
/// let handle = pool.spawn_n(async { aiopool::current().unwrap().name().into_owned() });
/// assert_eq!(handle.await.unwrap(), "demo-0");
/// assert!(aiopool::current().is_none());
/// # });
/// ```
pub fn current() -> Option<Current> {
    let worker = running()?;
    Core::of(&worker)?.current(&worker)
}

/// What a task can know about itself. Returned by [`current`].
///
/// It may be stored and sent elsewhere. It keeps the pool, as any handle of the pool does, and nothing of the task.
pub struct Current {
    id: TaskId,
    /// The label of the task, if the task has a name of its own.
    label: Option<Arc<TaskLabel>>,
    pool: AioPool,
    nested_waits: Arc<NestedWaits>,
}

impl Current {
    /// Returns the number of the task.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Returns the name of the task: its own, or `"{pool}-{id}"`.
    pub fn name(&self) -> Cow<'_, str> {
        match &self.label {
            Some(label) => label.task_name(self.id),
            None => Cow::Owned(format!("{}-{}", self.pool.name(), self.id)),
        }
    }

    /// Returns the pool or the group that the task was submitted to.
    pub fn pool(&self) -> AioPool {
        self.pool.clone()
    }

    /// Returns `true` if the task has been asked to stop, or is over.
    ///
    /// A task can see this if it has a [`grace`](crate::TaskBuilder::grace), or is [blocking](AioPool::spawn_blocking).
    /// Other tasks are dropped at once.
    pub fn is_aborted(&self) -> bool {
        self.nested_waits.is_aborted()
    }

    /// Tells an [adaptive](crate::Builder::adaptive) pool that what this task calls is overloaded: the size of the pool
    /// shrinks when the task ends, as if the task had failed. In other pools this does nothing.
    pub fn report_overload(&self) {
        self.nested_waits.report_overload();
    }

    /// Waits until the task is asked to stop, or is over.
    ///
    /// # Cancel safety
    ///
    /// This future may be dropped at any time. Nothing is lost.
    pub async fn aborted(&self) {
        self.nested_waits.aborted().await;
    }
}

impl Core {
    /// Returns the pool of the worker's task.
    pub(crate) fn of(worker: &WorkerShared) -> Option<&Self> {
        worker.scheduler().as_any().downcast_ref()
    }

    fn current(&self, worker: &Arc<WorkerShared>) -> Option<Current> {
        let slot = worker.slot();
        let mut state = self.lock();
        let id = state.gate.id(slot)?;
        let nested_waits = worker.nested_waits();
        let label = state.records.label(slot).cloned();
        let home = state.gate.home(slot);
        let pool = self.handle(&mut state, home);
        Some(Current {
            id,
            label,
            pool,
            nested_waits,
        })
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current")
            .field("id", &self.id)
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}
