use super::node::{Node, Rank};
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
    pub(super) fn readmit(&mut self, slot: Slot, state: EntryState) -> Option<A>
    where
        A: Clone,
    {
        self.known -= 1;
        let is_just_back =
            state == EntryState::Returning && self.holds_back && self.delays_a_start(slot);
        let state = if is_just_back {
            EntryState::JustBack
        } else {
            EntryState::BySlot
        };
        self.tickets.remove(slot);
        self.change_queue_entry(slot, |queue_entry| queue_entry.state = state);
        if is_just_back {
            let QueueEntry { home, demand, .. } = self.queue_entry(slot);
            self.tree
                .each_from(home, |node| node.just_back += demand.weight);
        }
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

    /// Returns `true` if a task has its permits back, and a new task has its turn meanwhile. The caller tells the end of
    /// the next poll of the task, by [`keep`](Self::keep), [`lend`](Self::lend) or [`leave`](Self::leave).
    #[inline]
    pub(crate) fn is_just_back(&self, slot: Slot) -> bool {
        self.queue_entry(slot).state == EntryState::JustBack
    }

    /// Notes that a task which is just back keeps its permits after its poll.
    pub(crate) fn keep(&mut self, slot: Slot) {
        let QueueEntry { demand, home, .. } = self.queue_entry(slot);
        self.tree
            .each_from(home, |node| node.just_back -= demand.weight);
        self.change_queue_entry(slot, |queue_entry| queue_entry.state = EntryState::BySlot);
    }

    /// Gives the permits of an active task to others, until it [comes back](Self::come_back).
    pub(crate) fn lend(&mut self, slot: Slot) {
        if self.is_just_back(slot) {
            self.keep(slot);
        }
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
        let home = self.queue_entry(slot).home;
        self.give_ticket(slot);
        self.change_queue_entry(slot, |queue_entry| {
            queue_entry.state = EntryState::Returning;
        });
        self.known += 1;
        self.tree
            .at_mut(home)
            .push_returning(slot, &mut self.register);
        self.refresh(home);
    }

    /// Returns the next entry of the pool. `None` also while tasks that want their permits back have to wait for a new
    /// task that has its turn, and that will fit soon.
    pub(super) fn next_entry(&self) -> Option<(Rank, Slot)> {
        let (rank, slot) = self.first_of(NodeId::ROOT_AT)?;
        if rank.is_new_task() || !self.passes(NodeId::ROOT_AT, rank, slot) {
            return Some((rank, slot));
        }
        if let Some(next) = self.overdue(slot, Node::fits).last() {
            return Some(next);
        }
        // Those that are just back keep nobody waiting for long: each is polled, and then it has given its permits up or
        // counts as just back no longer. All others could hold their permits until the returning task goes on.
        let waits = self.holds_back && self.overdue(slot, Node::will_fit).next().is_some();
        (!waits).then_some((rank, slot))
    }

    /// Sets whether tasks that want their permits back wait for the polls of those that are just back, where that lets a
    /// heavy new task start. For a pool that serves several runtimes they do not: one of these may stand still.
    pub(crate) fn set_holds_back(&mut self, holds_back: bool) {
        self.holds_back = holds_back;
    }

    /// Returns `true` if a new task has its turn, and the permits that this task has got back are in its way.
    fn delays_a_start(&self, returned: Slot) -> bool {
        let may_start = |node: &Node<L>, _| node.lets_start();
        self.overdue(returned, may_start).next().is_some()
    }

    /// Returns the new tasks that go before a task that returns: of each node around it that owes a start, the first one,
    /// if all nodes on its way let it start. The outermost is the last.
    fn overdue(
        &self,
        returning: Slot,
        lets_start: impl Fn(&Node<L>, usize) -> bool,
    ) -> impl Iterator<Item = (Rank, Slot)> {
        let home = self.queue_entry(returning).home;
        let owing = self.tree.path(home).filter(|(_, node)| node.owes_a_start());
        let first_new = |(_, node)| earlier(self.first_own(node), node.first_new_offer());
        owing
            .filter_map(first_new)
            .filter(move |(_, slot)| self.is_let_in(*slot, &lets_start))
    }

    /// Returns `true` if all nodes on the way of a new task let it start.
    fn is_let_in(&self, slot: Slot, lets_start: impl Fn(&Node<L>, usize) -> bool) -> bool {
        let QueueEntry { home, demand, .. } = self.queue_entry(slot);
        let mut way = self.tree.path(home);
        way.all(|(_, node)| lets_start(node, demand.weight))
    }
}
