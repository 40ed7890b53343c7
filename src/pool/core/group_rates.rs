//! The rates of groups: the starts in the last interval of each, and what the timer has to do about them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::error::GroupError;
use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::rate::Rate;
use crate::pool::core::state::State;
use crate::pool::core::window::{Stamp, Window};
use crate::sync::atomic::Ordering::Relaxed;
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
    first_polls: BTreeMap<Slot, Vec<(NodeId, Stamp)>>,
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
struct Over {
    group: NodeId,
    /// Number of starts that are available again.
    starts: u32,
}

/// Maximum number of groups that are looked at under one lock.
const AT_ONCE: usize = 256;

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
    fn count(&mut self, group: NodeId, now: Instant) -> Vec<(NodeId, Stamp)> {
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
    fn await_start(&mut self, group: NodeId) {
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
    fn end_first(&mut self, now: Option<Instant>) -> Option<Over> {
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

impl Core {
    /// Checks that a group may have this rate, and notes that there is one.
    pub(crate) fn check_group_rate(&self, rate: Option<Rate>) -> Result<(), GroupError> {
        if rate.is_none() {
            return Ok(());
        }
        // A pool that has not found its runtime yet looks for a timer when it finds it.
        if !self.has_timer() {
            return Err(GroupError::NoTimer);
        }
        self.has_group_rates.store(true, Relaxed);
        self.watches_time.store(true, Relaxed);
        Ok(())
    }
}

impl State {
    /// Gives a new group a rate. `around` is the next node around it that has one.
    pub(crate) fn limit_group(&mut self, group: NodeId, rate: Rate, around: Option<NodeId>) {
        self.rates.add(group, rate, around);
        self.gate.data_mut(group).limit = Some(group);
        self.gate.allow(group, rate.starts);
    }

    /// Makes the next dispatch look for starts that have come back to a node or a node around it, if none is left there.
    pub(crate) fn look_for_starts(&mut self, node: NodeId) {
        let mut next = self.gate.data(node).limit;
        while let Some(node) = next {
            self.asks_time |= self.gate.is_spent(node);
            next = self.limit_around(node);
        }
    }

    /// Returns the next node around a node that has a rate.
    pub(crate) fn limit_around(&self, node: NodeId) -> Option<NodeId> {
        self.rates.around(node)
    }

    /// Counts a start of a group, which has a rate. If it is the start of the task in a slot, it is counted again at the
    /// end of the task's first poll.
    pub(crate) fn count_group_start(&mut self, group: NodeId, slot: Option<Slot>, now: Instant) {
        let before = self.rates.next();
        let stamps = self.rates.count(group, now);
        if let Some(slot) = slot {
            self.rates.first_polls.insert(slot, stamps);
        }
        self.asks_time |= self.rates.next() != before;
    }

    /// Makes the timer look at the groups that have spent their last start.
    pub(crate) fn await_starts(&mut self) {
        while let Some(group) = self.gate.take_spent() {
            self.rates.await_start(group);
        }
    }

    /// Makes more starts of a node available.
    pub(crate) fn add_starts(&mut self, node: NodeId, starts: u32) {
        self.gate.add_starts(node, starts);
        self.throttles.note_starts(node);
    }

    /// Makes the start of a task or of a caller available again, which was not used: in the rate of `from`, and of the
    /// nodes around it up to `until`.
    pub(crate) fn give_start_back(&mut self, from: Option<NodeId>, until: Option<NodeId>) {
        let mut next = from;
        while next != until {
            let Some(node) = next else { break };
            self.add_starts(node, 1);
            next = self.limit_around(node);
        }
    }

    /// Ends the intervals of some of the groups that the timer has to look at: those that are over at this time, or all
    /// for `None`. Returns `false` if there were none.
    pub(crate) fn end_intervals(&mut self, now: Option<Instant>) -> bool {
        let mut any = false;
        for _ in 0..AT_ONCE {
            let Some(Over { group, starts }) = self.rates.end_first(now) else {
                break;
            };
            self.add_starts(group, starts);
            // `tidy` ends it, unless it is in use, or an interval goes on.
            self.ending.push(group);
            any = true;
        }
        any
    }
}
