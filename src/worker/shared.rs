use std::any::Any;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::{Latch, NestedWaits};
use crate::lock::Lock;
use crate::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
use crate::task::{BoxTask, Complete, End, Failure, Reason, Refusal, RuntimeId, Slot};
use crate::unwind::discard;
use crate::waker_slot::WakerSlot;
use crate::wakes::Wakes;

/// The pool, as its workers see it.
pub(crate) trait Scheduler: Send + Sync {
    /// Makes the end of a task known, and gives the permit to the next task, which is returned.
    ///
    /// If there is none, the shared state says whether the worker stays idle for a moment.
    fn finish(
        &self,
        shared: &WorkerShared,
        end: Option<End>,
        complete: Complete<'_>,
    ) -> Option<BoxTask>;

    /// Ends the idle time of a worker. Returns the task that it was handed meanwhile, if any.
    fn rejoin(&self, shared: &Arc<WorkerShared>) -> Option<BoxTask>;

    /// Gives a task that has not been polled, and whose worker was dropped, to a new worker. Returns the task instead
    /// if it was asked to stop.
    fn relaunch(&self, shared: &Arc<WorkerShared>, task: BoxTask) -> Option<BoxTask>;

    /// Gives a task that has left its worker, and has been polled elsewhere, to a new worker with the same state.
    fn resume(&self, shared: &Arc<WorkerShared>, task: BoxTask);

    /// Makes known the end of a task that is not at its worker any more, and lets other tasks use the permit.
    fn abandon(&self, shared: &WorkerShared, end: Option<End>, complete: Complete<'_>);

    /// Counts a task as started. The task is about to be polled for the first time.
    fn begin(&self, shared: &WorkerShared);

    /// Called at the end of the first poll of a task that is pending, if `begin` has asked for it.
    fn end_first_poll(&self, shared: &WorkerShared);

    /// Gives the permit of a suspended task away.
    fn lend(&self, shared: &WorkerShared);

    /// Notes that a task which [is just back](WorkerShared::is_just_back) keeps its permit after its poll.
    fn keep(&self, shared: &WorkerShared);

    /// Asks for the lent permit again. The shared state says when the permit is back; the worker is woken then.
    fn come_back(&self, shared: &WorkerShared);

    fn as_any(&self) -> &dyn Any;
}

/// The state of a worker that other threads reach, as long as the worker lives.
///
/// Here the task that the worker runs is asked to stop. An abort, and the change to the next task, both happen under
/// the pool's lock, so an abort never reaches the wrong task. Code that runs in place under a permit of its own has
/// this state without a worker.
pub(crate) struct WorkerShared {
    scheduler: Arc<dyn Scheduler>,
    /// The runtime of the worker, if its pool serves several.
    runtime: Option<RuntimeId>,
    // `slot`, `place` and `unstarted` are `Relaxed`: they change under the pool's lock. Other readers are the worker
    // and its task, which get the values together with the task: by the inbox's lock, by the runtime's spawn, or on the
    // same thread.
    /// The slot of the task in the pool's register.
    slot: AtomicU32,
    /// The index of the worker among the idle workers, while it is one of them.
    place: AtomicUsize,
    /// The [`PermitState`] of the task.
    // The store (`Release`) pairs with the load (`Acquire`): a worker that sees its permit held also sees what the
    // previous holder of that permit has written. With a weaker ordering, a worker that is polled before its wake
    // arrives could run the task without seeing that, even in a pool of size 1.
    permit: AtomicU8,
    /// Whether the worker is idle and has been handed no task.
    // The worker itself sets it, under the pool's lock and before other threads can hand it a task, hence `Relaxed`
    // there. The store in `hand` (`Release`) pairs with the load in `is_idle` (`Acquire`): a worker that sees `false`
    // also sees what was written for it. The lock of the inbox, which the worker takes next, would order this as well.
    idle: AtomicBool,
    /// Whether the task has been asked to stop. Changed under the inbox's lock.
    // The store in `abort` (`Release`) pairs with the load in `is_aborted` (`Acquire`): a worker that sees the abort also
    // sees what the aborting thread wrote before. With a weaker ordering, the worker would depend on the locks that it
    // takes after the load.
    aborted: AtomicBool,
    /// Whether the task has not been polled yet, and so does not count as started.
    unstarted: AtomicBool,
    /// What the scheduler has to know at the end of the task's first poll, or 0. `Relaxed`: only the thread that runs the
    /// task uses it.
    first_poll: AtomicU64,
    /// Whether the worker's waker is in the inbox. Changed under the inbox's lock.
    // The worker reads it without the lock, hence it may see a stale `true`. `Relaxed` is enough even so: the thread
    // that has taken the waker wakes it, and the next poll looks again.
    watched: AtomicBool,
    /// Whether the task has [`NestedWaits`]. `Relaxed`: only the thread that runs the task uses it.
    nested: AtomicBool,
    /// Whether the permit is just back, so that the end of the next poll is told to the pool. `Relaxed`: it changes under
    /// the pool's lock, and the worker reads it after it has seen its permit held.
    just_back: AtomicBool,
    /// Whether the worker is between two tasks and runs neither. `Relaxed`: only the worker's thread uses it.
    between: AtomicBool,
    inbox: Lock<Inbox>,
}

#[derive(Default)]
struct Inbox {
    waker: WakerSlot,
    reason: Reason,
    /// The latches that wait for the end of the task, each with `true` if its owner was the first to ask for the abort.
    latches: Vec<(Arc<Latch>, bool)>,
    handed: Option<BoxTask>,
    nested_waits: Option<Arc<NestedWaits>>,
}

/// The state of a task's permit. It changes under the pool's lock, together with the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum PermitState {
    Held,
    Lent,
    Returning,
}

