use super::node::Ticket;
use super::queue_entry::{EntryState, QueueEntry};
use super::register::Content;
use super::state::{Admitted, Gate};
use super::tree::NodeId;
use crate::task::Slot;

/// Permits that are lent, and come back.
impl<W, A, L> Gate<W, A, L> {
    /// Gives the next its permits if it is known to the caller already, and no task that starts.
    #[inline]
    pub(crate) fn admit_known(&mut self) -> Option<A>
    where
        A: Clone,
    {
        // Those who are known have places.
        if self.queue_entries.is_empty() || !self.is_ready() {
            return None;
        }
        self.admit_entered()
    }

    #[inline(never)]
    pub(super) fn admit_entered(&mut self) -> Option<A>
    where
        A: Clone,
    {
        let (_, next) = self.first_of(NodeId::ROOT.0)?;
        match self.register.get(next)?.content {
            Content::Waiting(_) => None,
            Content::Active(_) => match self.admit(|_| None)? {
                Admitted::Back(who) => Some(who),
                Admitted::New(_) => None,
            },
        }
    }

    pub(super) fn readmit(&mut self, slot: Slot) -> Option<A>
    where
        A: Clone,
    {
        self.change_queue_entry(slot, |queue_entry| {
            (queue_entry.state, queue_entry.ticket) = (EntryState::BySlot, Ticket::FIRST);
        });
        match &self.register.at(slot.0).content {
            Content::Active(who) => who.clone(),
            Content::Waiting(_) => unreachable!("a task returned that had not started"),
        }
    }

    /// Lets another run an active one, and returns who did.
    pub(crate) fn replace_server(&mut self, slot: Slot, by: A) -> Option<A> {
        match &mut self.register.at(slot.0).content {
            Content::Active(server) => server.replace(by),
            Content::Waiting(_) => unreachable!("a waiting task is run by nobody"),
        }
    }

    /// Takes the permits of an active one back, until it [returns](Self::come_back).
    pub(crate) fn lend(&mut self, slot: Slot) {
        let QueueEntry { demand, home, .. } = self.queue_entry(slot);
        self.tree.each_from(home, |node| {
            node.held -= demand.weight;
            node.active -= 1;
            node.lent += 1;
        });
        self.change_queue_entry(slot, |queue_entry| queue_entry.state = EntryState::Lent);
        self.refresh_all(home);
    }

    /// Lets one who lent its permits stand in line for them, before all newcomers.
    pub(crate) fn come_back(&mut self, slot: Slot) {
        let (home, ticket) = (self.queue_entry(slot).home, self.next_ticket());
        self.change_queue_entry(slot, |queue_entry| {
            (queue_entry.state, queue_entry.ticket) = (EntryState::Returning, ticket);
        });
        self.tree
            .at_mut(home)
            .push_returning(slot, &mut self.register);
        self.refresh(home);
    }
}
