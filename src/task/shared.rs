use std::task::{Context, Poll, Waker};

use super::{Outcome, Packed, Slot, TaskId, TaskLabel};
use crate::lock::Lock;
use crate::sync::atomic::AtomicU64;
use crate::sync::atomic::Ordering::Relaxed;
use crate::unwind::discard;

/// The part of a task that its body and its handle share.
pub(crate) struct Shared<T> {
    /// The number of the task, and two marks.
    ///
    /// The number and `ADMITTED` are set before the task is shared. `WATCHED` is set and read by the thread that has
    /// the handle, so `Relaxed` is enough.
    id: AtomicU64,
    stage: Lock<Stage<T>>,
}

/// A waker may be in the stage.
const WATCHED: u64 = 1 << 63;

/// The task had a permit from the beginning.
const ADMITTED: u64 = 1 << 62;

const MARKS: u64 = WATCHED | ADMITTED;

/// The stage of a task, as far as its handle must know it.
///
/// # Invariants
///
/// 1. `Pending` becomes `Value` or `Failed` together with the counters and the permits, or after them: a thread that
///    sees the result also sees these.
/// 2. One future at a time waits here: first the future of `spawn`, for the start, then the handle that it has
///    returned, for the end.
enum Stage<T> {
    Pending {
        slot: Slot,
        announced: bool,
        waker: Option<Waker>,
    },
    Value(T),
    Failed(Packed),
    Taken,
}

impl<T> Shared<T> {
    pub(crate) fn new() -> Self {
        let (slot, announced, waker) = (Slot::NOWHERE, false, None);
        let stage = Lock::new(Stage::Pending {
            slot,
            announced,
            waker,
        });
        Self {
            id: AtomicU64::new(0),
            stage,
        }
    }

    /// Sets the number and the slot that the pool has given to the task. `admitted` says that the task has a permit
    /// already. Nothing else shares the task yet.
    #[inline]
    pub(crate) fn place(&mut self, id: TaskId, at: Slot, admitted: bool) {
        let mark = if admitted { ADMITTED } else { 0 };
        self.id = AtomicU64::new(id.get() | mark);
        if let Stage::Pending { slot, .. } = self.stage.get_mut() {
            *slot = at;
        }
    }

    /// Sets the slot of a task that was placed without one.
    pub(crate) fn settle(&self, at: Slot) {
        if let Stage::Pending { slot, .. } = &mut *self.stage.lock() {
            *slot = at;
        }
    }

    pub(crate) fn id(&self) -> TaskId {
        TaskId::from(self.id.load(Relaxed) & !MARKS)
    }

    #[inline]
    fn is_marked(&self, mark: u64) -> bool {
        self.id.load(Relaxed) & mark != 0
    }

