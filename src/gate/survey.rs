use super::queue_entry::EntryState;
use super::register::Content;
use super::state::Gate;
use super::tree::NodeId;
use crate::task::{EntryId, Slot};

/// What the control server wants to know of the entries that a survey meets.
impl<W, A, L> Gate<W, A, L> {
    /// Returns `true` if an entry has had a permit: it has one now, or has lent it.
    pub(crate) fn has_started(&self, slot: Slot, id: impl Into<EntryId>) -> bool {
        let is_elsewhere = || self.queue_entry(slot).state == EntryState::Elsewhere;
        matches!(self.get(slot, id), Some(Content::Active(Some(_)))) && !is_elsewhere()
    }

    /// Returns `true` if an entry waits, and would go on if there were permits enough: no pause, no hold and no rate keeps
    /// it back. Returns also the number of steps that the check took.
    pub(crate) fn lacks_permits(&self, slot: Slot, id: impl Into<EntryId>) -> (bool, usize) {
        match self.get(slot, id) {
            None | Some(Content::Active(None)) => (false, 1),
            Some(Content::Waiting(_)) => self.lets_start(self.home(slot)),
            Some(Content::Active(Some(_))) => match self.queue_entry(slot).state {
                EntryState::BySlot | EntryState::JustBack | EntryState::Lent => (false, 1),
                // To go on is no start.
                EntryState::Returning => (true, 1),
                EntryState::Elsewhere => self.lets_start(self.home(slot)),
            },
        }
    }

    fn lets_start(&self, home: NodeId) -> (bool, usize) {
        let mut steps = 0;
        let lets_start = self.tree.path(home.0).all(|(_, node)| {
            steps += 1;
            node.lets_start()
        });
        (lets_start, steps)
    }
}
