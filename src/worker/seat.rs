use std::sync::Arc;
use std::task::{Context, Waker};

use super::{Dispatcher, Latch, Nest};
use crate::lock::Lock;
use crate::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize};
use crate::task::{End, Parked, Reason, RuntimeId, Slot};
use crate::unwind::discard;
use crate::wakes::Wakes;

/// Where a worker is reached from outside, as long as it lives.
///
/// The task that it runs now is asked to stop here. That, and the change to
/// another task, happen under the pool's lock: nobody stops the wrong one.
/// Code that runs in place, under a permit of its own, has a seat without a worker.
pub(crate) struct Seat {
    dispatcher: Arc<dyn Dispatcher>,
    /// Where its worker runs, if its pool serves several runtimes.
    runtime: Option<RuntimeId>,
    /// Where its task stands in the register.
    slot: AtomicU32,
    /// Where it stands among the idle ones, as long as it is one. Changed under the pool's lock.
    place: AtomicUsize,
    /// Whether its task has its permit: a [`Hold`].
    permit: AtomicU8,
    /// The worker lingers, and has been handed nothing.
    idle: AtomicBool,
    /// The task has been asked to stop.
    aborted: AtomicBool,
    /// Its task has not been polled, and does not count as started.
    unstarted: AtomicBool,
    /// The worker's waker lies on the desk.
    watched: AtomicBool,
    /// The task has a nest.
    nested: AtomicBool,
    /// Its task has ended, and the next has not begun: neither is running.
    between: AtomicBool,
    desk: Lock<Desk>,
}

#[derive(Default)]
struct Desk {
    waker: Option<Waker>,
    reason: Reason,
    /// Who waits for the end, and whether it was they who asked.
    latches: Vec<(Arc<Latch>, bool)>,
    handed: Option<Parked>,
    nest: Option<Arc<Nest>>,
}

/// Where a task's permit is. Changed under the pool's lock, together with the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Hold {
    Held,
    Lent,
    Returning,
}

impl Seat {
    pub(crate) fn new(dispatcher: Arc<dyn Dispatcher>, runtime: Option<RuntimeId>) -> Self {
        Self {
            dispatcher,
            runtime,
            place: AtomicUsize::new(0),
            slot: AtomicU32::new(Slot::NOWHERE.0),
            permit: AtomicU8::new(Hold::Held as u8),
            idle: AtomicBool::new(false),
            aborted: AtomicBool::new(false),
            unstarted: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            nested: AtomicBool::new(false),
            between: AtomicBool::new(false),
            desk: Lock::default(),
        }
    }

    #[inline]
    pub(crate) fn dispatcher(&self) -> &Arc<dyn Dispatcher> {
        &self.dispatcher
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

    /// Hands a task to a lingering worker.
    pub(crate) fn hand(&self, task: Parked) {
        self.desk.lock().handed = Some(task);
        // Its worker looks at this first, and at the desk only then.
        self.idle.store(false, Release);
    }

    pub(crate) fn take_handed(&self) -> Option<Parked> {
        self.desk.lock().handed.take()
    }

    #[inline]
    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.load(Acquire)
    }

    /// Asks the task to stop. Returns whether this is the first time.
    ///
    /// Its worker is woken if it has gone to sleep, and with it those of the task who wait for that.
    pub(crate) fn ask(&self, reason: Reason, wakes: &mut Wakes) -> bool {
        let mut desk = self.desk.lock();
        if self.aborted.load(Relaxed) {
            return false;
        }
        desk.reason = reason;
        if let Some(nest) = &desk.nest {
            nest.tell_aborted(wakes);
        }
        // Only now: a worker that finds it set (Acquire) polls a task which finds itself aborted.
        self.aborted.store(true, Release);
        self.wake_worker(&mut desk, wakes);
        true
    }

    fn wake_worker(&self, desk: &mut Desk, wakes: &mut Wakes) {
        self.watched.store(false, Relaxed);
        wakes.add(desk.waker.take());
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
        let mut desk = self.desk.lock();
        let stale = desk.waker.replace(waker);
        self.watched.store(true, Relaxed);
        drop(desk);
        discard(stale);
    }

    /// Takes the worker's waker back.
    pub(super) fn unwatch(&self) -> Option<Waker> {
        let mut desk = self.desk.lock();
        self.watched.store(false, Relaxed);
        desk.waker.take()
    }

    /// Why the task has been asked to stop.
    pub(crate) fn reason(&self) -> Reason {
        self.desk.lock().reason.take()
    }

    /// Lets a latch wait for the end of the task, which it counts if it was first to ask.
    pub(crate) fn add_latch(&self, latch: &Arc<Latch>, first: bool) {
        latch.add(1);
        self.desk.lock().latches.push((latch.clone(), first));
    }

    /// Whether there is nothing to [`clear`](Self::clear).
    #[inline]
    pub(crate) fn is_clear(&self) -> bool {
        !self.is_aborted() && !self.is_nested()
    }

    /// Clears the desk for the next task: nobody has asked that one yet.
    ///
    /// Returns whether the task that has ended counts as joining, though a join of it may live on elsewhere.
    #[cold]
    #[must_use = "to be counted no longer"]
    pub(crate) fn clear(&self, end: End, wakes: &mut Wakes) -> bool {
        let mut desk = self.desk.lock();
        self.aborted.store(false, Relaxed);
        self.nested.store(false, Relaxed);
        self.set_permit(Hold::Held);
        desk.reason = None;
        let (latches, nest) = (std::mem::take(&mut desk.latches), desk.nest.take());
        drop(desk);
        let was_joining = nest.as_ref().is_some_and(|nest| nest.end_joins());
        if let Some(nest) = nest {
            // Who still waits in there waits for nothing, and the wakers are foreign.
            nest.tell_aborted(wakes);
            nest.tell_returned(wakes);
        }
        for (latch, first) in latches {
            wakes.add(latch.count_down(first && end == End::Cancelled));
        }
        was_joining
    }
}

/// The permit, and the nest that it may be lent for.
impl Seat {
    #[inline]
    pub(crate) fn permit(&self) -> Hold {
        match self.permit.load(Acquire) {
            0 => Hold::Held,
            1 => Hold::Lent,
            _ => Hold::Returning,
        }
    }

    pub(crate) fn set_permit(&self, permit: Hold) {
        self.permit.store(permit as u8, Release);
    }

    /// Its turn has come: wakes those who wait for the permit.
    pub(crate) fn take_back(&self, wakes: &mut Wakes) {
        self.set_permit(Hold::Held);
        let mut desk = self.desk.lock();
        if let Some(nest) = &desk.nest {
            nest.tell_returned(wakes);
        }
        self.wake_worker(&mut desk, wakes);
    }

    /// Whether its task has waited for its own pool.
    #[inline]
    pub(crate) fn is_nested(&self) -> bool {
        self.nested.load(Relaxed)
    }

    /// The nest of the task that is running now, made if it has none. Only for who runs it.
    pub(crate) fn nest(&self) -> Arc<Nest> {
        let mut desk = self.desk.lock();
        self.nested.store(true, Relaxed);
        let new = || Arc::new(Nest::new(self.is_aborted()));
        desk.nest.get_or_insert_with(new).clone()
    }
}
