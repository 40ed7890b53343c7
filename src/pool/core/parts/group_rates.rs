use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::gate::NodeId;
use crate::pool::core::parts::rate::Rate;
use crate::pool::core::parts::window::{Stamp, Window};
use crate::task::Slot;

/// The rates of the groups that have one.
///
/// The rate of the pool itself is not among them: its window is in the clock.
pub(crate) struct GroupRates {
    rates: BTreeMap<NodeId, GroupRate>,
    /// The times at which the timer looks at a group, each of which is in the group's rate too.
    due: BTreeSet<(Instant, NodeId)>,
    /// The starts of the tasks that are in their first poll, to be counted again at the end of that poll.
    // Few at a time, whatever the number of slots is.
    pub(crate) first_polls: BTreeMap<Slot, Vec<(NodeId, Stamp)>>,
}

struct GroupRate {
    window: Window,
    /// The next node around the group that has a rate.
    around: Option<NodeId>,
    awaits: Awaits,
    due: Option<Instant>,
}

/// What the timer waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Nothing,
    /// No start is left: the timer gives starts back as soon as the first interval is over.
    Start,
    /// The group is not in use, and ends when no interval goes on.
    End,
}

/// A group of which intervals are over.
pub(crate) struct Over {
    pub(crate) group: NodeId,
    /// Number of starts that are available again.
    pub(crate) starts: u32,
}

impl GroupRates {
    pub(crate) const fn new() -> Self {
        Self {
            rates: BTreeMap::new(),
            due: BTreeSet::new(),
            first_polls: BTreeMap::new(),
        }
    }

    /// Adds the rate of a new group. `around` is the next node around it that has a rate.
    pub(crate) fn add(&mut self, group: NodeId, rate: Rate, around: Option<NodeId>) {
        let rate = GroupRate {
            window: Window::new(rate),
            around,
            awaits: Awaits::Nothing,
            due: None,
        };
        self.rates.insert(group, rate);
    }

    /// Returns the next node around a group that has a rate.
    pub(crate) fn around(&self, group: NodeId) -> Option<NodeId> {
        self.rates.get(&group)?.around
    }

    /// Returns when the timer has to look at a group.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Returns the interval of the group that the timer looks at next, if that has no start left, and the number of groups
    /// that the timer has to look at.
    pub(crate) fn next_interval(&self) -> Option<(Duration, u32)> {
        let (_, group) = self.due.first()?;
        let rate = self.rates.get(group)?;
        let groups = u32::try_from(self.due.len()).unwrap_or(u32::MAX);
        (rate.awaits == Awaits::Start).then(|| (rate.window.per(), groups))
    }

    /// Counts a start in the rate of a group, and of each group around it.
    pub(crate) fn count(&mut self, group: NodeId, now: Instant) -> Vec<(NodeId, Stamp)> {
        let (mut stamps, mut next) = (Vec::new(), Some(group));
        while let Some(group) = next {
            let Some(rate) = self.rates.get_mut(&group) else {
                break;
            };
            stamps.push((group, rate.window.count(now)));
            next = rate.around;
            self.plan(group);
        }
        stamps
    }

    /// Counts the start of the task in a slot again, at the end of its first poll.
    pub(crate) fn recount(&mut self, slot: Slot, now: Instant) {
        for (group, stamp) in self.first_polls.remove(&slot).into_iter().flatten() {
            if let Some(rate) = self.rates.get_mut(&group) {
                rate.window.recount(stamp, now);
                self.plan(group);
            }
        }
    }

    /// Forgets the start of code in place, which is not counted again.
    pub(crate) fn forget_first_poll(&mut self, slot: Slot) {
        self.first_polls.remove(&slot);
    }

    /// Makes the timer give starts back to a group that has none left.
    pub(crate) fn await_start(&mut self, group: NodeId) {
        self.set_awaits(group, Awaits::Start);
    }

    /// Removes the rate of a group that is not in use. Returns `false` if an interval goes on: then the timer ends the
    /// group later, because a group of the same name would have a new rate before that.
    pub(crate) fn end(&mut self, group: NodeId) -> bool {
        let Some(rate) = self.rates.get(&group) else {
            return true;
        };
        if rate.window.end().is_none() {
            let due = rate.due.map(|at| (at, group));
            due.map(|due| self.due.remove(&due));
            self.rates.remove(&group);
            return true;
        }
        if rate.awaits == Awaits::Nothing {
            self.set_awaits(group, Awaits::End);
        }
        false
    }

    fn set_awaits(&mut self, group: NodeId, awaits: Awaits) {
        if let Some(rate) = self.rates.get_mut(&group) {
            rate.awaits = awaits;
            self.plan(group);
        }
    }

    /// Updates when the timer has to look at a group.
    fn plan(&mut self, group: NodeId) {
        let Some(rate) = self.rates.get_mut(&group) else {
            return;
        };
        let due = match rate.awaits {
            Awaits::Nothing => None,
            Awaits::Start => rate.window.next(),
            Awaits::End => rate.window.end(),
        };
        let stale = std::mem::replace(&mut rate.due, due);
        if stale != due {
            stale.map(|at| self.due.remove(&(at, group)));
            due.map(|at| self.due.insert((at, group)));
        }
    }

    /// Ends the intervals of the next group that the timer has to look at: those that are over at this time, or all of
    /// them for `None`.
    pub(crate) fn end_first(&mut self, now: Option<Instant>) -> Option<Over> {
        let &(at, group) = self.due.first()?;
        if now.is_some_and(|now| now < at) {
            return None;
        }
        self.due.pop_first();
        let rate = self.rates.get_mut(&group)?;
        rate.due = None;
        match now {
            Some(now) => rate.window.expire(now),
            None => rate.window.clear(),
        }
        let starts = rate.window.take_back();
        if starts > 0 {
            rate.awaits = Awaits::Nothing;
        }
        self.plan(group);
        Some(Over { group, starts })
    }
}
