//! Starts: how many tasks may still start at a node, where a rate limits them.

use super::node::Node;
use super::state::Gate;
use super::tree::NodeId;

impl<W, A, L> Gate<W, A, L> {
    /// Sets the number of tasks that may start at a node from now on.
    pub(crate) fn allow(&mut self, node: NodeId, starts: u32) {
        let at = self.tree.at_mut(node.0);
        self.limited += usize::from(at.starts.is_none());
        at.set_starts(starts);
        if node == NodeId::ROOT {
            self.has_fast_path = false;
        }
        self.refresh(node.0);
    }

    /// Lets more tasks start at a node whose starts are limited.
    pub(crate) fn add_starts(&mut self, node: NodeId, starts: u32) {
        if let Some(left) = self.starts(node) {
            self.allow(node, left + starts);
        }
    }

    /// Takes a start of a node for something that needs no permit. Returns `false` if none is left.
    pub(crate) fn take_start(&mut self, node: NodeId) -> bool {
        let is_left = !self.is_spent(node);
        if is_left {
            self.count_start_at(node.0);
            self.refresh(node.0);
        }
        is_left
    }

    /// Number of tasks that may start at a node now, if that is limited.
    pub(crate) fn starts(&self, node: NodeId) -> Option<u32> {
        self.tree.at(node.0).starts
    }

    /// Returns `true` if no start of a node is left.
    #[inline]
    pub(crate) fn is_spent(&self, node: NodeId) -> bool {
        self.tree.at(node.0).starts == Some(0)
    }

    /// Returns `true` if the starts of any node are limited.
    #[inline]
    pub(crate) fn limits_starts(&self) -> bool {
        self.limited > 0
    }

    /// Returns `true` if a group has spent its last start since [`take_spent`](Self::take_spent) was called.
    #[inline]
    pub(crate) fn has_spent(&self) -> bool {
        !self.spent.is_empty()
    }

    /// Returns a group that has spent its last start, once for each time. It may have got others since, or have ended.
    pub(crate) fn take_spent(&mut self) -> Option<NodeId> {
        self.spent.pop()
    }

    /// Counts the start of a task at its node and at each node around it. The caller updates their offers.
    #[inline]
    pub(super) fn count_start(&mut self, home: u32) {
        if self.limited > 0 {
            self.count_start_from(home);
        }
    }

    #[inline(never)]
    fn count_start_from(&mut self, home: u32) {
        let mut at = Some(home);
        while let Some(node) = at {
            self.count_start_at(node);
            at = self.tree.at(node).parent;
        }
    }

    fn count_start_at(&mut self, at: u32) {
        let node = self.tree.at_mut(at);
        match &mut node.starts {
            None => {}
            Some(1) => self.spend_last_at(at),
            Some(left) => *left -= 1,
        }
    }

    #[inline(never)]
    fn spend_last_at(&mut self, at: u32) {
        self.tree.at_mut(at).set_starts(0);
        if at != NodeId::ROOT_AT {
            self.spent.push(NodeId(at));
        }
    }
}

impl<L> Node<L> {
    /// Sets the number of starts that are left. While none is, this is one of the `holds`, so that no other method has
    /// to look at the starts.
    fn set_starts(&mut self, starts: u32) {
        let before = self.starts.replace(starts);
        self.holds -= u32::from(before == Some(0));
        self.holds += u32::from(starts == 0);
    }
}
