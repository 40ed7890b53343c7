use std::collections::{BTreeMap, BTreeSet};

use crate::coop;
use crate::error::AbortError;
use crate::gate::{Content, NodeId};
use crate::pool::core::parts::withdrawals::WithdrawalId;
use crate::pool::core::state::{Exit, State};
use crate::pool::core::walk::Walk;
use crate::pool::lifecycle::sweep::Which;
use crate::pool::{AioPool, Core};
use crate::task::{BoxTask, Failure, JoinError, JoinHandle, Reason, Slot, TaskId, abort_each};
use crate::wakes::Wakes;

/// The outcome of [`AioPool::cancel`].
#[derive(Debug)]
pub struct CancelReport<T> {
    /// Number of the tasks that were cancelled. The others had ended before, or ended meanwhile.
    pub cancelled: usize,
    /// The results of the tasks, in the order of their handles.
    pub results: Vec<Result<T, JoinError>>,
}

/// Stopping tasks.
impl AioPool {
    /// Asks these tasks to stop, and waits until each task has ended and its future has been dropped.
    ///
    /// # Cancel safety
    ///
    /// The tasks are asked at the first poll. If they are more than some tens, that may take several polls, since none
    /// of them is to be long. If this future is dropped meanwhile, it asks the rest at once, stops waiting, and does
    /// nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let done = pool.spawn(async { 1 }).await;
    /// pool.join().await;
    /// let never = pool.spawn_n(std::future::pending::<i32>());
    /// let report = pool.cancel([done, never]).await;
    /// assert_eq!(report.cancelled, 1);
    /// assert_eq!(*report.results[0].as_ref().unwrap(), 1);
    /// # });
    /// ```
    pub async fn cancel<T>(
        &self,
        handles: impl IntoIterator<Item = JoinHandle<T>>,
    ) -> CancelReport<T> {
        let handles: Vec<_> = handles.into_iter().collect();
        abort_each(&handles).await;
        let mut results = Vec::with_capacity(handles.len());
        for handle in handles {
            results.push(handle.await);
        }
        let errors = results.iter().filter_map(|result| result.as_ref().err());
        let cancelled = errors.filter(|error| error.is_cancelled()).count();
        coop::proceed().await;
        CancelReport { cancelled, results }
    }

    /// Stops all tasks, active and waiting, and waits until every one of them has stopped.
    ///
    /// Returns how many tasks were cancelled, without those that another caller had asked before. The pool accepts new
    /// tasks all the while, and these stay. If there are very many tasks, they are looked at in parts of a thousand, so
    /// that the pool is never locked for long; until all have been seen, no task starts. The futures of waiting tasks
    /// are dropped some at a time, by the caller and by a task of the runtime, so that neither is kept busy for long.
    ///
    /// If a task of the pool calls this, that task is stopped too: the call does not return there.
    ///
    /// # Cancel safety
    ///
    /// The tasks are asked at the first poll. If this future is dropped after that, it stops waiting, and does nothing
    /// else.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(2);
    /// let handles = pool.map_n(0..10, |_| std::future::pending::<()>());
    /// assert_eq!(pool.cancel_all().await, 10);
    /// assert!(handles.iter().all(|handle| handle.is_finished()));
    /// # });
    /// ```
    pub async fn cancel_all(&self) -> usize {
        let cancelled = self.core().stop(self.node(), Which::All).await;
        coop::proceed().await;
        cancelled
    }

    /// Asks all tasks to stop, and returns at once. Returns how many tasks were asked.
    ///
    /// The waiting tasks are gone when this returns; the active ones are about to stop. Tasks that had been asked
    /// before are not counted. Called deep inside of the destructors of other tasks' futures, it lets the waiting tasks
    /// end after those.
    pub fn abort_all(&self) -> usize {
        self.core().stop_at_once(self.node())
    }

    /// Asks the tasks with these numbers to stop: all of them, or none. Returns how many tasks these are.
    ///
    /// A number that is given twice counts once. If you have a [`JoinHandle`] or an
    /// [`AbortHandle`](crate::AbortHandle), its `abort` is quicker: this method looks through all tasks.
    ///
    /// # Errors
    ///
    /// If one of the tasks cannot be stopped, returns why, and stops none: the pool has given out no such number, or
    /// the task has ended, or the task has been asked to stop before. If there are more than a thousand tasks, they are
    /// looked at in parts, so that the pool is not locked for long: a task that ends meanwhile, or that another caller
    /// stops, is no error then.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::AbortError;
    ///
    /// let pool = aiopool::AioPool::new(1);
    /// let handle = pool.spawn_n(std::future::pending::<()>());
    /// let unknown = 7.into();
    /// assert_eq!(pool.abort([handle.id(), unknown]), Err(AbortError::NotFound(unknown)));
    /// assert_eq!(pool.abort([handle.id()]), Ok(1));
    /// assert!(handle.await.unwrap_err().is_cancelled());
    /// # });
    /// ```
    pub fn abort(&self, ids: impl IntoIterator<Item = TaskId>) -> Result<usize, AbortError> {
        let ids: Vec<TaskId> = ids.into_iter().collect();
        self.core().abort_ids(self.node(), &ids)
    }
}

