use super::state::Gate;
use super::tree::NodeId;

/// Nodes: the pool and its groups.
impl<W, A, L> Gate<W, A, L> {
    /// Adds a group below `parent`.
    pub(crate) fn add_node(&mut self, parent: NodeId, size: usize, data: L) -> NodeId {
        self.tree.add(parent.0, size, data)
    }

    /// Removes a group. Returns `None` if a task lives in it, or a group is below it, or it is the root.
    pub(crate) fn remove_node(&mut self, node: NodeId) -> Option<(L, NodeId)> {
        let parent = self.parent(node)?;
        if self.is_in_use(node) {
            return None;
        }
        let removed = self.tree.remove(node.0)?;
        self.limited -= usize::from(removed.starts.is_some());
        Some((removed.data, parent))
    }

    /// Returns `true` if a task lives in a group, or another group is below it.
    #[inline]
    pub(crate) fn is_in_use(&self, group: NodeId) -> bool {
        let group = self.tree.at(group.0);
        group.living > 0 || !group.children.is_empty()
    }

    /// Returns what the caller stores for a node.
    #[inline]
    pub(crate) fn data(&self, node: NodeId) -> &L {
        &self.tree.at(node.0).data
    }

    #[inline]
    pub(crate) fn data_mut(&mut self, node: NodeId) -> &mut L {
        &mut self.tree.at_mut(node.0).data
    }

    /// Calls `change` with the data of a node, and of each node around it.
    #[inline]
    pub(crate) fn each_data_from(&mut self, home: NodeId, mut change: impl FnMut(&mut L)) {
        self.tree.each_from(home.0, |node| change(&mut node.data));
    }

    /// Returns a node, and each node around it, with their data.
    pub(crate) fn path(&self, node: NodeId) -> impl Iterator<Item = (NodeId, &L)> {
        self.tree
            .path(node.0)
            .map(|(at, node)| (NodeId(at), &node.data))
    }

    pub(crate) fn resize(&mut self, node: NodeId, size: usize) {
        self.tree.at_mut(node.0).size = size;
        self.refresh(node.0);
    }

    pub(crate) fn set_paused(&mut self, node: NodeId, paused: bool) {
        self.tree.at_mut(node.0).paused = paused;
        self.refresh(node.0);
    }

    /// Lets no task start at a node and below it, until each hold has been [released](Self::release).
    pub(crate) fn hold(&mut self, node: NodeId) {
        self.tree.at_mut(node.0).holds += 1;
        self.refresh(node.0);
    }

    pub(crate) fn release(&mut self, node: NodeId) {
        self.tree.at_mut(node.0).holds -= 1;
        self.refresh(node.0);
    }

    /// Returns `true` if a node, or a node around it, is paused.
    pub(crate) fn is_paused(&self, node: NodeId) -> bool {
        self.tree.path(node.0).any(|(_, node)| node.paused)
    }

    pub(crate) fn size(&self, node: NodeId) -> usize {
        self.tree.at(node.0).size
    }

    pub(crate) fn is_full(&self, node: NodeId) -> bool {
        let node = self.tree.at(node.0);
        node.held >= node.size
    }

    pub(crate) fn active(&self, node: NodeId) -> usize {
        self.tree.at(node.0).active
    }

    /// Number of tasks at a node and below it that wait in a queue and have not started.
    #[inline]
    pub(crate) fn waiting(&self, node: NodeId) -> usize {
        self.tree.at(node.0).waiting
    }

    /// Number of tasks at a node and below it that have started, and have lent their permits.
    pub(crate) fn lent(&self, node: NodeId) -> usize {
        self.tree.at(node.0).lent
    }

    /// Returns the node around a group.
    #[inline]
    pub(crate) fn parent(&self, node: NodeId) -> Option<NodeId> {
        match node {
            NodeId::ROOT => None,
            group => self.tree.at(group.0).parent.map(NodeId),
        }
    }

    /// Returns the nodes at `count` indices from `first` on; the root has index 0. `None` if there is no such
    /// index.
    pub(crate) fn nodes_at(&self, first: usize, count: usize) -> Option<Vec<NodeId>> {
        let end = self.tree.end().min(first + count);
        let at = (first..end).map(|at| at as u32);
        let tree = at.filter(|at| self.tree.lives(*at)).map(NodeId);
        (first < end).then(|| tree.collect())
    }

    /// Returns `true` if a node has not been removed.
    pub(crate) fn lives(&self, node: NodeId) -> bool {
        self.tree.lives(node.0)
    }

    /// Returns `true` if a node is `outer`, or is below it.
    pub(crate) fn is_inside(&self, node: NodeId, outer: NodeId) -> bool {
        outer == NodeId::ROOT || self.tree.path(node.0).any(|(at, _)| at == outer.0)
    }

    /// Number of tasks at a node and below it that have not ended: they wait, are active, have lent their permits,
    /// or are about to end.
    #[inline]
    pub(crate) fn living(&self, node: NodeId) -> usize {
        match node {
            NodeId::ROOT => self.register.len() + self.refused,
            group => self.tree.at(group.0).living,
        }
    }

    /// Returns the number of nodes that memory is allocated for.
    #[cfg(test)]
    pub(super) fn node_capacity(&self) -> usize {
        self.tree.capacity()
    }
}
