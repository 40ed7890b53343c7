use super::node::Demand;
use super::queue_entry::EntryState;
use super::register::{Content, NONE};
use super::state::Gate;
use super::tree::NodeId;
use crate::task::{EntryId, Slot, TaskId, TaskState};

/// Methods that read the state, most of them about one slot.
impl<W, A, L> Gate<W, A, L> {
    /// Returns `true` if a new task would be admitted at once.
    #[inline(never)]
    pub(crate) fn has_room(&self, home: NodeId, demand: Demand) -> bool {
        if self.is_fair {
            self.has_room_by_turn(home.0, demand)
        } else {
            self.has_room_by_age(home.0, demand)
        }
    }

    fn has_room_by_age(&self, home: u32, demand: Demand) -> bool {
        let Demand { weight, priority } = demand;
        let mut path = self.tree.path(home);
        path.all(|(_, node)| node.fits(weight) && !node.is_awaited(priority))
    }

    /// Returns `true` if no node on the way from `home` to the root is smaller than `weight`.
    #[inline(never)]
    pub(crate) fn can_carry(&self, home: NodeId, weight: usize) -> bool {
        self.tree.path(home.0).all(|(_, node)| weight <= node.size)
    }

    /// Returns the content of a slot, if the slot still belongs to this entry.
    pub(crate) fn get(&self, slot: Slot, id: impl Into<EntryId>) -> Option<&Content<W, A>> {
        let entry = self.register.get(slot)?;
        (entry.id == id.into()).then_some(&entry.content)
    }

    /// Returns `true` if the slot belongs to a task.
    #[inline]
    pub(crate) fn is_task(&self, slot: Slot) -> bool {
        self.register
            .get(slot)
            .is_some_and(|entry| entry.id.is_task())
    }

    /// Returns the number of the task in a slot.
    pub(crate) fn id(&self, slot: Slot) -> Option<TaskId> {
        self.register.get(slot)?.id.task()
    }

    /// Returns how far a task has come.
    pub(crate) fn progress(&self, slot: Slot, id: impl Into<EntryId>) -> TaskState {
        match self.get(slot, id) {
            None => TaskState::Finished,
            // A withdrawn task has never had a permit.
            Some(Content::Waiting(_) | Content::Active(None)) => TaskState::Waiting,
            Some(Content::Active(Some(_))) => match self.queue_entry(slot).state {
                EntryState::BySlot | EntryState::JustBack => TaskState::Active,
                EntryState::Lent | EntryState::Returning | EntryState::Elsewhere => {
                    TaskState::Waiting
                }
            },
        }
    }

    /// Returns `true` if the task in a slot has been withdrawn from its queue, and is about to end.
    pub(crate) fn is_withdrawn(&self, slot: Slot) -> bool {
        let entry = self.register.get(slot);
        entry.is_some_and(|entry| matches!(entry.content, Content::Active(None)))
    }

    pub(crate) fn demand(&self, slot: Slot) -> Demand {
        self.queue_entry(slot).demand
    }

    /// The node that the task in a slot was submitted to.
    #[inline]
    pub(crate) fn home(&self, slot: Slot) -> NodeId {
        NodeId(self.queue_entry(slot).home)
    }

    /// Returns the slots of all tasks in a group or below it, in no order.
    ///
    /// Returns `None` if there are more than `most` such tasks, or more than `most` groups to look at, and for the
    /// root, because all slots are in it.
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

    /// Returns `true` if [`trim`](Self::trim) can give back memory of tasks that have ended.
    #[inline]
    pub(crate) fn has_excess(&self) -> bool {
        self.register.has_excess()
    }

    /// Gives back some memory of tasks that have ended.
    pub(crate) fn trim(&mut self) {
        self.register.trim();
    }

    /// Number of slots, taken and free.
    pub(crate) fn end(&self) -> u32 {
        self.register.end()
    }

    /// Returns the id in a slot if its entry is at `node` or below it, and the number of steps that the check took.
    pub(crate) fn inside(&self, slot: Slot, node: NodeId) -> (Option<EntryId>, usize) {
        let entry = self.register.get(slot).filter(|entry| entry.is_taken());
        let id = entry.map(|entry| entry.id);
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

    /// Returns all live tasks, in no order.
    #[cfg(test)]
    pub(super) fn tasks(&self) -> impl Iterator<Item = (Slot, TaskId, &Content<W, A>)> {
        let entries = self.register.iter();
        entries.filter_map(|(slot, entry)| Some((slot, entry.id.task()?, &entry.content)))
    }

    /// Returns the number of queue entries and tickets that memory is allocated for.
    #[cfg(test)]
    pub(super) fn place_capacity(&self) -> usize {
        self.queue_entries.capacity() + self.tickets.capacity()
    }

    /// Returns the number of slots that memory is allocated for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.register.capacity()
    }
}
