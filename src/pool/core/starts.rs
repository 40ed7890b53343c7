//! Counting the starts of tasks in the rates that they are in.

use std::num::NonZeroU64;
use std::time::Instant;

use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::parts::rate::Rate;
use crate::pool::core::parts::window::Stamp;
use crate::pool::core::state::State;
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::Slot;
use crate::worker::WorkerShared;

impl State {
    /// Limits the starts from now on.
    pub(crate) fn limit_starts(&mut self, rate: Rate) {
        self.gate.allow(NodeId::ROOT, rate.starts);
    }

    /// Returns the innermost node with a rate that the task in a slot is in.
    fn limit_of(&self, slot: Slot) -> Option<NodeId> {
        self.gate.data(self.gate.home(slot)).limit
    }

    /// Makes the start of the task in a slot available again, which was not used.
    pub(crate) fn give_back_start_of(&mut self, slot: Slot) {
        let limit = self.limit_of(slot);
        self.give_start_back(limit, None);
    }
}

/// The starts of a rate.
///
/// The gate gives a start to a task together with its permit. The start is counted at the first poll of the task, and
/// again at the end of that poll. If the task ends before its first poll, its start is available again.
impl Core {
    /// Counts the worker's task, which is about to be polled for the first time, as started.
    #[inline(never)]
    pub(crate) fn begin_with_rates(&self, worker: &WorkerShared) {
        // The clock may be user code: it is read with the pool unlocked.
        let raw = self.raw_now();
        let now = self.moment_of(raw);
        let mut state = self.lock();
        state.begin(worker, now);
        // The source of a feed does not start: its items do.
        let counts = !worker.is_unstarted();
        let counted = self.count_first_poll(&mut state, worker, counts.then_some(raw));
        if counted.has_groups {
            self.dispatch(state);
        } else {
            self.dispatch_more(state);
        }
        self.tell_timer(counted.is_starved);
    }

    /// Returns the time of the runtime's clock, if there is a rate that a start may count in. The caller has not locked
    /// the pool, since the clock may be user code.
    #[inline]
    pub(crate) fn time_of_start(&self) -> Option<Instant> {
        self.has_rates().then(|| self.raw_now())
    }

    /// Counts the start of the worker's task, which is about to be polled for the first time, in each rate that it is in,
    /// at this time of the runtime's clock.
    pub(crate) fn count_first_poll(
        &self,
        state: &mut State,
        worker: &WorkerShared,
        raw: Option<Instant>,
    ) -> Counted {
        let slot = worker.slot();
        let limit = raw.and_then(|_| state.limit_of(slot));
        let Some((limit, raw)) = limit.zip(raw) else {
            return Counted::default();
        };
        let (stamps, counted) = self.count_at(state, limit, Some(slot), raw);
        worker.begin_first_poll(stamps.to_note());
        counted
    }

    /// Counts a start in the rate of a node, which has one, and of each node around it.
    fn count_at(
        &self,
        state: &mut State,
        limit: NodeId,
        slot: Option<Slot>,
        raw: Instant,
    ) -> (Stamps, Counted) {
        let start = self.clock.count_start(raw);
        let has_groups = limit != NodeId::ROOT;
        if has_groups {
            state.count_group_start(limit, slot, start.now);
        }
        let pool = start.stamp;
        let counted = Counted {
            has_groups,
            is_starved: start.is_starved,
        };
        (Stamps { pool, has_groups }, counted)
    }

    /// Counts the start of the code in place that a slot belongs to.
    #[inline]
    pub(crate) fn count_start_of(&self, slot: Slot) -> Option<Stamps> {
        self.has_rates().then(|| self.count_limited_start(slot))?
    }

    #[inline(never)]
    fn count_limited_start(&self, slot: Slot) -> Option<Stamps> {
        if !self.has_group_rates.load(Relaxed) {
            return self.settings.rate.map(|_| self.count_pool_start());
        }
        let raw = self.raw_now();
        let state = self.lock();
        let limit = state.limit_of(slot)?;
        Some(self.count_and_dispatch(state, limit, Some(slot), raw))
    }

    /// Counts the start of a caller that has no slot, in the rate of a node, which has one, and of each node around it.
    pub(crate) fn count_start(&self, limit: NodeId) {
        if limit == NodeId::ROOT {
            self.count_pool_start();
        } else {
            let raw = self.raw_now();
            self.count_and_dispatch(self.lock(), limit, None, raw);
        }
    }

    /// Counts a start that is in the rate of the pool alone, for which the pool need not be locked.
    fn count_pool_start(&self) -> Stamps {
        let start = self.clock.count_start(self.raw_now());
        self.tell_timer(start.is_starved);
        Stamps {
            pool: start.stamp,
            has_groups: false,
        }
    }

    fn count_and_dispatch<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        limit: NodeId,
        slot: Option<Slot>,
        raw: Instant,
    ) -> Stamps {
        let (stamps, counted) = self.count_at(&mut state, limit, slot, raw);
        self.dispatch(state);
        self.tell_timer(counted.is_starved);
        stamps
    }

    /// Counts a start again, at the end of the first poll.
    pub(crate) fn recount_start(&self, stamps: Stamps, slot: Slot) {
        let now = self.recount_pool_start(stamps.pool);
        if stamps.has_groups {
            self.lock().rates.recount(slot, now);
        }
    }

    /// Returns `true` if the pool or a group has a rate.
    #[inline]
    pub(crate) fn has_rates(&self) -> bool {
        self.settings.rate.is_some() || self.has_group_rates.load(Relaxed)
    }

    /// Counts the start of the worker's task again, at the end of its first poll: no time that the task reads from a
    /// clock in that poll is later than the counted one.
    pub(crate) fn recount_first_poll(&self, worker: &WorkerShared) {
        if let Some(note) = worker.end_first_poll() {
            self.recount_start(Stamps::of_note(note), worker.slot());
        }
    }

    /// Ends what the worker's task has to do with the rate, before the end of the task is made known.
    ///
    /// Returns `true` if the start of the task was not used. The caller makes it available again under the lock under which
    /// it gives the permits back: without these, a start could go to a younger task than the one that waits for both.
    #[inline]
    #[must_use = "an unused start is given back"]
    pub(crate) fn end_start(&self, worker: &WorkerShared) -> bool {
        if !self.has_rates() {
            return false;
        }
        let is_unused = worker.is_unstarted();
        if !is_unused {
            self.recount_first_poll(worker);
        }
        is_unused
    }
}

/// What a start that was counted asks of the caller.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    /// `true` if the rate of a group has counted the start. The timer may have to look at that group: the caller
    /// [dispatches](Core::dispatch).
    pub(crate) has_groups: bool,
    /// `true` if something waits for the next start of the pool. After unlocking, the caller [tells the
    /// timer](Core::tell_timer) of this one.
    pub(crate) is_starved: bool,
}

/// A start that may be counted again: the one of the pool, and whether groups have counted it too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    pool: Option<Stamp>,
    has_groups: bool,
}

impl Stamps {
    /// Returns the stamps as a number: at least one rate has counted the start, so that it is not 0.
    fn to_note(self) -> NonZeroU64 {
        let pool = self.pool.map_or(0, |Stamp(number)| number.get());
        let note = pool << 1 | u64::from(self.has_groups);
        NonZeroU64::new(note).unwrap_or(NonZeroU64::MIN)
    }

    fn of_note(note: NonZeroU64) -> Self {
        Self {
            pool: NonZeroU64::new(note.get() >> 1).map(Stamp),
            has_groups: note.get() & 1 == 1,
        }
    }
}