impl WorkerShared {
    pub(crate) fn new(scheduler: Arc<dyn Scheduler>, runtime: Option<RuntimeId>) -> Self {
        Self {
            scheduler,
            runtime,
            place: AtomicUsize::new(0),
            slot: AtomicU32::new(Slot::NOWHERE.0),
            permit: AtomicU8::new(PermitState::Held as u8),
            idle: AtomicBool::new(false),
            aborted: AtomicBool::new(false),
            unstarted: AtomicBool::new(false),
            first_poll: AtomicU64::new(0),
            watched: AtomicBool::new(false),
            nested: AtomicBool::new(false),
            just_back: AtomicBool::new(false),
            between: AtomicBool::new(false),
            inbox: Lock::default(),
        }
    }

    #[inline]
    pub(crate) fn scheduler(&self) -> &Arc<dyn Scheduler> {
        &self.scheduler
    }

    pub(crate) fn runtime(&self) -> Option<RuntimeId> {
        self.runtime
    }

    pub(crate) fn place(&self) -> usize {
        self.place.load(Relaxed)
    }

    pub(crate) fn set_place(&self, place: usize) {
        self.place.store(place, Relaxed);
    }

    pub(crate) fn slot(&self) -> Slot {
        Slot(self.slot.load(Relaxed))
    }

    /// Sets the slot of the next task, which counts as started already, or of code that runs in place.
    pub(crate) fn serve(&self, slot: Slot) {
        self.slot.store(slot.0, Relaxed);
        self.unstarted.store(false, Relaxed);
    }

    /// Sets the slot of the next task, which is to be counted as started when it is first polled.
    pub(crate) fn serve_unstarted(&self, slot: Slot) {
        self.slot.store(slot.0, Relaxed);
        self.unstarted.store(true, Relaxed);
    }

    /// Returns `true` if the task is still to be counted as started.
    #[inline]
    pub(crate) fn is_unstarted(&self) -> bool {
        self.unstarted.load(Relaxed)
    }

    /// Notes that the task is counted as started.
    pub(crate) fn set_started(&self) {
        self.unstarted.store(false, Relaxed);
    }

