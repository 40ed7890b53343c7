use super::level::Standing;
use super::levels::LevelId;
use super::place::Hold;
use super::register::{Content, Entry, NONE};
use super::state::Gate;
use crate::task::{Slot, TaskId, TaskState};

/// Who is there, and who could be.
impl<W, A, L> Gate<W, A, L> {
    /// Whether a newcomer would be admitted on the spot.
    #[inline(never)]
    pub(crate) fn has_room(&self, home: LevelId, standing: Standing) -> bool {
        let Standing { weight, priority } = standing;
        self.starts != Some(0)
            && self
                .levels
                .path(home.0)
                .all(|(_, level)| level.fits(weight) && !level.is_awaited(priority))
    }

    /// Whether so many permits exist, at each level on the way.
    #[inline(never)]
    pub(crate) fn can_carry(&self, home: LevelId, weight: usize) -> bool {
        self.levels
            .path(home.0)
            .all(|(_, level)| weight <= level.size)
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
            // Swept out, and about to end.
            None if self.sweeps.iter().any(|swept| swept.holds(slot, id)) => TaskState::Active,
            None => TaskState::Finished,
            Some(Content::Waiting(_)) => TaskState::Waiting,
            Some(Content::Active(_)) => match self.place(slot).hold {
                Hold::Plain => TaskState::Active,
                Hold::Lent | Hold::Returning | Hold::Asking => TaskState::Waiting,
            },
        }
    }

    pub(crate) fn standing(&self, slot: Slot) -> Standing {
        self.place(slot).standing
    }

    /// The level that somebody was submitted to.
    #[inline]
    pub(crate) fn home(&self, slot: Slot) -> LevelId {
        LevelId(self.place(slot).home)
    }

    /// The slots of all that live at a level or below it, in no order.
    pub(crate) fn slots(&self, level: LevelId) -> Vec<Slot> {
        if level == LevelId::ROOT {
            return self.register.iter().map(|(slot, _)| slot).collect();
        }
        let levels = self.levels.below(level.0).into_iter();
        levels
            .flat_map(|at| self.members(self.levels.at(at).member))
            .collect()
    }

    fn members(&self, head: u32) -> impl Iterator<Item = Slot> {
        let slot = |at: u32| (at != NONE).then_some(Slot(at));
        std::iter::successors(slot(head), move |last| slot(self.places.get(*last)?.next))
    }

    /// The tasks that live at a level or below it, in no order. One that is ending is active, and nobody runs it.
    pub(crate) fn tasks(
        &self,
        level: LevelId,
    ) -> impl Iterator<Item = (Slot, TaskId, &Content<W, A>)> {
        self.entries(level).filter(|(_, id, _)| id.is_task())
    }

    /// The slots of all at a level or below it that have been withdrawn, and have not ended.
    pub(crate) fn withdrawn(&self, level: LevelId) -> Vec<Slot> {
        if self.withdrawn == 0 {
            return Vec::new();
        }
        let is_withdrawn = |content: &Content<W, A>| matches!(content, Content::Active(None));
        self.entries(level)
            .filter(|(.., content)| is_withdrawn(content))
            .map(|(slot, ..)| slot)
            .collect()
    }

    /// Those at a level or below it whom a worker has, in no order: tasks, and what tasks are made of.
    pub(crate) fn served(&self, level: LevelId) -> impl Iterator<Item = &A> {
        let served = self
            .entries(level)
            .filter(|(_, id, _)| *id != TaskId::UNNUMBERED);
        served.filter_map(|(_, _, content)| match content {
            Content::Active(by) => by.as_ref(),
            Content::Waiting(_) => None,
        })
    }

    pub(super) fn entries(
        &self,
        level: LevelId,
    ) -> impl Iterator<Item = (Slot, TaskId, &Content<W, A>)> {
        let entry = |slot| Some((slot, self.register.get(slot)?));
        let entries = self.slots(level).into_iter().filter_map(entry);
        entries.map(|(slot, Entry { id, content, .. })| (slot, *id, content))
    }

    /// How many places there is memory for.
    #[cfg(test)]
    pub(super) fn place_capacity(&self) -> usize {
        self.places.capacity()
    }

    /// How many slots there is memory for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.register.capacity()
    }
}
