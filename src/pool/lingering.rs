use std::sync::Arc;

use super::core::Core;
use super::runtime::Runtime;
use super::state::Runner;
use crate::task::RuntimeId;
use crate::worker::Seat;

/// Workers that have nothing to do, and stay for two more polls: a task that comes meanwhile needs no new worker.
///
/// All stay while the next tasks are known to come. Otherwise a few do, and how
/// many follows from how it went: one that is given a task makes room for one
/// more, one that has stayed in vain takes half of the room away. Where there is
/// none, as in the beginning, one is tried now and then.
pub(super) struct Lingering {
    /// Those who stay, and have not been handed a task.
    seats: Vec<Arc<Seat>>,
    room: usize,
    /// How many have found no room since one was tried.
    refused: u32,
}

/// No more than so many stay on the chance of a task. More would take the work from each other, and each has to
/// fetch what it needs from the other threads.
const FEW: usize = 2;

/// One of so many is tried where there is no room.
const TRIED: u32 = 16;

impl Lingering {
    pub(super) fn new() -> Self {
        Self {
            seats: Vec::new(),
            room: 0,
            refused: 0,
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// Lets a worker stay, if there is room or a task is `expected`.
    #[inline]
    pub(super) fn offer(&mut self, seat: Arc<Seat>, expected: bool) {
        if expected || self.seats.len() < self.room || self.is_tried() {
            seat.set_idle(true);
            seat.set_place(self.seats.len());
            self.seats.push(seat);
        }
    }

    fn is_tried(&mut self) -> bool {
        self.refused = (self.refused + 1) % TRIED;
        self.refused == 0 && self.room == 0
    }

    /// Chooses the worker for a task of this runtime: the one that has become free, an idle one, or a new one.
    #[inline]
    pub(super) fn runner(
        &mut self,
        free: &mut Option<Arc<Seat>>,
        runtime: Option<&Runtime>,
        core: &Core,
    ) -> (Arc<Seat>, Runner) {
        let id = runtime.map(Runtime::id);
        if let Some(seat) = free.take_if(|seat| seat.runtime() == id) {
            return (seat, Runner::Free);
        }
        if let Some(seat) = self.take(id) {
            return (seat.clone(), Runner::Idle(seat));
        }
        let seat = Arc::new(Seat::new(core.me(), id));
        (seat.clone(), Runner::New(seat, runtime.cloned()))
    }

    /// Takes the newest one out, to be handed a task, if it is a worker of this runtime.
    #[inline]
    pub(super) fn take(&mut self, runtime: Option<RuntimeId>) -> Option<Arc<Seat>> {
        self.seats.last().filter(|seat| seat.runtime() == runtime)?;
        self.room = (self.room + 1).min(FEW);
        self.seats.pop()
    }

    /// Takes one out that has stayed in vain.
    pub(super) fn leave(&mut self, seat: &Arc<Seat>) {
        seat.set_idle(false);
        let place = seat.place();
        if self
            .seats
            .get(place)
            .is_some_and(|other| Arc::ptr_eq(other, seat))
        {
            self.seats.swap_remove(place);
            if let Some(moved) = self.seats.get(place) {
                moved.set_place(place);
            }
        }
        self.room /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::AioPool;

    fn seats(count: usize) -> Vec<Arc<Seat>> {
        let pool = AioPool::new(1);
        let seat = || Arc::new(Seat::new(pool.inner.core.clone(), None));
        std::iter::repeat_with(seat).take(count).collect()
    }

    fn stays(lingering: &mut Lingering, seat: &Arc<Seat>) -> bool {
        lingering.offer(seat.clone(), false);
        seat.is_idle()
    }

    #[test]
    fn one_is_tried_now_and_then_and_more_stay_as_long_as_that_is_worth_it() {
        let (mut lingering, seats) = (Lingering::new(), seats(FEW + 1));
        for _ in 0..3 {
            let tries = (1..).find(|_| stays(&mut lingering, &seats[0]));
            assert_eq!(tries, Some(TRIED));
            lingering.leave(&seats[0]);
            assert!(!seats[0].is_idle() && lingering.is_empty());
        }
        for tried in 0..TRIED {
            assert_eq!(stays(&mut lingering, &seats[0]), tried + 1 == TRIED);
        }
        for _ in 0..FEW {
            let handed = lingering.take(None).unwrap();
            handed.set_idle(false);
            assert!(stays(&mut lingering, &seats[0]));
        }
        assert!(seats[1..FEW].iter().all(|seat| stays(&mut lingering, seat)));
        assert!(!stays(&mut lingering, &seats[FEW]), "there are enough");
    }

    #[test]
    fn all_stay_where_tasks_are_expected() {
        let (mut lingering, seats) = (Lingering::new(), seats(100));
        for seat in &seats {
            lingering.offer(seat.clone(), true);
        }
        assert!(seats.iter().all(|seat| seat.is_idle()));
        for seat in seats.iter().rev() {
            assert!(Arc::ptr_eq(&lingering.take(None).unwrap(), seat));
        }
    }
}