    /// Notes what the scheduler has to know at the end of the task's first poll, which begins now.
    pub(crate) fn begin_first_poll(&self, note: NonZeroU64) {
        self.first_poll.store(note.get(), Relaxed);
    }

    /// Returns `true` if the scheduler has to know of the end of this poll, which is the task's first one.
    #[inline]
    pub(super) fn is_in_first_poll(&self) -> bool {
        self.first_poll.load(Relaxed) != 0
    }

    /// Takes the note of [`begin_first_poll`](Self::begin_first_poll).
    pub(crate) fn end_first_poll(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.first_poll.swap(0, Relaxed))
    }

    #[inline]
    pub(super) fn is_between(&self) -> bool {
        self.between.load(Relaxed)
    }

    /// Only the worker calls this.
    #[inline]
    pub(super) fn set_between(&self, between: bool) {
        self.between.store(between, Relaxed);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.idle.load(Acquire)
    }

    pub(crate) fn set_idle(&self, idle: bool) {
        self.idle.store(idle, Relaxed);
    }

    /// Hands a task to an idle worker. The caller holds the pool's lock.
    pub(crate) fn hand(&self, task: BoxTask) {
        self.inbox.lock().handed = Some(task);
        // The task comes first: the worker reads `idle`, and looks into the inbox only if that is `false`.
        self.idle.store(false, Release);
    }

    pub(crate) fn take_handed(&self) -> Option<BoxTask> {
        self.inbox.lock().handed.take()
    }

    #[inline]
    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.load(Acquire)
    }

    /// Asks the task to stop. Returns `true` if this is the first request.
    ///
    /// `wakes` receives the worker's waker, if it is in the inbox, and the wakers of the task's futures that wait for
    /// an abort.
    pub(crate) fn abort(&self, reason: Reason, wakes: &mut Wakes) -> bool {
        let mut inbox = self.inbox.lock();
        if self.aborted.load(Relaxed) {
            return false;
        }
        inbox.reason = reason;
        if let Some(nested_waits) = &inbox.nested_waits {
            nested_waits.tell_aborted(wakes);
        }
        // The signal comes first: the task that is polled because of this flag must find itself aborted.
        self.aborted.store(true, Release);
        self.wake_worker(&mut inbox, wakes);
        true
    }

    fn wake_worker(&self, inbox: &mut Inbox, wakes: &mut Wakes) {
        self.watched.store(false, Relaxed);
        wakes.add(inbox.waker.take());
    }

    /// Returns `true` if the task was asked to stop during its poll. Leaves the worker's waker in the inbox, unless it
    /// is there already.
    ///
    /// The order is: leave the waker, then read the flag. A request before the read is seen by it, and a later request
    /// finds the waker.
    #[inline]
    pub(super) fn sees_abort(&self, known: &mut Option<Waker>, cx: &mut Context<'_>) -> bool {
        let is_known = known
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()));
        if is_known && self.watched.load(Relaxed) {
            return false;
        }
        discard(known.replace(cx.waker().clone()));
        self.watch(cx.waker().clone());
        self.is_aborted()
    }

    pub(crate) fn watch(&self, waker: Waker) {
        let inbox = self.inbox.lock();
        self.watched.store(true, Relaxed);
        WakerSlot::leave(inbox, |inbox| &mut inbox.waker, waker);
    }

    /// Takes the worker's waker out of the inbox.
    pub(super) fn unwatch(&self) -> Option<Waker> {
        let mut inbox = self.inbox.lock();
        self.watched.store(false, Relaxed);
        inbox.waker.take()
    }

    /// Takes the reason for which the task was asked to stop.
    pub(crate) fn reason(&self) -> Reason {
        std::mem::take(&mut self.inbox.lock().reason)
    }

    /// Returns the failure of a task that its runtime does not poll any more.
    pub(crate) fn left_by_runtime(&self, has_run: bool) -> Failure {
        if self.is_aborted() {
            // Even if it was never polled: it was asked to stop before.
            Failure::Cancelled(self.reason())
        } else if has_run {
            Failure::Cancelled(Reason::RuntimeEnded)
        } else {
            Failure::Rejected(Refusal::RuntimeGone)
        }
    }

    /// Makes a latch wait for the end of the task. `first` says that its owner was the first to ask for the abort, so
    /// that the latch counts the task if it is cancelled. The caller holds the pool's lock, so the task has not ended.
    pub(crate) fn add_latch(&self, latch: &Arc<Latch>, first: bool) {
        latch.add(1);
        self.inbox.lock().latches.push((latch.clone(), first));
    }

    /// Returns `true` if there is nothing to [`clear`](Self::clear).
    #[inline]
    pub(crate) fn is_clear(&self) -> bool {
        !self.is_aborted() && !self.is_nested()
    }

    /// Clears the inbox for the next task, which has not been asked to stop.
    ///
    /// Returns `true` if the task that has ended still counts as joining. A future of it may go on with the join
    /// elsewhere.
    #[cold]
    #[must_use = "to be counted no longer"]
    pub(crate) fn clear(&self, end: Option<End>, wakes: &mut Wakes) -> bool {
        let mut inbox = self.inbox.lock();
        self.aborted.store(false, Relaxed);
        self.nested.store(false, Relaxed);
        self.set_permit(PermitState::Held);
        self.set_just_back(false);
        inbox.reason = Reason::default();
        let (latches, nested_waits) = (
            std::mem::take(&mut inbox.latches),
            inbox.nested_waits.take(),
        );
        drop(inbox);
        let was_joining = nested_waits
            .as_ref()
            .is_some_and(|nested_waits| nested_waits.end_joins());
        if let Some(nested_waits) = nested_waits {
            // A future of the task that lives on elsewhere would wait for nothing. Its waker is user code: `wakes`
            // takes it out, to run it when no lock is held.
            nested_waits.tell_aborted(wakes);
            nested_waits.tell_returned(wakes);
        }
        for (latch, first) in latches {
            wakes.add(latch.count_down(first && end == Some(End::Cancelled)));
        }
        was_joining
    }
}

