use std::collections::BTreeMap;
use std::sync::Arc;

use crate::gate::{Demand, NodeId};
use crate::pool::core::parts::record::{self, Moment, Times};
use crate::pool::core::state::State;
use crate::pool::core::walk::Walk;
use crate::pool::lifecycle::waiters::Goal;
use crate::pool::{AioPool, Stats};
use crate::task::{Slot, TaskId, TaskInfo, TaskLabel, TaskState};

/// Inspecting the pool. Each method shows one moment, which has passed when the method returns.
impl AioPool {
    /// Returns how many tasks may run at once.
    pub fn size(&self) -> usize {
        self.core().lock().gate.size(self.node())
    }

    /// Returns the number of active tasks: those that hold a permit.
    pub fn active(&self) -> usize {
        self.core().lock().gate.active(self.node())
    }

    /// Returns how many tasks wait for a permit: tasks that have not started, and tasks that have lent their permit. A
    /// [`feed`](Self::feed) counts as one task, and so does code that waits [in place](Self::run).
    pub fn waiting(&self) -> usize {
        let gate = &self.core().lock().gate;
        gate.waiting(self.node()) + gate.lent(self.node())
    }

    /// Returns the number of tasks, active and waiting.
    pub fn len(&self) -> usize {
        let gate = &self.core().lock().gate;
        let node = self.node();
        gate.active(node) + gate.waiting(node) + gate.lent(node)
    }

    /// Returns `true` if nothing is active or waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns `true` if no permit is free.
    pub fn is_full(&self) -> bool {
        self.core().lock().gate.is_full(self.node())
    }

    /// Returns the name of the pool.
    pub fn name(&self) -> &str {
        self.inner.label.pool_name()
    }

    /// Returns the counters, all taken at the same moment.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// pool.exec(async {}).await.unwrap();
    /// pool.exec(async { panic!("oh") }).await.unwrap_err();
    /// let stats = pool.stats();
    /// assert_eq!((stats.submitted, stats.completed, stats.panicked), (2, 1, 1));
    /// # });
    /// ```
    pub fn stats(&self) -> Stats {
        let state = self.core().lock();
        let adaptive = state.adaptive.as_ref().map(|controller| controller.stats());
        Stats {
            adaptive: adaptive.filter(|_| self.node() == NodeId::ROOT),
            ..state.gate.data(self.node()).stats
        }
    }

    /// Lists the tasks that are active or waiting, in the order of their numbers.
    ///
    /// If there are many tasks, each thousand is looked at in another moment, so that the pool is never locked for
    /// long: the list does not show a single moment. A task that is there all the while is listed once. To see some of
    /// many tasks, use [`find_tasks`](Self::find_tasks).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::TaskState;
    ///
    /// let pool = aiopool::AioPool::builder().size(1).name("demo").build().unwrap();
    /// let handles = pool.map_n(0..2, |_| std::future::pending::<()>());
    /// let tasks = pool.tasks();
    /// assert_eq!((tasks[0].name.as_str(), tasks[0].state), ("demo-0", TaskState::Active));
    /// assert_eq!((tasks[1].name.as_str(), tasks[1].state), ("demo-1", TaskState::Waiting));
    /// # pool.cancel_all().await;
    /// # });
    /// ```
    pub fn tasks(&self) -> Vec<TaskInfo> {
        let now = self.core().moment();
        let mut listed = Vec::new();
        self.each_part(|part| listed.extend(part));
        listed.sort_by_key(|line| line.id);
        listed.into_iter().map(|line| line.info(now)).collect()
    }

    /// Lists the first tasks, in the order of their numbers, that `is_wanted` accepts: at most `most`.
    ///
    /// As for [`tasks`](Self::tasks), the pool is locked for a moment at a time. The closure runs when the pool is not
    /// locked, and only for tasks that may be among the first.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::TaskState;
    ///
    /// let pool = aiopool::AioPool::new(1);
    /// let handles = pool.map_n(0..1000, |_| std::future::pending::<()>());
    /// let next = pool.find_tasks(3, |task| task.state == TaskState::Waiting);
    /// let next: Vec<u64> = next.iter().map(|task| task.id.get()).collect();
    /// assert_eq!(next, [1, 2, 3]);
    /// # pool.cancel_all().await;
    /// # });
    /// ```
    pub fn find_tasks(
        &self,
        most: usize,
        mut is_wanted: impl FnMut(&TaskInfo) -> bool,
    ) -> Vec<TaskInfo> {
        let now = self.core().moment();
        let mut first = BTreeMap::new();
        self.each_part(|lines| {
            for line in lines {
                let last = first.last_key_value().map(|(id, _)| *id);
                if first.len() >= most && last.is_none_or(|last| last < line.id) {
                    continue;
                }
                let task = line.info(now);
                if is_wanted(&task) {
                    first.insert(task.id, task);
                }
                if first.len() > most {
                    first.pop_last();
                }
            }
        });
        first.into_values().collect()
    }

    /// Waits until fewer than `waiting` tasks wait. Use it to keep a queue filled, but not without end.
    ///
    /// Tasks that have lent their permit do not count: they have started. `below(0)` waits forever.
    ///
    /// # Cancel safety
    ///
    /// This future may be dropped at any time. Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(2);
    /// for n in 0..100 {
    ///     pool.below(10).await;
    ///     pool.spawn_n(async move { n });
    ///     assert!(pool.waiting() <= 10);
    /// }
    /// # });
    /// ```
    pub async fn below(&self, waiting: usize) {
        self.until(Goal::Below(waiting)).await;
    }

    /// Goes through the tasks in parts. Each part is shown when nothing is locked.
    fn each_part(&self, mut show: impl FnMut(Vec<Line>)) {
        let core = self.core();
        let mut walk = Walk::new(&core.lock(), self.node());
        let (mut found, mut is_more) = (Vec::new(), true);
        while is_more {
            let state = core.lock();
            is_more = walk.part(&state, &mut found);
            let part = found
                .drain(..)
                .filter_map(|(slot, id)| Line::of(&state, slot, id.task()?));
            let part = part.collect();
            core.unlock_for_others(state);
            show(part);
        }
    }
}

/// The data of a task that is copied while the pool is locked.
pub(crate) struct Line {
    id: TaskId,
    state: TaskState,
    demand: Demand,
    pool: Arc<str>,
    group: Option<Arc<str>>,
    label: Option<Arc<TaskLabel>>,
    times: Option<Times>,
}

impl Line {
    /// Returns `None` for a task that has been withdrawn: it is about to end, and no count has it any more.
    pub(crate) fn of(state: &State, slot: Slot, id: TaskId) -> Option<Self> {
        if state.gate.is_withdrawn(slot) {
            return None;
        }
        let home = state.gate.data(state.gate.home(slot));
        Some(Self {
            id,
            state: state.gate.progress(slot, id),
            demand: state.gate.demand(slot),
            pool: home.name.clone(),
            group: home.group.clone(),
            label: state.records.label(slot).cloned(),
            times: state.records.times(slot),
        })
    }

    /// Describes the task for a listing that was begun at this moment.
    pub(crate) fn info(self, now: Option<Moment>) -> TaskInfo {
        let name = match &self.label {
            Some(label) => label.task_name(self.id).into_owned(),
            None => format!("{}-{}", self.pool, self.id),
        };
        let group = self.group.as_deref();
        let tag = self.label.as_ref().and_then(|label| label.tag().cloned());
        let times = self.times;
        let info = record::info(self.id, name, group, self.state, self.demand, times, now);
        TaskInfo { tag, ..info }
    }
}
