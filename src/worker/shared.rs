use std::sync::Arc;
use std::task::{Context, Waker};

use super::{Latch, NestedWaits, Scheduler};
use crate::lock::Lock;
use crate::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize};
use crate::task::{BoxTask, End, Reason, RuntimeId, Slot};
use crate::unwind::discard;
use crate::wakes::Wakes;

/// Where a worker is reached from outside, as long as it lives.
///
/// The task that it runs now is asked to stop here. That, and the change to
/// another task, happen under the pool's lock: nobody stops the wrong one.
/// Code that runs in place, under a permit of its own, has this without a worker.
pub(crate) struct WorkerShared {
    scheduler: Arc<dyn Scheduler>,
    /// Where its worker runs, if its pool serves several runtimes.
    runtime: Option<RuntimeId>,
    /// Where its task stands in the register.
    slot: AtomicU32,
    /// Where it stands among the idle ones, as long as it is one. Changed under the pool's lock.
    place: AtomicUsize,
    /// Whether its task has its permit: a [`PermitState`].
    permit: AtomicU8,
    /// The worker is idle, and has been handed no task.
    idle: AtomicBool,
    /// The task has been asked to stop.
    aborted: AtomicBool,
    /// Its task has not been polled, and does not count as started.
    unstarted: AtomicBool,
    /// The worker's waker is in the inbox.
    watched: AtomicBool,
    /// The task has [`NestedWaits`].
    nested: AtomicBool,
    /// Its task has ended, and the next has not begun: neither is running.
    between: AtomicBool,
    inbox: Lock<Inbox>,
}

#[derive(Default)]
struct Inbox {
    waker: Option<Waker>,
    reason: Reason,
    /// Who waits for the end, and whether it was they who asked.
    latches: Vec<(Arc<Latch>, bool)>,
    handed: Option<BoxTask>,
    nested_waits: Option<Arc<NestedWaits>>,
}

