use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::state::{Exit, State};
use super::{AioPool, Core};
use crate::coop;
use crate::error::AbortError;
use crate::gate::{Content, LevelId, SweepId};
use crate::task::{End, JoinError, JoinHandle, Keeper, Packed, Parked, Slot, TaskId, TaskState};
use crate::wakes::Wakes;
use crate::worker::Latch;

/// What came of [`AioPool::cancel`].
#[derive(Debug)]
pub struct CancelReport<T> {
    /// How many of the tasks were cancelled. The others had ended before, or did so meanwhile.
    pub cancelled: usize,
    /// What the tasks have come to, in the order of their handles.
    pub results: Vec<Result<T, JoinError>>,
}

/// Stopping tasks.
impl AioPool {
    /// Asks these tasks to stop, and waits until each has ended, and its future has been dropped.
    ///
    /// # Cancel safety
    ///
    /// They are asked at the first poll. Dropped after that, this stops waiting, and nothing else.
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
        // Those that wait first, so that none of them starts in the place of one that ran.
        let waits = |handle: &&JoinHandle<T>| handle.state() == TaskState::Waiting;
        for handle in handles.iter().filter(waits).chain(&handles) {
            handle.abort();
        }
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
    /// Returns how many were cancelled, without those that somebody else had asked before. The pool
    /// takes newcomers all the while, and they stay.
    ///
    /// Called by a task of the pool, it stops that too: it does not return there.
    ///
    /// # Cancel safety
    ///
    /// They are asked at the first poll. Dropped after that, this stops waiting, and nothing else.
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
        let latch = Arc::new(Latch::default());
        let withdrawn = self.core().stop_all(self.level(), Some(&latch));
        let core = self.core();
        let cancelled = withdrawn.cancelled + Stopping { core, latch }.await;
        coop::proceed().await;
        cancelled
    }

    /// Asks all tasks to stop, and returns at once. Returns how many were asked.
    ///
    /// Those that wait are gone when it returns; the active ones are about to stop.
    /// Tasks that had been asked before are not counted.
    pub fn abort_all(&self) -> usize {
        let stopped = self.core().stop_all(self.level(), None);
        stopped.asked
    }

    /// Asks the tasks with these numbers to stop, all or none of them. Returns how many they are.
    ///
    /// A number that comes twice counts once. With a [`JoinHandle`] or an
    /// [`AbortHandle`](crate::AbortHandle) at hand, its `abort` is quicker: this looks through all tasks.
    ///
    /// # Errors
    ///
    /// If one of them cannot be stopped, says why, and stops none: the pool has given out no such
    /// number, or the task has ended, or it has been asked to stop before.
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
        self.core().abort_ids(self.level(), &ids)
    }
}

/// Number of lines of a sweep that are looked at under one lock.
const AT_ONCE: usize = 256;

/// How many tasks were stopped at once.
#[derive(Default)]
struct Stopped {
    /// Active and waiting ones, asked for the first time.
    asked: usize,
    /// The waiting ones that ended as cancelled.
    cancelled: usize,
}

impl Stopped {
    /// One that waited has ended, or will later. It may be no task, but what tasks are made of.
    fn add(&mut self, end: Option<End>, is_task: impl FnOnce() -> bool) {
        self.asked += usize::from(end.map_or_else(is_task, |end| end != End::Nothing));
        self.cancelled += usize::from(end == Some(End::Cancelled));
    }
}

/// What was taken out of the queue, to be ended once nothing is locked.
#[derive(Default)]
struct Leaving {
    sweep: Option<SweepId>,
    withdrawn: Vec<(Slot, Parked)>,
}

/// Waits until all have ended that ran, or that another caller had withdrawn.
struct Stopping<'c> {
    core: &'c Core,
    latch: Arc<Latch>,
}

impl Future for Stopping<'_> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        match self.latch.result() {
            Some(cancelled) => Poll::Ready(cancelled),
            None => self.latch.poll(self.core.waker(cx)),
        }
    }
}

impl Drop for Stopping<'_> {
    /// Those who are stopping keep the latch.
    fn drop(&mut self) {
        self.latch.hush();
    }
}

impl Core {
    fn stop_all(&self, level: LevelId, latch: Option<&Arc<Latch>>) -> Stopped {
        let (mut wakes, mut stopped) = (Wakes::default(), Stopped::default());
        let mut state = self.lock();
        if let Some(latch) = latch {
            state.await_withdrawn(level, latch);
        }
        let leaving = state.withdraw_all(level);
        for seat in state.seats(level) {
            let first = seat.ask(None, &mut wakes);
            stopped.asked += usize::from(first && state.gate.is_task(seat.slot()));
            if let Some(latch) = latch {
                seat.add_latch(latch, first);
            }
        }
        self.dispatch(state);
        wakes.wake();
        self.end_all(leaving, latch, &mut stopped);
        stopped
    }

