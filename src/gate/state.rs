use super::node::{Demand, Node, Rank, Ticket};
use super::queue_entry::{EntryState, QueueEntry};
use super::register::{Content, Register};
use super::tree::{NodeId, Tree};
use crate::slot_map::SlotMap;
use crate::task::{EntryId, Slot, TaskId};

/// The permits of a pool and its groups, and all tasks in them.
///
/// `W` is a waiting task, which is returned when it is admitted. `A` is what the caller stores for an active task
/// (its worker), and `L` is what the caller stores for a node.
///
/// After a change that may let other tasks start (`enter`, `leave`, `withdraw`, `lend`, `resize`, …), the caller
/// calls [`admit`](Self::admit) until [`is_ready`](Self::is_ready) returns `false`. Then the invariants of each
/// [`Node`](super::node::Node) hold again.
#[derive(Debug)]
pub(crate) struct Gate<W, A, L> {
    pub(super) register: Register<W, A>,
    pub(super) tree: Tree<L>,
    /// The queue entries of all tasks for which the slot alone does not hold all data.
    pub(super) queue_entries: SlotMap<QueueEntry>,
    /// The tickets of the queue entries that are in a queue and are no new tasks, which have their numbers instead.
    pub(super) tickets: SlotMap<Ticket>,
    /// `true` if what waits at a node has turns by its shares, instead of by priority and age.
    pub(super) is_fair: bool,
    /// `true` if tasks without options in the root may take shortcuts: there is no fair share, and the starts of the
    /// root are not limited.
    pub(super) has_fast_path: bool,
    /// `true` if those that are just back are sure to be polled soon, so that others may wait for that.
    pub(super) holds_back: bool,
    /// Number of nodes whose starts are limited.
    pub(super) limited: usize,
    /// Groups that have spent their last start.
    pub(super) spent: Vec<NodeId>,
    /// One more than the number of the last task that entered.
    pub(super) next: u64,
    /// Number of tickets given to entries that are not numbered tasks, or that return to the queue.
    pub(super) others: u64,
    /// Number of entries in the queues that are no new tasks: tasks that return, and user code that runs elsewhere.
    pub(super) known: usize,
    /// Number of [refused](Self::refuse) tasks that have not ended. They have no slot.
    pub(super) refused: usize,
}

/// What [`admit`](Gate::admit) has given permits to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admitted<W, A> {
    /// A task that starts.
    New(W),
    /// A task that was active before, or user code that runs elsewhere. It has its permits now.
    Back(A),
}

impl<W, A, L> Gate<W, A, L> {
    pub(crate) fn new(size: usize, data: L) -> Self {
        Self {
            register: Register::new(),
            tree: Tree::new(size, data),
            queue_entries: SlotMap::default(),
            tickets: SlotMap::default(),
            is_fair: false,
            has_fast_path: true,
            holds_back: true,
            limited: 0,
            spent: Vec::new(),
            next: 0,
            others: 0,
            known: 0,
            refused: 0,
        }
    }

    /// Adds a new task to the back of its queue. `make` gets the slot, and returns the task.
    #[inline]
    pub(crate) fn enter(
        &mut self,
        id: impl Into<EntryId>,
        home: NodeId,
        demand: Demand,
        make: impl FnOnce(Slot) -> W,
    ) -> Slot {
        let id = id.into();
        let slot = self
            .register
            .insert(id, |slot| Content::Waiting(make(slot)));
        if let Some(id) = id.task() {
            self.next = id.get() + 1;
        }
        // The root's lanes are first in, first out, so that a ticket matters only in comparison with a group. A
        // task has its number as a ticket, and needs no queue entry for it. Other entries need one, once there are
        // groups, and while a stop of all tasks goes on, which leaves later entries alone.
        let takes_fast_path = home == NodeId::ROOT && demand == Demand::DEFAULT;
        let root = &mut self.tree.root;
        let needs_no_ticket = root.children.is_empty() && root.holds == 0;
        if takes_fast_path && (id.is_task() || needs_no_ticket) {
            root.waiting += 1;
            root.push(slot, demand.priority, &mut self.register);
        } else {
            if !id.is_task() {
                self.give_ticket(slot);
            }
            self.queue(slot, QueueEntry::new(home, demand, EntryState::BySlot));
        }
        slot
    }

