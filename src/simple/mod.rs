//! One function, started and stopped by number.

mod maker;

use std::fmt;

use self::maker::Maker;
use crate::lock::Lock;
use crate::pool::AioPool;
use crate::task::{AbortHandle, TaskId, TaskState};

/// A pool of tasks that all do the same: so many copies of one function, and more or fewer of them on demand.
///
/// Their results are dropped: they talk to the rest of the program by what they do. Use
/// [`apply`](AioPool::apply) for copies whose results matter.
///
/// # Dropping
///
/// The tasks run on.
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

/// The tasks that may be there yet, in order of submission.
#[derive(Default)]
struct Started {
    tasks: Vec<AbortHandle>,
    /// How many there were when those that had ended were last thrown out.
    left: usize,
}

impl<F, Fut> SimpleTaskPool<F>
where
    F: FnMut() -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    /// Makes one that runs its tasks in `pool`, which others may use too.
    pub fn new(pool: AioPool, f: F) -> Self {
        Self {
            pool,
            maker: Maker::new(f),
            tasks: Lock::default(),
        }
    }

    /// Spawns `n` more tasks, and returns their numbers. Those that find no permit wait.
    ///
    /// A task that the pool refuses, closed or full, is among them too, and has ended already.
    ///
    /// The function is called here, one call after the other. Another thread that starts tasks waits for its turn.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the function: the tasks before it have been started. Panics if the function
    /// itself calls this.
    pub fn start(&self, n: usize) -> Vec<TaskId> {
        (0..n).map(|_| self.start_one(self.make())).collect()
    }

    /// Calls the function, and lets go of it: a runtime may poll the task, which may start others, as it is spawned.
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

    /// Asks `n` tasks to stop, and returns the numbers of those asked, in that order: first those that
    /// wait, the newest before the others, then the newest that run.
    ///
    /// Those that have been asked before do not count. Asked for more than there are, it asks all.
    pub fn stop(&self, n: usize) -> Vec<TaskId> {
        let tasks = self.living();
        // Looked at once each: they start and end meanwhile.
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

    /// Returns how many of the tasks are active.
    pub fn running(&self) -> usize {
        let tasks = self.living();
        let active = tasks
            .iter()
            .filter(|task| task.state() == TaskState::Active);
        active.count()
    }

    /// Those that have not ended. The others are forgotten.
    pub(crate) fn living(&self) -> Vec<AbortHandle> {
        let mut started = self.tasks.lock();
        let ended = started.sweep();
        let living = started.tasks.clone();
        drop(started);
        drop(ended);
        living
    }

    /// Returns the pool that they run in.
    pub fn pool(&self) -> &AioPool {
        &self.pool
    }
}

impl Started {
    /// Adds one, and takes those out that have ended, once there may be as many of them as of the others.
    fn add(&mut self, task: AbortHandle) -> Vec<AbortHandle> {
        self.tasks.push(task);
        if self.tasks.len() < 2 * self.left + KEPT {
            return Vec::new();
        }
        self.sweep()
    }

    /// Takes those out that have ended.
    fn sweep(&mut self) -> Vec<AbortHandle> {
        let tasks = std::mem::take(&mut self.tasks);
        let (ended, living) = tasks.into_iter().partition(AbortHandle::is_finished);
        self.tasks = living;
        self.left = self.tasks.len();
        ended
    }
}

/// So many handles of ended tasks do no harm.
const KEPT: usize = 64;

impl<F> fmt::Debug for SimpleTaskPool<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimpleTaskPool")
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