    /// Returns the slot of the task in the pool's register, until the task has ended.
    pub(crate) fn slot(&self) -> Option<Slot> {
        match *self.stage.lock() {
            Stage::Pending { slot, .. } => Some(slot),
            _ => None,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.slot().is_none()
    }

    /// Notes that the task has its permit. Returns the waker of the `spawn` that waits for this.
    #[must_use = "to be woken when no lock is held"]
    pub(crate) fn announce(&self) -> Option<Waker> {
        match &mut *self.stage.lock() {
            Stage::Pending {
                announced, waker, ..
            } => {
                *announced = true;
                waker.take()
            }
            _ => None,
        }
    }

    /// Leaves the outcome to the handle, unless the outcome was dropped already. Returns the waker of the handle.
    #[must_use = "to be woken when no lock is held"]
    pub(crate) fn complete(&self, outcome: &mut Option<Outcome<T>>) -> Option<Waker> {
        outcome.as_ref()?;
        let mut stage = self.stage.lock();
        let pending = match outcome.take() {
            Some(Outcome::Value(value)) => std::mem::replace(&mut *stage, Stage::Value(value)),
            Some(Outcome::Failed(failure)) => {
                std::mem::replace(&mut *stage, Stage::Failed(failure))
            }
            None => unreachable!("a task has ended without an outcome"),
        };
        match pending {
            Stage::Pending { waker, .. } => waker,
            _ => unreachable!("a task has ended twice"),
        }
    }

    /// Waits until the task has a permit, or has ended without one.
    #[inline]
    pub(crate) fn poll_announced(&self, cx: &mut Context<'_>, label: &TaskLabel) -> Poll<()> {
        if self.is_marked(ADMITTED) {
            return Poll::Ready(());
        }
        self.poll_stage(cx, label, |stage| match stage {
            Stage::Pending {
                announced: false, ..
            } => None,
            _ => Some(()),
        })
    }

    /// Waits for the outcome, and takes it.
    ///
    /// # Panics
    ///
    /// Panics if the outcome has been taken before.
    #[track_caller]
    pub(crate) fn poll_outcome(&self, cx: &mut Context<'_>, label: &TaskLabel) -> Poll<Outcome<T>> {
        self.poll_stage(cx, label, |stage| match stage {
            Stage::Pending { .. } => None,
            Stage::Value(_) | Stage::Failed(_) => stage.take(),
            Stage::Taken => panic!("a JoinHandle was polled after it had given its result"),
        })
    }

    /// Takes the handle's waker out. Called when the handle is dropped.
    #[inline]
    pub(crate) fn hush(&self) {
        if self.is_marked(WATCHED) {
            self.unwatch();
        }
    }

    #[cold]
    fn unwatch(&self) {
        let stale = match &mut *self.stage.lock() {
            Stage::Pending { waker, .. } => waker.take(),
            _ => None,
        };
        discard(stale);
    }

    pub(crate) fn take(&self) -> Option<Outcome<T>> {
        self.stage.lock().take()
    }

    /// Looks at the stage, and leaves the waker if the stage is not there yet.
    #[inline]
    fn poll_stage<R>(
        &self,
        cx: &mut Context<'_>,
        label: &TaskLabel,
        mut look: impl FnMut(&mut Stage<T>) -> Option<R>,
    ) -> Poll<R> {
        let seen = look(&mut self.stage.lock());
        match seen {
            Some(seen) => Poll::Ready(seen),
            None => self.wait(cx, label, look),
        }
    }

    /// Leaves the waker. A waker is user code, so it is cloned and dropped while no lock is held.
    #[inline(never)]
    fn wait<R>(
        &self,
        cx: &mut Context<'_>,
        label: &TaskLabel,
        mut look: impl FnMut(&mut Stage<T>) -> Option<R>,
    ) -> Poll<R> {
        let mut fresh = None;
        // A waker that was left from outside of the pool's tasks does not begin a nested wait, even if it wakes the
        // same task. So it must be replaced.
        let pool_ref = label.pool_ref();
        let may_keep = !pool_ref.is_inside();
        loop {
            let mut stage = self.stage.lock();
            if let Some(seen) = look(&mut stage) {
                return Poll::Ready(seen);
            }
            let Stage::Pending { waker, .. } = &mut *stage else {
                return Poll::Pending;
            };
            let is_known = |known: &Waker| known.will_wake(cx.waker());
            if may_keep && waker.as_ref().is_some_and(is_known) {
                return Poll::Pending;
            }
            if fresh.is_some() {
                self.id.fetch_or(WATCHED, Relaxed);
                let stale = std::mem::replace(waker, fresh);
                drop(stage);
                drop(stale);
                return Poll::Pending;
            }
            drop(stage);
            fresh = Some(pool_ref.waker(cx));
        }
    }
}

impl<T> Stage<T> {
    fn take(&mut self) -> Option<Outcome<T>> {
        if let Self::Pending { .. } = self {
            return None;
        }
        match std::mem::replace(self, Self::Taken) {
            Self::Value(value) => Some(Outcome::Value(value)),
            Self::Failed(failure) => Some(Outcome::Failed(failure)),
            Self::Pending { .. } | Self::Taken => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_part_of_a_task_is_forty_bytes() {
        assert_eq!(size_of::<Shared<()>>(), 40);
    }
}
