//! How tasks end: at their worker, without their worker, and in the queue.

use std::any::Any;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use crate::error::BuildError;
use crate::gate::Content;
use crate::nesting;
use crate::pool::core::Core;
use crate::pool::core::parts::idle_workers::Runner;
use crate::pool::core::state::{Exit, State};
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::{
    BoxTask, Complete, End, EntryId, Failure, Packed, PoolRef, Reason, Sleep, Slot, Start, TaskId,
    TaskState,
};
use crate::wakes::{Wakes, wake};
use crate::worker::{Latch, Scheduler, Worker, WorkerShared, running};

impl Scheduler for Core {
    fn finish(
        &self,
        worker: &WorkerShared,
        end: Option<End>,
        complete: Complete<'_>,
    ) -> Option<BoxTask> {
        let has_unused_start = self.end_start(worker);
        let now = self.time_of_end();
        let mut wakes = Wakes::default();
        let mut state = self.lock_unflushed();
        // The outcome, the counters, the permits and the slot change under one lock: by (2) of `State`.
        let is_resized = state.complete(worker, end, now, complete, &mut wakes);
        let next = if has_unused_start {
            self.finish_unused(state, worker, end, &mut wakes);
            None
        } else if let Some(next) = state.finish_into_next(worker, end, &mut wakes) {
            self.dispatch_more(state);
            Some(next)
        } else {
            self.finish_and_dispatch(state, worker, end, &mut wakes)
        };
        if let Some(next) = &next {
            if next.announce(&mut wakes) == Start::Announced {
                self.expecting.store(true, Relaxed);
            }
        }
        wakes.wake();
        self.announce_resize(is_resized);
        next
    }

    fn rejoin(&self, worker: &Arc<WorkerShared>) -> Option<BoxTask> {
        if !worker.is_idle() {
            return worker.take_handed();
        }
        let mut state = self.lock();
        // Checked again under the lock: another thread may have handed a task over meanwhile.
        if !worker.is_idle() {
            return worker.take_handed();
        }
        // The worker has stayed in vain: no further task is expected.
        self.expecting.store(false, Relaxed);
        state.idle_workers.leave(worker);
        None
    }

    fn relaunch(&self, worker: &Arc<WorkerShared>, task: BoxTask) -> Option<BoxTask> {
        let slot = worker.slot();
        let mut state = self.lock();
        if worker.is_aborted() {
            return Some(task);
        }
        let successor = Arc::new(WorkerShared::new(self.me(), worker.runtime()));
        if worker.is_unstarted() {
            successor.serve_unstarted(slot);
        } else {
            successor.serve(slot);
        }
        let stale = state.gate.replace_server(slot, successor.clone());
        let runtime = state.runtime_of(slot).cloned();
        drop(state);
        drop(stale);
        self.launch_on(runtime, Worker::new(successor, task));
        self.dispatch_nested(self.lock());
        None
    }

    fn resume(&self, worker: &Arc<WorkerShared>, task: BoxTask) {
        let runtime = self.lock().runtime_of(worker.slot()).cloned();
        self.launch_on(runtime, Worker::resume(worker.clone(), task));
    }

    fn abandon(&self, worker: &WorkerShared, end: Option<End>, complete: Complete<'_>) {
        let has_unused_start = self.end_start(worker);
        let now = self.time_of_end();
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        if has_unused_start {
            state.give_back_start_of(worker.slot());
        }
        let is_resized = state.complete(worker, end, now, complete, &mut wakes);
        state.finish_active(worker.slot(), end, &mut wakes);
        self.dispatch_nested(state);
        wakes.wake();
        self.announce_resize(is_resized);
    }

    fn begin(&self, worker: &WorkerShared) {
        if self.has_rates() {
            return self.begin_with_rates(worker);
        }
        // The clock may be user code: it is read with the pool unlocked.
        let now = self.moment();
        let mut state = self.lock();
        state.begin(worker, now);
        self.dispatch_more(state);
    }

    fn end_first_poll(&self, worker: &WorkerShared) {
        self.recount_first_poll(worker);
    }

    fn lend(&self, worker: &WorkerShared) {
        let mut state = self.lock();
        state.lend(worker);
        self.dispatch(state);
    }

    fn keep(&self, worker: &WorkerShared) {
        let mut state = self.lock();
        state.keep(worker);
        self.dispatch(state);
    }