/// The permit, and the nested waits for which it may be lent.
impl WorkerShared {
    #[inline]
    pub(crate) fn permit(&self) -> PermitState {
        match self.permit.load(Acquire) {
            0 => PermitState::Held,
            1 => PermitState::Lent,
            _ => PermitState::Returning,
        }
    }

    pub(crate) fn set_permit(&self, permit: PermitState) {
        self.permit.store(permit as u8, Release);
    }

    /// Returns `true` if the permit is back, and others wait to hear whether the task keeps it after the next poll.
    pub(crate) fn is_just_back(&self) -> bool {
        self.just_back.load(Relaxed)
    }

    pub(crate) fn set_just_back(&self, just_back: bool) {
        self.just_back.store(just_back, Relaxed);
    }

    /// Marks the permit as held again, and wakes the worker and the futures that wait for the permit.
    pub(crate) fn take_back(&self, wakes: &mut Wakes) {
        // This comes before the lock: a worker that leaves its waker in the inbox too late reads the permit after that.
        self.set_permit(PermitState::Held);
        let mut inbox = self.inbox.lock();
        if let Some(nested_waits) = &inbox.nested_waits {
            nested_waits.tell_returned(wakes);
        }
        self.wake_worker(&mut inbox, wakes);
    }

    /// Returns `true` if the task has nested waits.
    #[inline]
    pub(crate) fn is_nested(&self) -> bool {
        self.nested.load(Relaxed)
    }

    /// Returns the nested waits of the running task, and makes them if there are none. Only the thread that runs the
    /// task calls this.
    pub(crate) fn nested_waits(&self) -> Arc<NestedWaits> {
        // `abort` sets the flag under this lock. So an abort is either seen here, or finds the nested waits to tell.
        let mut inbox = self.inbox.lock();
        self.nested.store(true, Relaxed);
        let new = || Arc::new(NestedWaits::new(self.is_aborted()));
        inbox.nested_waits.get_or_insert_with(new).clone()
    }
}
