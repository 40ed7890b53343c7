//! How tasks end: at their worker, without it, and in the queue.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::core::Core;
use super::state::State;
use crate::gate::Content;
use crate::task::{
    End, Failure, Keeper, Parked, Reason, Settle, Sleep, Slot, Start, TaskId, TaskState,
};
use crate::unwind::shielded;
use crate::wakes::Wakes;
use crate::worker::{Asked, Dispatcher, Seat};

impl Dispatcher for Core {
    fn finish(&self, seat: &Seat, end: End, settle: Settle<'_>) -> Option<Parked> {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        seat.clear(end, &mut wakes);
        let mut free = state.end_active(seat.slot(), end, settle(), &mut wakes);
        let next = state.admit(&mut free, &mut wakes);
        if let Some(seat) = free.filter(|_| self.expecting.load(Relaxed)) {
            seat.set_idle(true);
            state.idle.push_back(seat);
        }
        self.dispatch(state);
        if let Some(next) = &next {
            if next.announce(&mut wakes) == Start::Announced {
                self.expecting.store(true, Relaxed);
            }
        }
        wakes.wake();
        next
    }

    fn rejoin(&self, seat: &Arc<Seat>) -> Option<Parked> {
        if !seat.is_idle() {
            return seat.take_handed();
        }
        let mut state = self.lock();
        if !seat.is_idle() {
            return seat.take_handed();
        }
        // It was in vain to linger, so the next one does not.
        self.expecting.store(false, Relaxed);
        seat.set_idle(false);
        let place = state.idle.iter().position(|idle| Arc::ptr_eq(idle, seat));
        place.and_then(|place| state.idle.remove(place));
        None
    }

    fn abandon(&self, seat: &Seat, end: End, settle: Settle<'_>) {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        seat.clear(end, &mut wakes);
        state.end_active(seat.slot(), end, settle(), &mut wakes);
        if end == End::Rejected {
            state.stats.started -= 1;
        }
        if self.is_launching() {
            drop(state);
        } else {
            self.dispatch(state);
        }
        wakes.wake();
    }
}

impl Keeper for Core {
    fn abort(&self, slot: Slot, id: TaskId, reason: Reason) -> bool {
        let state = self.lock();
        let asked = match state.gate.get(slot, id) {
            Some(Content::Active(Some(seat))) => seat.ask(reason),
            Some(Content::Waiting(_)) => {
                self.evict(state, slot, Failure::Cancelled(reason));
                return true;
            }
            Some(Content::Active(None)) | None => return false,
        };
        drop(state);
        match asked {
            Asked::Now(waker) => waker
                .into_iter()
                .for_each(|waker| shielded(|| waker.wake())),
            Asked::Before => return false,
        }
        true
    }

    fn state(&self, slot: Slot, id: TaskId) -> TaskState {
        match self.lock().gate.get(slot, id) {
            Some(Content::Waiting(_)) => TaskState::Waiting,
            Some(Content::Active(_)) => TaskState::Active,
            None => TaskState::Finished,
        }
    }

    fn expire(&self, slot: Slot, id: TaskId) {
        let state = self.lock();
        if let Some(Content::Waiting(_)) = state.gate.get(slot, id) {
            self.evict(state, slot, Failure::TimedOut);
        }
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.spawner().sleep(duration).expect(
            "this pool's runtime has no timer: use Tokio, Smol or AsyncStd, \
             or a Spawner of your own whose `sleep` returns one",
        )
    }
}

impl Core {
    /// Takes a waiting task out of the queue, and ends it right here.
    fn evict<'a>(&'a self, mut state: MutexGuard<'a, State>, slot: Slot, failure: Failure) {
        let task = state.gate.withdraw(slot);
        // Those behind a heavy one may fit, now that it is gone.
        self.dispatch(state);
        if let Some(task) = task {
            self.end_withdrawn(slot, task, failure);
        }
    }

    /// Drops the future of a task that was withdrawn, then makes its end known.
    fn end_withdrawn(&self, slot: Slot, task: Parked, failure: Failure) {
        task.give_up(failure, &mut |end, settle| {
            let mut wakes = Wakes::default();
            let mut state = self.lock();
            state.end_withdrawn(slot, end, settle(), &mut wakes);
            drop(state);
            wakes.wake();
        });
    }
}