    /// Adds an entry for user code that runs elsewhere and only needs permits. `user` is returned when the entry is
    /// admitted.
    pub(crate) fn enqueue_elsewhere(&mut self, home: NodeId, demand: Demand, user: A) -> Slot {
        let slot = self
            .register
            .insert(EntryId::ELSEWHERE, |_| Content::Active(Some(user)));
        self.give_ticket(slot);
        self.known += 1;
        self.queue(slot, QueueEntry::new(home, demand, EntryState::Elsewhere));
        slot
    }

    #[inline(never)]
    pub(super) fn queue(&mut self, slot: Slot, queue_entry: QueueEntry) {
        let QueueEntry { demand, home, .. } = queue_entry;
        self.add_queue_entry(slot, queue_entry);
        self.tree.each_from(home, |node| node.waiting += 1);
        self.tree
            .at_mut(home)
            .push(slot, demand.priority, &mut self.register);
        // A shut node lets no new entry through, so that one more does not change its offer.
        if !self.tree.at(home).is_shut() {
            self.refresh(home);
        }
    }

    /// Returns a ticket that comes after all that have been given, and before all later ones.
    pub(crate) fn last_ticket(&self) -> Ticket {
        Ticket::between(self.next, self.others)
    }

    /// Gives a ticket to an entry that is no new task: it comes before the next task.
    pub(super) fn give_ticket(&mut self, slot: Slot) {
        self.others += 1;
        self.tickets.insert(slot, self.last_ticket());
    }

    /// Stores a queue entry, and adds it to the members of its group.
    fn add_queue_entry(&mut self, slot: Slot, mut queue_entry: QueueEntry) {
        if queue_entry.home != NodeId::ROOT.0 {
            let member = &mut self.tree.at_mut(queue_entry.home).member;
            queue_entry.next = std::mem::replace(member, slot.0);
            if let Some(next) = self.queue_entries.get_mut(Slot(queue_entry.next)) {
                next.prev = slot.0;
            }
            self.tree
                .each_group_from(queue_entry.home, |node| node.living += 1);
        }
        self.queue_entries.insert(slot, queue_entry);
    }

    /// Returns `true` if a task can be admitted now.
    #[inline(always)]
    pub(crate) fn is_ready(&self) -> bool {
        let root = &self.tree.root;
        if !root.is_simple() {
            return self.is_ready_mixed();
        }
        let fits = |(slot, _)| root.fits(self.demand(slot).weight);
        !root.is_shut() && root.first().is_some_and(fits)
    }

    #[inline(never)]
    fn is_ready_mixed(&self) -> bool {
        if self.tree.root.is_exhausted() {
            return false;
        }
        let next = self.next_entry();
        next.is_some_and(|(rank, slot)| self.passes(NodeId::ROOT.0, rank, slot))
    }

    /// Gives permits to the next task, which is active from here on. `by` returns the worker for a task that
    /// starts.
    #[inline]
    pub(crate) fn admit(&mut self, by: impl FnOnce(Slot) -> Option<A>) -> Option<Admitted<W, A>>
    where
        A: Clone,
    {
        let slot = if self.tree.root.is_simple() {
            self.pass_simple()?
        } else {
            self.pass_mixed()?
        };
        let QueueEntry { home, state, .. } = self.queue_entry(slot);
        self.tree.each_from(home, |node| {
            match state {
                EntryState::BySlot | EntryState::Elsewhere => node.waiting -= 1,
                EntryState::Lent | EntryState::Returning => node.lent -= 1,
                EntryState::JustBack => unreachable!("a task with its permits stood in a queue"),
            }
            node.active += 1;
        });
        if state != EntryState::BySlot {
            return self.readmit(slot, state).map(Admitted::Back);
        }
        let by = by(slot);
        let entry = self.register.at(slot.0);
        match std::mem::replace(&mut entry.content, Content::Active(by)) {
            Content::Waiting(waiting) => Some(Admitted::New(waiting)),
            Content::Active(_) => unreachable!("an active task stood in a queue"),
        }
    }

