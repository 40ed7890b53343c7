//! A pool of copies of one function, started and stopped by number.

mod maker;
#[cfg(feature = "control")]
mod newest;
#[cfg(test)]
mod tests;

use std::fmt;

use self::maker::Maker;
use crate::lock::Lock;
use crate::pool::AioPool;
use crate::task::{AbortHandle, TaskId, TaskState};

/// A pool of tasks that all run the same function. The number of its tasks is changed on demand.
///
/// The results of the tasks are dropped: the tasks affect the rest of the program only by what they do. Use
/// [`apply`](AioPool::apply) for copies whose results matter.
///
/// # Dropping
///
/// Dropping the pool of copies does not stop its tasks: they run on.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::{AioPool, SimpleTaskPool};
///
/// let workers = SimpleTaskPool::new(AioPool::new(10), || std::future::pending::<()>());
/// let started = workers.start(3);
/// let stopped = workers.stop(1);
/// assert_eq!(stopped, started[2..]);      // the newest first
/// workers.stop_all();
/// workers.pool().join().await;
/// assert_eq!(workers.running(), 0);
/// # });
/// ```
pub struct SimpleTaskPool<F> {
    pool: AioPool,
    maker: Maker<F>,
    tasks: Lock<Started>,
}

/// The tasks that may not have ended yet, in order of submission.
#[derive(Default)]
struct Started {
    tasks: Vec<AbortHandle>,
    /// Number of tasks that were left when the ended ones were last removed.
    left: usize,
}

impl<F, Fut> SimpleTaskPool<F>
where
    F: FnMut() -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    /// Makes a `SimpleTaskPool` that runs its tasks in `pool`. Other code may use `pool` too.
    pub fn new(pool: AioPool, f: F) -> Self {
        Self {
            pool,
            maker: Maker::new(f),
            tasks: Lock::default(),
        }
    }

    /// Spawns `n` more tasks, and returns their numbers. A task that gets no permit waits.
    ///
    /// A task that the pool refuses, because it is closed or full, is among them too, and has ended already.
    ///
    /// The function is called during this call, once for each task. If several threads start tasks, one thread at a
    /// time calls the function.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the function; the tasks before it have been started. Panics if the function itself calls
    /// this.
    pub fn start(&self, n: usize) -> Vec<TaskId> {
        (0..n).map(|_| self.start_one(self.make())).collect()
    }

    /// Calls the function, and puts it back before the task is spawned: a runtime may poll the task during the spawn,
    /// and the task may start others.
    fn make(&self) -> Fut {
        let mut function = self.maker.take();
        function.make()
    }

    fn start_one(&self, future: Fut) -> TaskId {
        let task = self.pool.spawn_n(future).abort_handle();
        let id = task.id();
        let ended = self.tasks.lock().add(task);
        drop(ended);
        id
    }

    /// Asks `n` tasks to stop, and returns the numbers of the tasks that were asked, in the order of asking: first the
    /// waiting tasks, from the newest to the oldest, then the running tasks, from the newest to the oldest.
    ///
    /// Tasks that had been asked before do not count. If `n` is greater than the number of tasks, all are asked.
    pub fn stop(&self, n: usize) -> Vec<TaskId> {
        let tasks = self.living();
        // The state of each task is read only once, since it may change meanwhile.
        let waits = |task: &&AbortHandle| task.state() == TaskState::Waiting;
        let (waiting, others): (Vec<_>, Vec<_>) = tasks.iter().rev().partition(waits);
        let asked = waiting
            .into_iter()
            .chain(others)
            .filter(|task| task.abort());
        asked.take(n).map(AbortHandle::id).collect()
    }

    /// Asks all tasks to stop. See [`stop`](Self::stop).
    pub fn stop_all(&self) -> Vec<TaskId> {
        self.stop(usize::MAX)
    }

    /// Returns the numbers of the tasks that have not ended, in order of submission.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, SimpleTaskPool};
    ///
    /// let workers = SimpleTaskPool::new(AioPool::new(1), || std::future::pending::<()>());
    /// let started = workers.start(2); // one runs, one waits
    /// assert_eq!(workers.ids(), started);
    /// # workers.stop_all();
    /// # });
    /// ```
    pub fn ids(&self) -> Vec<TaskId> {
        self.living().iter().map(AbortHandle::id).collect()
    }

    /// Returns the number of tasks that are active.
    pub fn running(&self) -> usize {
        let tasks = self.living();
        let active = tasks
            .iter()
            .filter(|task| task.state() == TaskState::Active);
        active.count()
    }

    /// Returns the tasks that have not ended, and forgets the others.
    pub(crate) fn living(&self) -> Vec<AbortHandle> {
        let mut started = self.tasks.lock();
        let ended = started.sweep();
        let living = started.tasks.clone();
        drop(started);
        drop(ended);
        living
    }

    /// Returns the pool that runs the tasks.
    pub fn pool(&self) -> &AioPool {
        &self.pool
    }
}

impl Started {
    /// Adds a task. Once the ended tasks may be as many as the others, removes the ended tasks and returns them.
    ///
    /// The caller drops them when the lock is released.
    fn add(&mut self, task: AbortHandle) -> Vec<AbortHandle> {
        // Another thread may have added a newer task first.
        let index = self.before(Some(task.id())).len();
        self.tasks.insert(index, task);
        if self.tasks.len() < 2 * self.left + KEPT {
            return Vec::new();
        }
        self.sweep()
    }

    /// Returns the tasks that were submitted before this one, or all tasks.
    fn before(&self, id: Option<TaskId>) -> &[AbortHandle] {
        let older = |task: &AbortHandle| id.is_none_or(|id| task.id() < id);
        &self.tasks[..self.tasks.partition_point(older)]
    }

    /// Removes the tasks that have ended, and returns them.
    fn sweep(&mut self) -> Vec<AbortHandle> {
        let tasks = std::mem::take(&mut self.tasks);
        let (ended, living) = tasks.into_iter().partition(AbortHandle::is_finished);
        self.tasks = living;
        self.left = self.tasks.len();
        ended
    }
}

/// Number of handles of ended tasks that may stay in the list in any case.
const KEPT: usize = 64;

impl<F> fmt::Debug for SimpleTaskPool<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimpleTaskPool")
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
