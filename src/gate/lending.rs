use super::node::Ticket;
use super::queue_entry::{EntryState, QueueEntry};
use super::register::Content;
use super::state::{Admitted, Gate};
use super::tree::NodeId;
use crate::task::Slot;

/// Nested waits: a task lends its permits, and takes them back later.
impl<W, A, L> Gate<W, A, L> {
    /// Admits the next entry if it is not a task that starts: a task that returns, or user code that runs
    /// elsewhere.
    #[inline]
    pub(crate) fn admit_known(&mut self) -> Option<A>
    where
        A: Clone,
    {
        if self.known == 0 || !self.is_ready() {
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
                Admitted::Back(user) => Some(user),
                Admitted::New(_) => None,
            },
        }
    }

    /// Notes that an admitted entry has its permits, and returns what the caller stores for it.
    pub(super) fn readmit(&mut self, slot: Slot) -> Option<A>
    where
        A: Clone,
    {
        self.known -= 1;
        self.change_queue_entry(slot, |queue_entry| {
            (queue_entry.state, queue_entry.ticket) = (EntryState::BySlot, Ticket::FIRST);
        });
        match &self.register.at(slot.0).content {
            Content::Active(user) => user.clone(),
            Content::Waiting(_) => unreachable!("a task returned that had not started"),
        }
    }

    /// Replaces the worker of an active task, and returns the previous one.
    pub(crate) fn replace_server(&mut self, slot: Slot, by: A) -> Option<A> {
        match &mut self.register.at(slot.0).content {
            Content::Active(server) => server.replace(by),
            Content::Waiting(_) => unreachable!("a waiting task is run by nobody"),
        }
    }

    /// Gives the permits of an active task to others, until it [comes back](Self::come_back).
    pub(crate) fn lend(&mut self, slot: Slot) {
        let QueueEntry { demand, home, .. } = self.queue_entry(slot);
        self.tree.each_from(home, |node| {
            node.held -= demand.weight;
            node.active -= 1;
            node.lent += 1;
        });
        self.change_queue_entry(slot, |queue_entry| queue_entry.state = EntryState::Lent);
        self.refresh_freed(home);
    }

    /// Puts a task that has lent its permits into the queue for them, before all new tasks.
    pub(crate) fn come_back(&mut self, slot: Slot) {
        let (home, ticket) = (self.queue_entry(slot).home, self.next_ticket());
        self.change_queue_entry(slot, |queue_entry| {
            (queue_entry.state, queue_entry.ticket) = (EntryState::Returning, ticket);
        });
        self.known += 1;
        self.tree
            .at_mut(home)
            .push_returning(slot, &mut self.register);
        self.refresh(home);
    }
}