    /// Removes an entry that is not a waiting task, and gives back its permits if it holds any. Returns its worker
    /// and its node.
    #[inline]
    pub(crate) fn leave(&mut self, slot: Slot) -> (Option<A>, NodeId) {
        let by = match &mut self.register.at(slot.0).content {
            Content::Active(by) => by.take(),
            Content::Waiting(_) => unreachable!("a waiting task left as an active one"),
        };
        let queue_entry = self.queue_entry(slot);
        if queue_entry.state == EntryState::JustBack {
            self.keep(slot);
        }
        match queue_entry.state {
            EntryState::BySlot | EntryState::JustBack => {
                self.tree.each_from(queue_entry.home, |node| {
                    node.held -= queue_entry.demand.weight;
                    node.active -= 1;
                });
            }
            EntryState::Lent => self.tree.each_from(queue_entry.home, |node| node.lent -= 1),
            EntryState::Returning | EntryState::Elsewhere => {
                self.known -= 1;
                self.step_out(slot, queue_entry);
                self.refresh(queue_entry.home);
            }
        }
        self.free(slot);
        self.refresh_freed(queue_entry.home);
        (by, NodeId(queue_entry.home))
    }

    /// Withdraws a waiting task from its queue.
    ///
    /// The task keeps its slot until [`forget`](Self::forget) is called, because its end has not been recorded yet.
    pub(crate) fn withdraw(&mut self, slot: Slot) -> Option<W> {
        if !matches!(self.register.get(slot)?.content, Content::Waiting(_)) {
            return None;
        }
        let entry = self.register.at(slot.0);
        let Content::Waiting(waiting) =
            std::mem::replace(&mut entry.content, Content::Active(None))
        else {
            return None;
        };
        let queue_entry = self.queue_entry(slot);
        self.step_out(slot, queue_entry);
        self.refresh(queue_entry.home);
        Some(waiting)
    }

    /// Removes an entry that holds no permits from its queue, and from the counts of its nodes.
    pub(super) fn step_out(&mut self, slot: Slot, queue_entry: QueueEntry) {
        let QueueEntry { home, state, .. } = queue_entry;
        self.unlink(slot, queue_entry);
        self.tree.each_from(home, |node| match state {
            EntryState::Returning => node.lent -= 1,
            _ => node.waiting -= 1,
        });
    }

    /// Removes an entry from the queue of its node.
    fn unlink(&mut self, slot: Slot, queue_entry: QueueEntry) {
        let node = self.tree.at_mut(queue_entry.home);
        match queue_entry.state {
            EntryState::Returning => node.unlink_returning(slot, &mut self.register),
            _ => node.unlink(slot, queue_entry.demand.priority, &mut self.register),
        }
    }

