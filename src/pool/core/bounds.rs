//! The bounds of the queues: how many tasks of a pool, and of each of its groups, may wait.

use crate::gate::NodeId;
use crate::pool::core::state::State;

impl State {
    /// Returns `true` if the queue of a node, or of a node around it, has a bound.
    #[inline]
    pub(crate) fn is_bounded(&self, home: NodeId) -> bool {
        self.gate.data(home).is_bounded
    }

    /// Returns `true` if one more task of a node may wait: neither the node nor any node around it is full by its own
    /// bound.
    #[inline]
    pub(crate) fn may_wait(&self, home: NodeId) -> bool {
        !self.is_bounded(home) || self.is_within_bounds(home)
    }

    #[inline(never)]
    fn is_within_bounds(&self, home: NodeId) -> bool {
        self.gate.path(home).all(|(node, data)| {
            let has_place = |bound| self.gate.waiting(node) < bound;
            data.max_waiting.is_none_or(has_place)
        })
    }
}
