use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::lock::Lock;
use crate::observe::{Observer, Submission, TaskScope, TaskView};
use crate::task::TaskId;

/// An observer that notes the order in which the tasks of a pool start, and how many permits they have had at once.
///
/// A task counts from its start until its future has been dropped, with its weight. Code in place, by
/// [`run`](crate::AioPool::run) for one, is no task and is not seen. A task that [lends](fn@crate::lend) its permit, as it does
/// while it waits for its own pool, still counts: with nested use, more than the pool's size may be counted.
///
/// Use one recorder for one pool. Clones are the same recorder. It keeps a few words of each task that has started.
///
/// # Examples
///
/// ```
/// use aiopool::AioPool;
/// use aiopool::testing::Recorder;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let recorder = Recorder::new();
/// let pool = AioPool::builder().size(3).observer(recorder.clone()).build().unwrap();
/// pool.map(0..100, |_| tokio::task::yield_now()).await;
/// recorder.assert_at_most(3);
/// recorder.assert_in_order(3);
/// assert_eq!(recorder.starts().len(), 100);
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Recorder {
    record: Arc<Lock<Record>>,
}

#[derive(Default)]
struct Record {
    starts: Vec<Start>,
    permits: usize,
    most_permits: usize,
}

struct Start {
    task: TaskId,
    queue: Queue,
}

/// Tasks of one group and one priority, among which the order of starts is promised.
type Queue = (Option<Arc<str>>, i32);

/// What the recorder keeps for a task.
struct Recorded {
    recorder: Recorder,
    /// The permits of the task, once it has started and until its future has been dropped.
    held: Lock<usize>,
}

impl Recorder {
    /// Makes a recorder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the tasks that have started, in the order of their starts.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::{ManualSpawner, Recorder};
    ///
    /// let (spawner, recorder) = (ManualSpawner::new(), Recorder::new());
    /// let pool = spawner.builder().size(1).observer(recorder.clone()).build().unwrap();
    /// pool.pause();
    /// let late = pool.task(async {}).priority(-1).spawn_n().id();
    /// let soon = pool.task(async {}).spawn_n().id();
    /// pool.resume();
    /// spawner.run();
    /// assert_eq!(recorder.starts(), [soon, late]);
    /// ```
    pub fn starts(&self) -> Vec<TaskId> {
        let record = self.record.lock();
        record.starts.iter().map(|start| start.task).collect()
    }

    /// Returns the largest number of permits that the tasks have had at once.
    pub fn most_permits(&self) -> usize {
        self.record.lock().most_permits
    }

    /// Checks that the tasks have never had more than `size` permits at once.
    ///
    /// # Panics
    ///
    /// Panics if they had more.
    ///
    /// # Examples
    ///
    /// ```should_panic
    /// use aiopool::testing::{ManualSpawner, Recorder};
    ///
    /// let (spawner, recorder) = (ManualSpawner::new(), Recorder::new());
    /// let pool = spawner.builder().size(3).observer(recorder.clone()).build().unwrap();
    /// pool.map_n(0..3, |_| std::future::pending::<()>());
    /// spawner.run();
    /// recorder.assert_at_most(2);                  // panics: three are active
    /// ```
    #[track_caller]
    pub fn assert_at_most(&self, size: usize) {
        let most = self.most_permits();
        assert!(
            most <= size,
            "the tasks have had {most} permits at once, and no more than {size} were allowed"
        );
    }

    /// Checks that tasks of the same priority and group have started in the order of their submission, as far as they can
    /// in a pool of this size.
    ///
    /// Tasks get their permits in this order. But a worker may run several short tasks, one after the other, before the
    /// next worker makes its first poll of a task that has its permit already. So a task may start before `size - 1` older
    /// tasks, and before no more than that. With `size` 1 the order is exact.
    ///
    /// # Panics
    ///
    /// Panics if a task has started before more older ones. A task that has never started is not looked at.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::{ManualSpawner, Recorder};
    ///
    /// let (spawner, recorder) = (ManualSpawner::new(), Recorder::new());
    /// let pool = spawner.builder().size(2).observer(recorder.clone()).build().unwrap();
    /// let handles = pool.map_n(0..10, |n| async move { n });
    /// handles[5].abort();                          // it never starts
    /// spawner.run();
    /// recorder.assert_in_order(2);
    /// ```
    #[track_caller]
    pub fn assert_in_order(&self, size: usize) {
        if let Some((newer, older)) = self.overtaking(size) {
            panic!(
                "task {newer} has started before tasks that were submitted before it: {older:?}. \
                 In a pool of size {size}, there may be {} of them",
                size.saturating_sub(1)
            );
        }
    }

    /// Returns a task that has started before at least `size` older ones, and the first of these.
    fn overtaking(&self, size: usize) -> Option<(TaskId, Vec<u64>)> {
        let record = self.record.lock();
        let mut to_start: HashMap<&Queue, BTreeSet<TaskId>> = HashMap::new();
        for start in &record.starts {
            to_start.entry(&start.queue).or_default().insert(start.task);
        }
        record.starts.iter().find_map(|start| {
            let to_start = to_start.get_mut(&start.queue)?;
            to_start.remove(&start.task);
            let older = to_start.range(..start.task).take(size).copied();
            let older: Vec<_> = older.map(TaskId::get).collect();
            (size > 0 && older.len() == size).then_some((start.task, older))
        })
    }

    fn scope(&self) -> Option<Arc<dyn TaskScope>> {
        Some(Arc::new(Recorded {
            recorder: self.clone(),
            held: Lock::default(),
        }))
    }
}

impl Observer for Recorder {
    fn capture(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        self.scope()
    }
}

impl Record {
    fn start(&mut self, task: TaskId, queue: Queue, weight: usize) {
        self.starts.push(Start { task, queue });
        self.permits += weight;
        self.most_permits = self.most_permits.max(self.permits);
    }
}

impl TaskScope for Recorded {
    fn on_start(&self, task: &TaskView<'_>) {
        let submission = task.submission();
        let queue = (submission.group().map(Arc::from), submission.priority());
        *self.held.lock() = submission.weight();
        let mut record = self.recorder.record.lock();
        record.start(task.id(), queue, submission.weight());
    }

    fn drop_future(&self, _: &TaskView<'_>, drop: &mut dyn FnMut()) {
        drop();
        // The task gives its permits back after this.
        let held = std::mem::take(&mut *self.held.lock());
        self.recorder.record.lock().permits -= held;
    }

    fn item(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        self.recorder.scope()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record.lock();
        f.debug_struct("Recorder")
            .field("starts", &record.starts.len())
            .field("permits", &record.permits)
            .field("most_permits", &record.most_permits)
            .finish()
    }
}