    /// Frees the slot of a withdrawn task.
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.free(slot);
    }

    #[inline]
    fn free(&mut self, slot: Slot) {
        self.register.remove(slot);
        if !self.queue_entries.is_empty() {
            self.forget_queue_entry(slot);
        }
    }

    /// Frees a slot, and returns its content.
    #[inline]
    pub(super) fn take(&mut self, slot: Slot) -> Content<W, A> {
        if !self.queue_entries.is_empty() {
            self.forget_queue_entry(slot);
        }
        self.register.take(slot)
    }

    #[inline(never)]
    fn forget_queue_entry(&mut self, slot: Slot) {
        let Some(queue_entry) = self.queue_entries.remove(slot) else {
            return;
        };
        if !self.tickets.is_empty() {
            self.tickets.remove(slot);
        }
        if queue_entry.home != NodeId::ROOT.0 {
            match self.queue_entries.get_mut(Slot(queue_entry.prev)) {
                Some(prev) => prev.next = queue_entry.next,
                None => self.tree.at_mut(queue_entry.home).member = queue_entry.next,
            }
            if let Some(next) = self.queue_entries.get_mut(Slot(queue_entry.next)) {
                next.prev = queue_entry.prev;
            }
            self.tree
                .each_group_from(queue_entry.home, |node| node.living -= 1);
        }
    }

    /// Counts a task that is not taken into the queue as living, until [`let_go`](Self::let_go) is called.
    pub(crate) fn refuse(&mut self, home: NodeId) {
        self.refused += 1;
        self.tree.each_group_from(home.0, |node| node.living += 1);
    }

    /// Stops counting a refused task as living, once it has ended.
    pub(crate) fn let_go(&mut self, home: NodeId) {
        self.refused -= 1;
        self.tree.each_group_from(home.0, |node| node.living -= 1);
    }

    /// Gives another number to the task in a slot.
    pub(crate) fn renumber(&mut self, slot: Slot, id: TaskId) {
        self.register.at(slot.0).id = id.into();
    }

    #[inline]
    pub(super) fn queue_entry(&self, slot: Slot) -> QueueEntry {
        if self.queue_entries.is_empty() {
            return QueueEntry::DEFAULT;
        }
        self.find_queue_entry(slot)
    }

    #[inline(never)]
    pub(super) fn find_queue_entry(&self, slot: Slot) -> QueueEntry {
        self.queue_entries
            .get(slot)
            .copied()
            .unwrap_or(QueueEntry::DEFAULT)
    }

    pub(super) fn change_queue_entry(&mut self, slot: Slot, change: impl FnOnce(&mut QueueEntry)) {
        let mut queue_entry = self.queue_entry(slot);
        change(&mut queue_entry);
        if queue_entry == QueueEntry::DEFAULT {
            self.queue_entries.remove(slot);
        } else {
            self.queue_entries.insert(slot, queue_entry);
        }
    }

    /// Admits the first task of the root's own queue, if it fits. The caller has checked that no other queue
    /// competes.
    #[inline]
    fn pass_simple(&mut self) -> Option<Slot> {
        if self.tree.root.is_shut() {
            return None;
        }
        let (slot, priority) = self.tree.root.first()?;
        let weight = self.demand(slot).weight;
        let root = &mut self.tree.root;
        if !root.fits(weight) {
            return None;
        }
        root.unlink(slot, priority, &mut self.register);
        root.held += weight;
        root.returns = 0;
        self.count_start(NodeId::ROOT_AT);
        self.take_turn_of_root(weight);
        Some(slot)
    }

    /// Admits the first task of all queues, if it fits.
    #[inline(never)]
    fn pass_mixed(&mut self) -> Option<Slot> {
        let (rank, slot) = self.next_entry()?;
        if !self.passes(NodeId::ROOT.0, rank, slot) {
            return None;
        }
        let queue_entry = self.queue_entry(slot);
        self.unlink(slot, queue_entry);
        let weight = queue_entry.demand.weight;
        self.tree.each_from(queue_entry.home, |node| {
            node.held += weight;
            node.count_admitted(rank);
        });
        if rank.is_new_task() {
            self.count_start(queue_entry.home);
            self.take_turn(queue_entry.home, weight);
        }
        self.refresh_all(queue_entry.home);
        Some(slot)
    }

    /// Returns the next task of a node: the first of its own queue, or the first that a group offers.
    pub(super) fn first_of(&self, at: u32) -> Option<(Rank, Slot)> {
        let node = self.tree.at(at);
        let own = match node.first_returning() {
            Some(slot) => Some((Rank::returning(self.ticket(slot)), slot)),
            None => self.first_own(node),
        };
        earlier(own, node.first_offer())
    }

    /// Returns the first new task of a node's own queue.
    pub(super) fn first_own(&self, node: &Node<L>) -> Option<(Rank, Slot)> {
        let (slot, priority) = node.first()?;
        let rank = Rank::new_task(priority, self.ticket(slot));
        Some((self.rank_of_own(node, rank), slot))
    }

    /// Returns when the entry in a slot entered the queue, as far as that matters to others.
    pub(crate) fn ticket(&self, slot: Slot) -> Ticket {
        if let Some(ticket) = self.tickets.get(slot) {
            return *ticket;
        }
        match self.register.get(slot).and_then(|entry| entry.id.task()) {
            Some(id) => Ticket::of_task(id.get()),
            // An entry without a number and without a ticket entered before there were groups, so that it
            // comes before all tasks of groups.
            None => Ticket::FIRST,
        }
    }

    /// Returns `true` if a node lets this task, the first of its queue and offers, through.
    pub(super) fn passes(&self, at: u32, rank: Rank, slot: Slot) -> bool {
        let (node, weight) = (self.tree.at(at), self.demand(slot).weight);
        if rank.is_new_task() {
            node.fits(weight)
        } else {
            node.carries(weight)
        }
    }

    /// Updates what a group offers to the node around it, and goes on outwards as long as offers change.
    ///
    /// For a change of this node alone: where its offer stays the same, the nodes around it are not affected.
    #[inline]
    pub(super) fn refresh(&mut self, from: u32) {
        let mut at = Some(from);
        while let Some(node) = at {
            at = self
                .refresh_one(node)
                .filter(|(_, changed)| *changed)
                .map(|(parent, _)| parent);
        }
    }

    /// Updates the offers of a node and of each node around it.
    ///
    /// For permits that were taken, since that changes each of these nodes.
    #[inline]
    fn refresh_all(&mut self, from: u32) {
        let mut at = Some(from);
        while let Some(node) = at {
            at = self.refresh_one(node).map(|(parent, _)| parent);
        }
    }

    /// Updates the offers of a node and of each node around it.
    ///
    /// For permits that were given back. A node that offers a task still does, unless a node below has another offer.
    #[inline]
    pub(super) fn refresh_freed(&mut self, from: u32) {
        let (mut at, mut has_changed_below) = (from, false);
        while let Some(parent) = self.tree.at(at).parent {
            if has_changed_below || self.tree.at(at).offered.is_none() {
                has_changed_below = self.refresh_one(at).is_some_and(|(_, changed)| changed);
            }
            at = parent;
        }
    }

    /// Updates the offer of a group. Returns the node around it, and whether the offer has changed.
    #[inline]
    fn refresh_one(&mut self, at: u32) -> Option<(u32, bool)> {
        match at {
            NodeId::ROOT_AT => None,
            group => self.refresh_group(group),
        }
    }

    #[inline(never)]
    fn refresh_group(&mut self, at: u32) -> Option<(u32, bool)> {
        let parent = self.tree.at(at).parent?;
        let first = self.first_of(at);
        let offer = first.filter(|(rank, slot)| self.passes(at, *rank, *slot));
        let offer = offer.map(|(rank, slot)| (self.rank_around(at, parent, rank), slot));
        let rank = offer.map(|(rank, _)| rank);
        let stale = std::mem::replace(&mut self.tree.at_mut(at).offered, rank);
        if stale == rank {
            return Some((parent, false));
        }
        let offers = &mut self.tree.at_mut(parent).offers;
        stale.and_then(|rank| offers.remove(&rank));
        offer.and_then(|(rank, slot)| offers.insert(rank, slot));
        Some((parent, true))
    }
}

/// Returns the one that goes first.
pub(super) fn earlier(
    own: Option<(Rank, Slot)>,
    offer: Option<(Rank, Slot)>,
) -> Option<(Rank, Slot)> {
    match (own, offer) {
        (Some(own), Some(offer)) if own.0 < offer.0 => Some(own),
        (_, Some(offer)) => Some(offer),
        (own, None) => own,
    }
}
