use super::node::{Rank, Ticket};
use super::queue_entry::{EntryState, QueueEntry};
use super::register::Content;
use super::state::{Admitted, Gate, earlier};
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
        let (_, next) = self.next_entry()?;
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

    /// Puts a task that has lent its permits into the queue for them, before new tasks.
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

    /// Returns the next entry of the pool.
    pub(super) fn next_entry(&self) -> Option<(Rank, Slot)> {
        let (rank, slot) = self.first_of(NodeId::ROOT_AT)?;
        let returns = !rank.is_new_task() && self.passes(NodeId::ROOT_AT, rank, slot);
        let overdue = returns.then(|| self.overdue(slot)).flatten();
        overdue.or(Some((rank, slot)))
    }

    /// Returns the new task that goes before a task that returns: that of the outermost node around it which owes a
    /// start. `None` if that task does not fit, so that it does not keep others from ending.
    fn overdue(&self, returning: Slot) -> Option<(Rank, Slot)> {
        let home = self.queue_entry(returning).home;
        let owing = self.tree.path(home).filter(|(_, node)| node.owes_a_start());
        let first_new = |(_, node)| earlier(self.first_own(node), node.first_new_offer());
        owing
            .filter_map(first_new)
            .filter(|(_, slot)| self.fits_on_its_way(*slot))
            .last()
    }

    fn fits_on_its_way(&self, slot: Slot) -> bool {
        let QueueEntry { home, demand, .. } = self.queue_entry(slot);
        let mut way = self.tree.path(home);
        way.all(|(_, node)| node.fits(demand.weight))
    }
}
