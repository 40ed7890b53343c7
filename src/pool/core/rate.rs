use std::num::NonZeroU64;
use std::time::Duration;

use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::state::State;
use crate::pool::core::window::Stamp;
use crate::spawner::Spawner;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::Slot;
use crate::unwind::{caught, discard};
use crate::worker::WorkerShared;

/// The maximum number of starts in an interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) starts: u32,
    pub(crate) per: Duration,
}

impl Rate {
    /// Returns the rate at which starts are as far apart as this rate allows on average. It keeps this rate too: so many
    /// starts need the whole interval.
    pub(crate) fn spread(self) -> Self {
        let mut apart = self.per / self.starts;
        if apart * self.starts < self.per {
            apart += Duration::from_nanos(1);
        }
        Self {
            starts: 1,
            per: apart,
        }
    }

    pub(crate) fn spread_if(self, spreads: bool) -> Self {
        if spreads { self.spread() } else { self }
    }

    /// Returns `true` if no start is allowed in any time, or any number in no time.
    pub(crate) fn is_senseless(self) -> bool {
        self.starts == 0 || self.per.is_zero()
    }
}

/// Returns `true` if a runtime has a timer.
pub(crate) fn has_timer(spawner: &dyn Spawner) -> bool {
    let sleep = caught(|| spawner.sleep(Duration::from_millis(1)));
    let sleep = sleep.ok().flatten();
    let is_there = sleep.is_some();
    discard(sleep);
    is_there
}

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
    /// Counts the start of the worker's task, which is about to be polled for the first time.
    pub(crate) fn begin_start(&self, worker: &WorkerShared) {
        if let Some(stamps) = self.count_start_of(worker.slot()) {
            worker.begin_first_poll(stamps.to_note());
        }
    }

    /// Counts the start of the task, or of the code in place, that a slot belongs to.
    #[inline]
    pub(crate) fn count_start_of(&self, slot: Slot) -> Option<Stamps> {
        self.has_rates().then(|| self.count_limited_start(slot))?
    }

    #[inline(never)]
    fn count_limited_start(&self, slot: Slot) -> Option<Stamps> {
        let limit = if self.has_group_rates.load(Relaxed) {
            self.lock().limit_of(slot)
        } else {
            self.settings.rate.map(|_| NodeId::ROOT)
        };
        limit.map(|limit| self.count_start(limit, Some(slot)))
    }

    /// Counts a start in the rate of a node, which has one, and of each node around it.
    pub(crate) fn count_start(&self, limit: NodeId, slot: Option<Slot>) -> Stamps {
        let (now, pool) = self.count_pool_start();
        let has_groups = limit != NodeId::ROOT;
        if has_groups {
            let mut state = self.lock();
            state.count_group_start(limit, slot, now);
            self.dispatch(state);
        }
        Stamps { pool, has_groups }
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
    #[inline]
    pub(crate) fn end_start(&self, worker: &WorkerShared) {
        if !self.has_rates() {
            return;
        }
        if worker.is_unstarted() {
            self.give_back_start_of(worker);
        } else {
            self.recount_first_poll(worker);
        }
    }
}

impl Core {
    /// Makes the start of a worker's task available again, which was not used.
    pub(crate) fn give_back_start_of(&self, worker: &WorkerShared) {
        let mut state = self.lock();
        state.give_back_start_of(worker.slot());
        self.dispatch_nested(state);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_rate_keeps_the_rate_that_it_spreads() {
        for starts in [1, 2, 3, 7, 20, 1000, u32::MAX] {
            for nanos in [1, 10, 1_000_000_007, u64::MAX] {
                let per = Duration::from_nanos(nanos);
                let spread = Rate { starts, per }.spread();
                assert_eq!(spread.starts, 1);
                assert!(spread.per.as_nanos() * u128::from(starts) >= per.as_nanos());
                let earlier = spread.per.as_nanos() - 1;
                assert!(earlier * u128::from(starts) < per.as_nanos());
            }
        }
        let per = Duration::MAX;
        assert_eq!(Rate { starts: 1, per }.spread().per, per);
    }
}
