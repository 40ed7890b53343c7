use super::node::Demand;
use super::queue_entry::EntryState;
use super::register::{Content, NOBODY, NONE};
use super::state::Gate;
use super::tree::NodeId;
use crate::task::{Slot, TaskId, TaskState};

/// Who is there, and who could be.
impl<W, A, L> Gate<W, A, L> {
    /// Whether a newcomer would be admitted on the spot.
    #[inline(never)]
    pub(crate) fn has_room(&self, home: NodeId, demand: Demand) -> bool {
        let Demand { weight, priority } = demand;
        self.starts != Some(0)
            && self
                .tree
                .path(home.0)
                .all(|(_, node)| node.fits(weight) && !node.is_awaited(priority))
    }

    /// Whether so many permits exist, at each node on the way.
    #[inline(never)]
    pub(crate) fn can_carry(&self, home: NodeId, weight: usize) -> bool {
        self.tree.path(home.0).all(|(_, node)| weight <= node.size)
    }

    /// How many may be, if that is limited.
    pub(crate) fn starts(&self) -> Option<u32> {
        self.starts
    }

    /// What stands in a slot, if it is still this task's.
    pub(crate) fn get(&self, slot: Slot, id: TaskId) -> Option<&Content<W, A>> {
        let entry = self.register.get(slot)?;
        (entry.id == id).then_some(&entry.content)
    }

    /// Returns whether what stands in a slot is a task.
    #[inline]
    pub(crate) fn is_task(&self, slot: Slot) -> bool {
        self.register
            .get(slot)
            .is_some_and(|entry| entry.id.is_task())
    }

    /// Whose slot it is.
    pub(crate) fn id(&self, slot: Slot) -> Option<TaskId> {
        self.register.get(slot).map(|entry| entry.id)
    }

    /// How far the one in a slot has come.
    pub(crate) fn progress(&self, slot: Slot, id: TaskId) -> TaskState {
        match self.get(slot, id) {
            None => TaskState::Finished,
            Some(Content::Waiting(_)) => TaskState::Waiting,
            Some(Content::Active(_)) => match self.queue_entry(slot).state {
                EntryState::BySlot => TaskState::Active,
                EntryState::Lent | EntryState::Returning | EntryState::Asking => TaskState::Waiting,
            },
        }
    }

    pub(crate) fn demand(&self, slot: Slot) -> Demand {
        self.queue_entry(slot).demand
    }

    /// The node that somebody was submitted to.
    #[inline]
    pub(crate) fn home(&self, slot: Slot) -> NodeId {
        NodeId(self.queue_entry(slot).home)
    }

    /// The slots of all that live in a group or below it, in no order. `None` if they and their groups are more than
    /// `most`, or if it is no group but the pool, which has all slots.
    pub(crate) fn few_slots(&self, group: NodeId, most: usize) -> Option<Vec<Slot>> {
        if group == NodeId::ROOT || self.living(group) > most {
            return None;
        }
        let tree = self.tree.below(group.0, most)?.into_iter();
        let slots = tree.flat_map(|at| self.members(self.tree.at(at).member));
        Some(slots.collect())
    }

    fn members(&self, head: u32) -> impl Iterator<Item = Slot> {
        let slot = |at: u32| (at != NONE).then_some(Slot(at));
        std::iter::successors(slot(head), move |last| {
            slot(self.queue_entries.get(*last)?.next)
        })
    }

    /// Whether much memory of tasks that have ended is to be [given back](Self::trim).
    #[inline]
    pub(crate) fn has_excess(&self) -> bool {
        self.register.has_excess()
    }

    /// Gives some of that memory back.
    pub(crate) fn trim(&mut self) {
        self.register.trim();
    }

    /// The number of slots, taken and free.
    pub(crate) fn end(&self) -> u32 {
        self.register.end()
    }

    /// Who lives in a slot, if that is at `node` or below it, and how many steps it took to see.
    pub(crate) fn inside(&self, slot: Slot, node: NodeId) -> (Option<TaskId>, usize) {
        let id = self.id(slot).filter(|id| *id != NOBODY);
        if id.is_none() || node == NodeId::ROOT {
            return (id, 1);
        }
        let mut steps = 1;
        let is_inside = self.tree.path(self.queue_entry(slot).home).any(|(at, _)| {
            steps += 1;
            at == node.0
        });
        (id.filter(|_| is_inside), steps)
    }

    /// All that live, in no order.
    #[cfg(test)]
    pub(super) fn tasks(&self) -> impl Iterator<Item = (Slot, TaskId, &Content<W, A>)> {
        let entries = self.register.iter();
        let tasks = entries.map(|(slot, entry)| (slot, entry.id, &entry.content));
        tasks.filter(|(_, id, _)| id.is_task())
    }

    /// How many places there is memory for.
    #[cfg(test)]
    pub(super) fn place_capacity(&self) -> usize {
        self.queue_entries.capacity()
    }

    /// How many slots there is memory for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.register.capacity()
    }
}
