use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::task::{Context, Waker};

use super::Latch;
use crate::lock::Lock;
use crate::task::{End, Parked, Reason, Slot};
use crate::wakes::Wakes;

/// Where a worker is reached from outside, as long as it lives.
///
/// The task that it runs now is asked to stop here. That, and the change to
/// another task, happen under the pool's lock: nobody stops the wrong one.
#[derive(Default)]
pub(crate) struct Seat {
    /// Where its task stands in the register.
    slot: AtomicU32,
    /// The worker lingers, and has been handed nothing.
    idle: AtomicBool,
    /// The task has been asked to stop.
    aborted: AtomicBool,
    /// The worker's waker lies on the desk.
    watched: AtomicBool,
    desk: Lock<Desk>,
}

#[derive(Default)]
struct Desk {
    waker: Option<Waker>,
    reason: Reason,
    /// Who waits for the end, and whether it was they who asked.
    latches: Vec<(Arc<Latch>, bool)>,
    handed: Option<Parked>,
}

/// What came of asking a task to stop.
pub(crate) enum Asked {
    /// Its worker is to be woken, when no lock is held, if it has gone to sleep.
    Now(Option<Waker>),
    Before,
}

impl Seat {
    pub(crate) fn slot(&self) -> Slot {
        Slot(self.slot.load(Relaxed))
    }

    /// Says which task its worker runs next.
    pub(crate) fn serve(&self, slot: Slot) {
        self.slot.store(slot.0, Relaxed);
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

    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.load(Relaxed)
    }

    /// Asks the task to stop.
    pub(crate) fn ask(&self, reason: Reason) -> Asked {
        let mut desk = self.desk.lock();
        if self.aborted.swap(true, Relaxed) {
            return Asked::Before;
        }
        desk.reason = reason;
        self.watched.store(false, Relaxed);
        Asked::Now(desk.waker.take())
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
        *known = Some(cx.waker().clone());
        self.watch(cx.waker().clone());
        self.is_aborted()
    }

    fn watch(&self, waker: Waker) {
        let mut desk = self.desk.lock();
        let stale = desk.waker.replace(waker);
        self.watched.store(true, Relaxed);
        drop(desk);
        drop(stale);
    }

    /// Why the task has been asked to stop.
    pub(crate) fn reason(&self) -> Reason {
        self.desk.lock().reason.take()
    }

    /// Lets a latch wait for the end of the task, which it counts if it was first to ask.
    pub(crate) fn add_latch(&self, latch: &Arc<Latch>, first: bool) {
        latch.add();
        self.desk.lock().latches.push((latch.clone(), first));
    }

    /// Clears the desk for the next task: nobody has asked that one yet.
    #[inline]
    pub(crate) fn clear(&self, end: End, wakes: &mut Wakes) {
        if self.is_aborted() {
            self.clear_asked(end, wakes);
        }
    }

    #[cold]
    fn clear_asked(&self, end: End, wakes: &mut Wakes) {
        let mut desk = self.desk.lock();
        self.aborted.store(false, Relaxed);
        desk.reason = None;
        let latches = std::mem::take(&mut desk.latches);
        drop(desk);
        for (latch, first) in latches {
            wakes.add(latch.count_down(first && end == End::Cancelled));
        }
    }
}
