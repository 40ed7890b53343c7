//! The rates of groups: the starts in the last interval of each, and what the timer has to do about them.

use std::time::Instant;

use crate::error::GroupError;
use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::parts::group_rates::Over;
use crate::pool::core::parts::rate::Rate;
use crate::pool::core::state::State;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::Slot;

/// Maximum number of groups that are looked at under one lock.
const AT_ONCE: usize = 256;

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
