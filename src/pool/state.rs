use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use super::detail::Detail;
use super::stats::Stats;
use super::waiters::{Now, Waiters};
use crate::gate::{Content, Gate, LevelId, Standing};
use crate::task::{End, Parked, Slot, TaskId};
use crate::wakes::Wakes;
use crate::worker::Seat;

/// All that changes in a pool, behind its one lock.
///
/// # Invariants
///
/// 1. Whenever the lock is free, the gate has nobody to admit, or somebody is
///    inside [`dispatch`](super::Core::dispatch), and will look again.
/// 2. A task's end is one step: handle, counters, permits and slot change together.
///    Where many are withdrawn at once, they are counted first, then settled one by
///    one, and their slots, by which the pool is not yet idle, are freed last.
/// 3. `idle` holds the seats of those workers that linger, and have not been handed a task.
/// 4. `details` and the gate have a slot for the same time.
pub(super) struct State {
    pub(super) gate: Gate<Parked, Arc<Seat>>,
    pub(super) stats: Stats,
    pub(super) closed: bool,
    pub(super) waiters: Waiters,
    pub(super) idle: VecDeque<Arc<Seat>>,
    /// What is known of those tasks that are more than a future.
    pub(super) details: HashMap<Slot, Arc<Detail>>,
}

impl State {
    pub(super) fn new(size: usize) -> Self {
        Self {
            gate: Gate::new(size),
            stats: Stats::default(),
            closed: false,
            waiters: Waiters::default(),
            idle: VecDeque::new(),
            details: HashMap::new(),
        }
    }

    /// Counts a newcomer, and gives it its number.
    pub(super) fn number(&mut self) -> TaskId {
        let id = self.stats.submitted;
        self.stats.submitted += 1;
        id.into()
    }

    /// Puts a newcomer into the queue.
    #[inline]
    pub(super) fn park(
        &mut self,
        standing: Standing,
        detail: Option<Arc<Detail>>,
        make: impl FnOnce(TaskId, Slot) -> Parked,
    ) {
        let id = self.number();
        let slot = self
            .gate
            .enter(id, LevelId::ROOT, standing, |slot| make(id, slot));
        if let Some(detail) = detail {
            self.details.insert(slot, detail);
        }
    }

    /// Lets the next task start with this worker, who stays free if there is none.
    #[inline]
    pub(super) fn admit(
        &mut self,
        free: &mut Option<Arc<Seat>>,
        wakes: &mut Wakes,
    ) -> Option<Parked> {
        let task = self.gate.admit(|slot| {
            let seat = free.take();
            seat.iter().for_each(|seat| seat.serve(slot));
            seat
        })?;
        self.stats.started += 1;
        self.tell_waiters(wakes);
        Some(task)
    }

    /// Ends an active task, and returns the seat of its worker.
    #[inline]
    pub(super) fn end_active(
        &mut self,
        slot: Slot,
        end: End,
        joiner: Option<Waker>,
        wakes: &mut Wakes,
    ) -> Option<Arc<Seat>> {
        let seat = self.gate.leave(slot);
        self.end(slot, end, joiner, wakes);
        seat
    }

    /// Ends a task that was withdrawn from the queue.
    pub(super) fn end_withdrawn(
        &mut self,
        slot: Slot,
        end: End,
        joiner: Option<Waker>,
        wakes: &mut Wakes,
    ) {
        self.gate.forget(slot);
        self.end(slot, end, joiner, wakes);
    }

    #[inline]
    fn end(&mut self, slot: Slot, end: End, joiner: Option<Waker>, wakes: &mut Wakes) {
        if !self.details.is_empty() {
            self.details.remove(&slot);
        }
        self.stats.count(end);
        wakes.add(joiner);
        self.tell_waiters(wakes);
    }

    #[inline]
    pub(super) fn tell_waiters(&mut self, wakes: &mut Wakes) {
        if !self.waiters.is_empty() {
            self.waiters.take_reached(self.now(), wakes);
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            waiting: self.gate.waiting(LevelId::ROOT),
            living: self.gate.living(),
            closed: self.closed,
        }
    }

    /// Takes a waiting task out of the queue to be cancelled, and counts that now.
    pub(super) fn withdraw(&mut self, slot: Slot) -> Option<(Slot, Parked)> {
        let task = self.gate.withdraw(slot)?;
        self.stats.cancelled += 1;
        Some((slot, task))
    }

    /// The same for all that wait, in no order.
    pub(super) fn withdraw_all(&mut self) -> Vec<(Slot, Parked)> {
        let withdrawn = self.gate.withdraw_all();
        self.stats.cancelled += withdrawn.len() as u64;
        withdrawn
    }

    /// Frees the slots of tasks that were withdrawn, and have been settled.
    pub(super) fn forget(&mut self, slots: &mut Vec<Slot>, wakes: &mut Wakes) {
        for slot in slots.drain(..) {
            self.gate.forget(slot);
            if !self.details.is_empty() {
                self.details.remove(&slot);
            }
        }
        self.tell_waiters(wakes);
    }

    /// The seats of all that run.
    pub(super) fn seats(&self) -> impl Iterator<Item = &Arc<Seat>> {
        self.gate
            .iter()
            .filter_map(|(_, _, content)| match content {
                Content::Active(seat) => seat.as_ref(),
                Content::Waiting(_) => None,
            })
    }
}
