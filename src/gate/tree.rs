use std::collections::BTreeSet;

use super::node::Node;
use crate::shrink::shrink_set;

/// Identifies a node (a pool or group) in the gate. The id of a group that has ended is used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct NodeId(pub(super) u32);

impl NodeId {
    /// The pool, which contains all groups.
    pub(crate) const ROOT: Self = Self(Self::ROOT_AT);
    pub(super) const ROOT_AT: u32 = 0;
}

/// The nodes of a pool and its groups. The root is a field of its own, because nearly all accesses are to it.
#[derive(Debug)]
pub(super) struct Tree<L> {
    pub(super) root: Node<L>,
    groups: Vec<Option<Node<L>>>,
    vacant: BTreeSet<u32>,
}

impl<L> Tree<L> {
    pub(super) fn new(size: usize, data: L) -> Self {
        Self {
            root: Node::new(None, size, data),
            groups: Vec::new(),
            vacant: BTreeSet::new(),
        }
    }

    pub(super) fn add(&mut self, parent: u32, size: usize, data: L) -> NodeId {
        let node = Some(Node::new(Some(parent), size, data));
        // The least vacant index, so that the vector can be shortened at its end.
        let at = match self.vacant.pop_first() {
            Some(at) => {
                self.groups[at as usize - 1] = node;
                at
            }
            None => {
                self.groups.push(node);
                self.groups.len() as u32
            }
        };
        self.at_mut(parent).children.insert(at);
        NodeId(at)
    }

    /// Removes a group. It contains no tasks and no groups.
    pub(super) fn remove(&mut self, at: u32) -> Option<Node<L>> {
        let node = self.groups.get_mut(at.checked_sub(1)? as usize)?.take()?;
        if let Some(parent) = node.parent {
            let children = &mut self.at_mut(parent).children;
            children.remove(&at);
            shrink_set(children);
        }
        self.vacant.insert(at);
        self.trim();
        Some(node)
    }

    /// Removes the vacant entries at the end of the vector, and gives back memory.
    fn trim(&mut self) {
        while self.groups.last().is_some_and(Option::is_none) {
            self.groups.pop();
            self.vacant.remove(&(self.groups.len() as u32 + 1));
        }
        if self.groups.len() < self.groups.capacity() / 4 {
            self.groups.shrink_to(self.groups.len() * 2);
        }
    }

    /// Number of indices for nodes, including the root's.
    pub(super) fn end(&self) -> usize {
        self.groups.len() + 1
    }

    pub(super) fn lives(&self, at: u32) -> bool {
        let group = |at: u32| self.groups.get(at as usize).is_some_and(Option::is_some);
        at.checked_sub(1).is_none_or(group)
    }

    #[inline]
    pub(super) fn at(&self, at: u32) -> &Node<L> {
        match at.checked_sub(1) {
            None => &self.root,
            Some(group) => self.groups[group as usize].as_ref().expect(LIVES),
        }
    }

    #[inline]
    pub(super) fn at_mut(&mut self, at: u32) -> &mut Node<L> {
        match at.checked_sub(1) {
            None => &mut self.root,
            Some(group) => self.groups[group as usize].as_mut().expect(LIVES),
        }
    }

    /// Calls `change` for a node, and for each node around it.
    #[inline]
    pub(super) fn each_from(&mut self, home: u32, mut change: impl FnMut(&mut Node<L>)) {
        self.each_group_from(home, &mut change);
        change(&mut self.root);
    }

    /// Calls `change` for a node, and for each node around it, except the root.
    #[inline]
    pub(super) fn each_group_from(&mut self, home: u32, mut change: impl FnMut(&mut Node<L>)) {
        let mut at = home;
        while let Some(group) = at.checked_sub(1) {
            let node = self.groups[group as usize].as_mut().expect(LIVES);
            change(node);
            at = node.parent.unwrap_or(NodeId::ROOT.0);
        }
    }

    /// Returns a node, and each node around it.
    pub(super) fn path(&self, home: u32) -> impl Iterator<Item = (u32, &Node<L>)> {
        std::iter::successors(Some((home, self.at(home))), |(_, below)| {
            below.parent.map(|at| (at, self.at(at)))
        })
    }

    /// Returns a node, and each node below it. `None` if they are more than `most`.
    pub(super) fn below(&self, top: u32, most: usize) -> Option<Vec<u32>> {
        let mut found = vec![top];
        let mut next = 0;
        while let Some(at) = found.get(next) {
            let children = &self.at(*at).children;
            if found.len() + children.len() > most {
                return None;
            }
            found.extend(children);
            next += 1;
        }
        Some(found)
    }

    /// Returns the number of nodes that memory is allocated for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.groups.capacity() + self.vacant.len()
    }
}

const LIVES: &str = "a group lives as long as anybody is in it";
