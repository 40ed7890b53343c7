//! How tasks end: at their worker, without it, and in the queue.

use std::any::Any;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use super::core::Core;
use super::state::State;
use crate::gate::Content;
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::{
    End, Failure, Keeper, Parked, Reason, Settle, Sleep, Slot, Start, TaskId, TaskState,
};
use crate::wakes::Wakes;
use crate::worker::{Dispatcher, Hold, Seat, running};

impl Dispatcher for Core {
    fn finish(&self, seat: &Seat, end: End, settle: Settle<'_>) -> Option<Parked> {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        state.settle(seat, end, settle, &mut wakes);
        let next = match state.succeed(seat, end, &mut wakes) {
            Some(next) => {
                drop(state);
                Some(next)
            }
            None => self.relieve(state, seat, end, &mut wakes),
        };
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
        self.expecting.store(false, Relaxed);
        state.lingering.leave(seat);
        None
    }

    fn abandon(&self, seat: &Seat, end: End, settle: Settle<'_>) {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        let home = state.gate.home(seat.slot());
        state.settle(seat, end, settle, &mut wakes);
        if end == End::Rejected {
            state.uncount_start(home);
        }
        state.end_active(seat.slot(), end, &mut wakes);
        if self.is_launching() {
            drop(state);
        } else {
            self.dispatch(state);
        }
        wakes.wake();
    }

    fn lend(&self, seat: &Seat) {
        let mut state = self.lock();
        state.gate.lend(seat.slot());
        seat.set_permit(Hold::Lent);
        self.dispatch(state);
    }

    fn come_back(&self, seat: &Seat) {
        let mut state = self.lock();
        state.gate.come_back(seat.slot());
        seat.set_permit(Hold::Returning);
        self.dispatch(state);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Keeper for Core {
    fn abort(&self, slot: Slot, id: TaskId, reason: Reason) -> bool {
        let mut wakes = Wakes::default();
        let state = self.lock();
        let asked = match state.gate.get(slot, id) {
            Some(Content::Active(Some(seat))) => seat.ask(reason, &mut wakes),
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

    fn state(&self, slot: Slot, id: TaskId) -> TaskState {
        self.lock().gate.progress(slot, id)
    }

    fn waker(&self, cx: &Context<'_>) -> Waker {
        match self.running_here() {
            Some(seat) => seat.nest().waker(cx),
            None => cx.waker().clone(),
        }
    }

    fn expire(&self, slot: Slot, id: TaskId) {
        let mut state = self.lock();
        // A permit that is there beats the limit.
        while state.gate.is_ready() && !self.is_launching() {
            self.dispatch(state);
            state = self.lock();
        }
        if let Some(Content::Waiting(_)) = state.gate.get(slot, id) {
            self.evict(state, slot, Failure::WAITED_TOO_LONG);
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
    /// Ends an active task, and starts those who can be started: the first of them with its worker.
    #[inline(never)]
    fn relieve<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        seat: &Seat,
        end: End,
        wakes: &mut Wakes,
    ) -> Option<Parked> {
        if let Some(free) = state.retire(seat, end, wakes) {
            self.offer(&mut state, free);
            return None;
        }
        let mut free = state.end_active(seat.slot(), end, wakes);
        let next = state.admit(&mut free, wakes);
        self.offer(&mut state, free);
        self.dispatch(state);
        next
    }

    /// Lets a worker stay for whom nothing is left, if the next task is likely to come at once.
    #[inline]
    fn offer(&self, state: &mut State, free: Option<Arc<Seat>>) {
        if let Some(seat) = free {
            state.lingering.offer(seat, self.expecting.load(Relaxed));
        }
    }

    /// The seat of the task of this pool, or of its groups, that is being polled on this thread.
    pub(super) fn running_here(&self) -> Option<Arc<Seat>> {
        let seat = running()?;
        let its_pool = Arc::as_ptr(seat.dispatcher()).cast::<()>();
        (its_pool == self.address()).then_some(seat)
    }

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
        task.give_up(failure.pack(), &mut |end, settle| {
            let mut wakes = Wakes::default();
            let mut state = self.lock();
            wakes.add(settle());
            state.end_withdrawn(slot, end, &mut wakes);
            drop(state);
            wakes.wake();
        });
    }
}