    fn come_back(&self, worker: &WorkerShared) {
        let mut state = self.lock();
        state.come_back(worker);
        self.dispatch(state);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl PoolRef for Core {
    fn abort(&self, slot: Slot, id: EntryId, reason: Reason) -> bool {
        let mut wakes = Wakes::default();
        let state = self.lock();
        let asked = match state.gate.get(slot, id) {
            Some(Content::Active(Some(worker))) => worker.abort(reason, &mut wakes),
            Some(Content::Waiting(_)) => {
                self.evict(state, slot, Failure::Cancelled(reason));
                return true;
            }
            Some(Content::Active(None)) | None => false,
        };
        drop(state);
        wakes.wake();
        asked
    }

    fn settle(&self) {
        drop(self.lock());
    }

    fn state(&self, slot: Slot, id: TaskId) -> TaskState {
        self.lock().gate.progress(slot, id)
    }

    fn waker(&self, cx: &Context<'_>) -> Waker {
        match self.running_here() {
            Some(worker) => worker.nested_waits().waker(cx),
            None => cx.waker().clone(),
        }
    }

    fn is_inside(&self) -> bool {
        self.running_here().is_some()
    }

    fn expire(&self, slot: Slot, id: TaskId) {
        let mut state = self.lock();
        // A permit that is free takes precedence over the time limit.
        while state.gate.is_ready() && matches!(state.gate.get(slot, id), Some(Content::Waiting(_)))
        {
            self.dispatch(state);
            state = self.lock();
        }
        if let Some(Content::Waiting(_)) = state.gate.get(slot, id) {
            self.evict(state, slot, Failure::WAITED_TOO_LONG);
        }
    }

    fn clock_time(&self) -> Instant {
        self.raw_now()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let sleep = self.spawner().sleep(duration);
        sleep.unwrap_or_else(|| panic!("{}", BuildError::NoTimer))
    }
}

impl Core {
    /// Ends an active task, and starts the tasks that can be started: the first of them with the same worker, if that
    /// is on the right runtime.
    #[inline(never)]
    fn finish_and_dispatch<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        worker: &WorkerShared,
        end: Option<End>,
        wakes: &mut Wakes,
    ) -> Option<BoxTask> {
        if self.buffer.is_open() {
            // The next task may be in the buffer.
            self.flush(&mut state);
            if let Some(next) = state.finish_into_next(worker, end, wakes) {
                self.dispatch_more(state);
                return Some(next);
            }
        }
        if let Some(free) = state.finish_last(worker, end, wakes) {
            self.offer(&mut state, free);
            drop(self.tidy(state));
            return None;
        }
        let mut free = state.finish_active(worker.slot(), end, wakes);
        let next = state.admit(&mut free, |runtime| self.new_worker(runtime), wakes);
        self.offer(&mut state, free);
        match next {
            Some(next) if matches!(next.by, Runner::Free) => {
                self.dispatch(state);
                return Some(next.task);
            }
            Some(next) => self.hand_over_and_dispatch(state, next, wakes),
            None => self.dispatch(state),
        }
        None
    }

    /// Ends an active task that has not used its start of the rate, and starts what can be started. A caller of
    /// `throttle` may be the first that gets the start.
    #[cold]
    fn finish_unused<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        worker: &WorkerShared,
        end: Option<End>,
        wakes: &mut Wakes,
    ) {
        self.flush(&mut state);
        state.give_back_start_of(worker.slot());
        let free = state.finish_active(worker.slot(), end, wakes);
        self.offer(&mut state, free);
        self.dispatch(state);
    }

    /// Lets a worker without a next task stay idle, if the next task is likely to come at once.
    #[inline]
    fn offer(&self, state: &mut State, free: Option<Arc<WorkerShared>>) {
        if let Some(worker) = free {
            state
                .idle_workers
                .offer(worker, self.expecting.load(Relaxed));
        }
    }

    /// Returns the worker of the task of this pool, or of its groups, that is being polled on this thread.
    pub(crate) fn running_here(&self) -> Option<Arc<WorkerShared>> {
        let worker = running()?;
        let its_pool = Arc::as_ptr(worker.scheduler()).cast::<()>();
        (its_pool == self.address()).then_some(worker)
    }

    /// Takes a waiting task out of the queue, and ends it.
    fn evict<'a>(&'a self, mut state: MutexGuard<'a, State>, slot: Slot, failure: Failure) {
        let withdrawn = state.withdraw(slot);
        // The tasks behind a heavy task may fit, now that it is gone.
        self.dispatch(state);
        if let Some((exit, task)) = withdrawn {
            self.end_unstarted(exit, task, failure.pack(), None);
        }
    }

    /// Ends a task that has not started. Returns `true` if it has ended as cancelled.
    ///
    /// Deep inside the ends of other tasks the end is postponed until these are over: then this returns `false`, and the
    /// latch waits for the task.
    pub(crate) fn end_unstarted(
        &self,
        exit: Exit,
        task: BoxTask,
        failure: Packed,
        latch: Option<&Arc<Latch>>,
    ) -> bool {
        if let Some(_within) = nesting::enter() {
            return self.give_up(exit, task, failure) == Some(End::Cancelled);
        }
        let (core, latch) = (self.me(), latch.cloned());
        latch.iter().for_each(|latch| latch.add(1));
        nesting::postpone(move || {
            let end = core.give_up(exit, task, failure);
            wake(latch.and_then(|latch| latch.count_down(end == Some(End::Cancelled))));
        });
        false
    }

    /// Drops the future of a task that has not started, then makes the end of the task known.
    fn give_up(&self, exit: Exit, task: BoxTask, failure: Packed) -> Option<End> {
        let mut ended = None;
        task.give_up(failure, &mut |end, complete| {
            self.complete_unstarted(exit, end, complete);
            ended = end;
        });
        ended
    }

    pub(crate) fn complete_unstarted(&self, exit: Exit, end: Option<End>, complete: Complete<'_>) {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        wakes.add(complete());
        state.end_unstarted(exit, end, &mut wakes);
        let state = self.tidy(state);
        // The timer has to end a group that this task was the last one in.
        if state.asks_time && self.has_group_rates.load(Relaxed) {
            self.dispatch_nested(state);
        } else {
            drop(state);
        }
        wakes.wake();
    }

    /// Starts the tasks that can be started. Deep inside the ends of other tasks this is postponed until these are
    /// over.
    pub(crate) fn dispatch_nested(&self, state: MutexGuard<'_, State>) {
        if let Some(_within) = nesting::enter() {
            return self.dispatch(state);
        }
        drop(state);
        let core = self.me();
        nesting::postpone(move || core.dispatch(core.lock()));
    }
}