/// Where a task's permit is. Changed under the pool's lock, together with the gate.
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
            watched: AtomicBool::new(false),
            nested: AtomicBool::new(false),
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

    /// Says which task its worker runs next, or where its code stands that runs elsewhere.
    pub(crate) fn serve(&self, slot: Slot) {
        self.slot.store(slot.0, Relaxed);
        self.unstarted.store(false, Relaxed);
    }

    /// Says which task its worker runs next. The task is to be counted as started when it is first polled.
    pub(crate) fn serve_unstarted(&self, slot: Slot) {
        self.slot.store(slot.0, Relaxed);
        self.unstarted.store(true, Relaxed);
    }

    /// Returns whether its task is yet to be counted as started.
    #[inline]
    pub(crate) fn is_unstarted(&self) -> bool {
        self.unstarted.load(Relaxed)
    }

    /// Its task is being counted as started.
    pub(crate) fn set_started(&self) {
        self.unstarted.store(false, Relaxed);
    }

    #[inline]
    pub(super) fn is_between(&self) -> bool {
        self.between.load(Relaxed)
    }

    /// Only for its worker.
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

    /// Hands a task to an idle worker.
    pub(crate) fn hand(&self, task: BoxTask) {
        self.inbox.lock().handed = Some(task);
        // Its worker looks at this first, and at the inbox only then.
        self.idle.store(false, Release);
    }

    pub(crate) fn take_handed(&self) -> Option<BoxTask> {
        self.inbox.lock().handed.take()
    }

    #[inline]
    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.load(Acquire)
    }

    /// Asks the task to stop. Returns whether this is the first time.
    ///
    /// Its worker is woken if it has gone to sleep, and with it those of the task who wait for that.
    pub(crate) fn ask(&self, reason: Reason, wakes: &mut Wakes) -> bool {
        let mut inbox = self.inbox.lock();
        if self.aborted.load(Relaxed) {
            return false;
        }
        inbox.reason = reason;
        if let Some(nested_waits) = &inbox.nested_waits {
            nested_waits.tell_aborted(wakes);
        }
        // Only now: a worker that finds it set (Acquire) polls a task which finds itself aborted.
        self.aborted.store(true, Release);
        self.wake_worker(&mut inbox, wakes);
        true
    }

    fn wake_worker(&self, inbox: &mut Inbox, wakes: &mut Wakes) {
        self.watched.store(false, Relaxed);
        wakes.add(inbox.waker.take());
    }

    /// Leaves the worker's waker, unless it lies there, and looks whether it came too late.
    ///
    /// Whoever asks before that look is seen by it; whoever asks after it finds the waker.
    #[inline]
    pub(super) fn is_asked(&self, known: &mut Option<Waker>, cx: &mut Context<'_>) -> bool {
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
        let mut inbox = self.inbox.lock();
        let stale = inbox.waker.replace(waker);
        self.watched.store(true, Relaxed);
        drop(inbox);
        discard(stale);
    }

    /// Takes the worker's waker back.
    pub(super) fn unwatch(&self) -> Option<Waker> {
        let mut inbox = self.inbox.lock();
        self.watched.store(false, Relaxed);
        inbox.waker.take()
    }

    /// Why the task has been asked to stop.
    pub(crate) fn reason(&self) -> Reason {
        self.inbox.lock().reason.take()
    }

    /// Lets a latch wait for the end of the task, which it counts if it was first to ask.
    pub(crate) fn add_latch(&self, latch: &Arc<Latch>, first: bool) {
        latch.add(1);
        self.inbox.lock().latches.push((latch.clone(), first));
    }

    /// Whether there is nothing to [`clear`](Self::clear).
    #[inline]
    pub(crate) fn is_clear(&self) -> bool {
        !self.is_aborted() && !self.is_nested()
    }

    /// Clears the inbox for the next task: nobody has asked that one yet.
    ///
    /// Returns whether the task that has ended counts as joining, though a join of it may live on elsewhere.
    #[cold]
    #[must_use = "to be counted no longer"]
    pub(crate) fn clear(&self, end: End, wakes: &mut Wakes) -> bool {
        let mut inbox = self.inbox.lock();
        self.aborted.store(false, Relaxed);
        self.nested.store(false, Relaxed);
        self.set_permit(PermitState::Held);
        inbox.reason = None;
        let (latches, nested_waits) = (
            std::mem::take(&mut inbox.latches),
            inbox.nested_waits.take(),
        );
        drop(inbox);
        let was_joining = nested_waits
            .as_ref()
            .is_some_and(|nested_waits| nested_waits.end_joins());
        if let Some(nested_waits) = nested_waits {
            // Who still waits in there waits for nothing, and the wakers are foreign.
            nested_waits.tell_aborted(wakes);
            nested_waits.tell_returned(wakes);
        }
        for (latch, first) in latches {
            wakes.add(latch.count_down(first && end == End::Cancelled));
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

    /// Its turn has come: wakes those who wait for the permit.
    pub(crate) fn take_back(&self, wakes: &mut Wakes) {
        self.set_permit(PermitState::Held);
        let mut inbox = self.inbox.lock();
        if let Some(nested_waits) = &inbox.nested_waits {
            nested_waits.tell_returned(wakes);
        }
        self.wake_worker(&mut inbox, wakes);
    }

    /// Whether its task has waited for its own pool.
    #[inline]
    pub(crate) fn is_nested(&self) -> bool {
        self.nested.load(Relaxed)
    }

    /// Returns the nested waits of the task that runs now, and makes them if there are none. Only its worker calls this.
    pub(crate) fn nested_waits(&self) -> Arc<NestedWaits> {
        let mut inbox = self.inbox.lock();
        self.nested.store(true, Relaxed);
        let new = || Arc::new(NestedWaits::new(self.is_aborted()));
        inbox.nested_waits.get_or_insert_with(new).clone()
    }
}