    pub(super) fn cancel_waiting(&self, level: LevelId) {
        let mut state = self.lock();
        let leaving = state.withdraw_all(level);
        self.dispatch(state);
        self.end_all(leaving, None, &mut Stopped::default());
    }

    /// Ends tasks that were taken out of the queue.
    ///
    /// Where they end later, the latch waits for them.
    fn end_all(&self, leaving: Leaving, latch: Option<&Arc<Latch>>, stopped: &mut Stopped) {
        if let Some(sweep) = leaving.sweep {
            self.end_swept(sweep, latch, stopped);
        }
        for (slot, task) in leaving.withdrawn {
            let end = self.end_unstarted(Exit::Withdrawn(slot), task, Packed::CANCELLED, latch);
            stopped.add(end, || self.lock().gate.is_task(slot));
        }
    }

    fn end_swept(&self, sweep: SweepId, latch: Option<&Arc<Latch>>, stopped: &mut Stopped) {
        let mut taken = Vec::with_capacity(AT_ONCE);
        while self.take_swept(sweep, &mut taken) {
            for (slot, id, task) in taken.drain(..) {
                let exit = Exit::Swept(sweep, slot);
                let end = self.end_unstarted(exit, task, Packed::CANCELLED, latch);
                stopped.add(end, || id.is_task());
            }
        }
    }

    fn take_swept(&self, sweep: SweepId, taken: &mut Vec<(Slot, TaskId, Parked)>) -> bool {
        self.lock().gate.take_swept(sweep, AT_ONCE, taken)
    }

    fn abort_ids(&self, level: LevelId, ids: &[TaskId]) -> Result<usize, AbortError> {
        let mut wakes = Wakes::default();
        let mut leaving = Leaving::default();
        let mut state = self.lock();
        let found = find(&state, level, ids)?;
        for (id, slot) in &found {
            match state.gate.get(*slot, *id) {
                Some(Content::Active(Some(seat))) => {
                    seat.ask(None, &mut wakes);
                }
                Some(Content::Waiting(_)) => {
                    let task = state.gate.withdraw(*slot);
                    leaving.withdrawn.extend(task.map(|task| (*slot, task)));
                }
                Some(Content::Active(None)) | None => {}
            }
        }
        self.dispatch(state);
        wakes.wake();
        self.end_all(leaving, None, &mut Stopped::default());
        Ok(found.len())
    }
}

impl State {
    /// Takes all that wait at a level or below it out of the queue. In no order.
    fn withdraw_all(&mut self, level: LevelId) -> Leaving {
        let sweep = self.sweep(level);
        let withdrawn = self.gate.withdraw_all(level);
        Leaving { sweep, withdrawn }
    }
}

/// Finds the slots of these tasks, or why one of them cannot be stopped.
fn find(
    state: &State,
    level: LevelId,
    ids: &[TaskId],
) -> Result<BTreeMap<TaskId, Slot>, AbortError> {
    let mut found: BTreeMap<TaskId, Option<Slot>> = ids.iter().map(|id| (*id, None)).collect();
    for (slot, id, _) in state.gate.tasks(level) {
        found.entry(id).and_modify(|place| *place = Some(slot));
    }
    for id in ids {
        check(state, *id, found.get(id).copied().flatten())?;
    }
    Ok(found
        .into_iter()
        .filter_map(|(id, slot)| Some((id, slot?)))
        .collect())
}

fn check(state: &State, id: TaskId, slot: Option<Slot>) -> Result<(), AbortError> {
    let Some(slot) = slot else {
        let given = id.get() < state.gate.kept(LevelId::ROOT).stats.submitted;
        let elsewhere = || {
            state
                .gate
                .tasks(LevelId::ROOT)
                .any(|(_, other, _)| other == id)
        };
        return Err(if given && !elsewhere() {
            AbortError::AlreadyFinished(id)
        } else {
            AbortError::NotFound(id)
        });
    };
    match state.gate.get(slot, id) {
        Some(Content::Waiting(_)) => Ok(()),
        Some(Content::Active(Some(seat))) if !seat.is_aborted() => Ok(()),
        Some(Content::Active(_)) | None => Err(AbortError::AlreadyAborted(id)),
    }
}