impl Core {
    fn abort_ids(&self, node: NodeId, ids: &[TaskId]) -> Result<usize, AbortError> {
        let found = self.find(node, ids);
        let places: Vec<(TaskId, Found)> = found.iter().map(|(id, found)| (*id, *found)).collect();
        let (mut withdrawn, mut wakes) = (Vec::with_capacity(places.len()), Wakes::default());
        let mut state = self.lock();
        // No task starts between two parts.
        state.gate.hold(node);
        let withdrawal = state.open_withdrawal(node);
        let check = |state: &mut State, id: &TaskId| check(state, *id, found.get(id).copied());
        let (mut state, checked) = self.each_in_parts(state, ids, check);
        if checked.is_ok() {
            let abort_one = |state: &mut State, (id, found): &(TaskId, Found)| {
                let task = abort(state, *id, found.slot, withdrawal, &mut wakes);
                withdrawn.extend(task.map(|task| (Exit::Withdrawn(found.slot, withdrawal), task)));
                Ok::<(), AbortError>(())
            };
            (state, _) = self.each_in_parts(state, &places, abort_one);
        }
        state.close_withdrawal(withdrawal, &mut wakes);
        state.gate.release(node);
        self.dispatch(state);
        wakes.wake();
        // With nothing locked: this drops futures, which are user code.
        for (exit, task) in withdrawn {
            self.end_unstarted(exit, task, Failure::Cancelled(Reason::Aborted).pack(), None);
        }
        checked.map(|()| places.len())
    }

    /// Finds the slots of these tasks, and whether the tasks are at `node` or below it.
    fn find(&self, node: NodeId, ids: &[TaskId]) -> BTreeMap<TaskId, Found> {
        let wanted: BTreeSet<TaskId> = ids.iter().copied().collect();
        let mut places = BTreeMap::new();
        let mut state = self.lock();
        let mut walk = Walk::new(&state, NodeId::ROOT);
        let (mut found, mut is_more) = (Vec::new(), true);
        while is_more && places.len() < wanted.len() {
            is_more = walk.part(&state, &mut found);
            let tasks = found.drain(..);
            let tasks = tasks.filter_map(|(slot, id)| Some((slot, id.task()?)));
            for (slot, id) in tasks.filter(|(_, id)| wanted.contains(id)) {
                let is_inside = state.gate.inside(slot, node).0.is_some();
                places.insert(id, Found { slot, is_inside });
            }
            state = self.give_way(state);
        }
        places
    }
}

/// Where a task was found.
#[derive(Clone, Copy)]
struct Found {
    slot: Slot,
    is_inside: bool,
}

/// Asks an active task to stop, or takes a waiting task out of the queue.
fn abort(
    state: &mut State,
    id: TaskId,
    slot: Slot,
    withdrawal: WithdrawalId,
    wakes: &mut Wakes,
) -> Option<BoxTask> {
    match state.gate.get(slot, id)? {
        Content::Waiting(_) => state.withdraw_with(withdrawal, slot),
        Content::Active(worker) => {
            worker
                .iter()
                .for_each(|worker| _ = worker.abort(Reason::Aborted, wakes));
            None
        }
    }
}

/// Returns an error that says why a task cannot be stopped, if it cannot.
fn check(state: &State, id: TaskId, found: Option<Found>) -> Result<(), AbortError> {
    let Some(found) = found else {
        let is_given = id.get() < state.gate.data(NodeId::ROOT).stats.submitted;
        return Err(if is_given {
            AbortError::AlreadyFinished(id)
        } else {
            AbortError::NotFound(id)
        });
    };
    if !found.is_inside {
        return Err(AbortError::NotFound(id));
    }
    match state.gate.get(found.slot, id) {
        Some(Content::Waiting(_)) => Ok(()),
        Some(Content::Active(Some(worker))) if !worker.is_aborted() => Ok(()),
        Some(Content::Active(_)) => Err(AbortError::AlreadyAborted(id)),
        // The task has ended since it was found.
        None => Err(AbortError::AlreadyFinished(id)),
    }
}
