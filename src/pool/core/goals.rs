//! Telling the callers that wait for a goal of the pool or of a group, as `join` and `below` do, that it is reached.

use crate::gate::NodeId;
use crate::pool::core::parts::node_data::NodeData;
use crate::pool::core::state::State;
use crate::pool::lifecycle::waiters::{Joiner, Now};
use crate::wakes::Wakes;

impl State {
    /// Wakes the callers that wait for a goal which a node, or a node around it, has reached.
    #[inline]
    pub(crate) fn tell_waiters(&mut self, home: NodeId, wakes: &mut Wakes) {
        let is_awaited = !self.gate.data(NodeId::ROOT).waiters.is_empty();
        if home != NodeId::ROOT || is_awaited {
            self.tell_waiters_from(home, wakes);
        }
    }

    #[inline(never)]
    fn tell_waiters_from(&mut self, home: NodeId, wakes: &mut Wakes) {
        let mut reached = Vec::new();
        let mut next = Some(home);
        while let Some(node) = next {
            self.take_reached(node, &mut reached, wakes);
            next = self.gate.parent(node);
        }
        // Only after the loop: as long as the tasks that were found count as joining, they do not keep each other
        // waiting.
        reached.iter().for_each(|joiner| self.end_join(joiner));
    }

    /// Does the same for each of these nodes that is `outer` or inside of it.
    pub(crate) fn tell_waiters_of(&mut self, nodes: &[NodeId], outer: NodeId, wakes: &mut Wakes) {
        let mut reached = Vec::new();
        for &node in nodes {
            let is_awaited = !self.gate.data(node).waiters.is_empty();
            if is_awaited && self.gate.is_inside(node, outer) {
                self.take_reached(node, &mut reached, wakes);
            }
        }
        reached.iter().for_each(|joiner| self.end_join(joiner));
    }

    #[inline]
    fn take_reached(&mut self, node: NodeId, reached: &mut Vec<Joiner>, wakes: &mut Wakes) {
        if self.gate.data(node).waiters.is_empty() {
            return;
        }
        let now = self.now(node);
        let waiters = &mut self.gate.data_mut(node).waiters;
        if waiters.may_be_reached(now) {
            waiters.take_reached(now, reached, wakes);
        }
    }

    /// Counts a task as joining: once, in however many joins it is.
    pub(crate) fn begin_join(&mut self, joiner: &Joiner) {
        if joiner.nested_waits.begin_join() {
            let begin = |data: &mut NodeData| data.joining += 1;
            self.gate.each_data_from(joiner.home, begin);
        }
    }

    /// Ends one join of a task: the join has reached its goal, or was dropped.
    pub(crate) fn end_join(&mut self, joiner: &Joiner) {
        if joiner.nested_waits.end_join() {
            self.uncount_joining(joiner.home);
        }
    }

    /// Counts a task as joining no longer. This reaches no goal: the callers that wait for the task are told when it
    /// ends.
    pub(crate) fn uncount_joining(&mut self, home: NodeId) {
        self.gate.each_data_from(home, |data| data.joining -= 1);
    }

    pub(crate) fn now(&self, node: NodeId) -> Now {
        Now {
            waiting: self.gate.waiting(node),
            living: self.gate.living(node),
            joining: self.gate.data(node).joining,
            closed: self.is_closed(node),
        }
    }
}
