use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher};

use super::lane::Lane;
#[cfg(doc)]
use super::queue_entry::EntryState;
use super::register::{NONE, Register};
use super::turns::Turns;
use crate::task::Slot;

/// What a task demands of the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Demand {
    /// Number of permits that the task takes at each node.
    pub(crate) weight: usize,
    /// Tasks of a higher priority start first.
    pub(crate) priority: i32,
}

impl Default for Demand {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Demand {
    pub(crate) const DEFAULT: Self = Self {
        weight: 1,
        priority: 0,
    };
}

/// Maximum number of tasks that get their permits back in a row while a new task could start.
///
/// A task that waits for several things at once gets its permit back whenever it is woken, and lends it again. Without
/// a maximum, a few such tasks would pass the permit to each other for ever, and the task that they wait for would
/// never start.
pub(super) const RETURNS_IN_A_ROW: u32 = if cfg!(test) { 2 } else { 64 };

/// The position of an entry among all that wait. The least goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    /// What goes before the age, in numbers, which compare faster: the priority, or the virtual time in a pool with fair
    /// share, its upper half first. 0 for a task that returns and goes before all new tasks.
    class: (u64, u64),
    ticket: Ticket,
}

/// The order of arrival: the number of a task, or a position between the numbers of two tasks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Ticket(u64, u64);

impl Ticket {
    /// The ticket before all others.
    pub(super) const FIRST: Self = Self(0, 0);

    pub(super) fn of_task(number: u64) -> Self {
        Self(number, u64::MAX)
    }

    /// The ticket before the task with the number `next`, and after all earlier tasks and tickets.
    pub(super) fn between(next: u64, count: u64) -> Self {
        Self(next, count)
    }
}

impl Rank {
    /// The least rank that a new task may have.
    const FIRST_NEW: Self = Self {
        class: (0, 1),
        ticket: Ticket::FIRST,
    };

    pub(super) fn returning(ticket: Ticket) -> Self {
        Self {
            class: (0, 0),
            ticket,
        }
    }

    pub(super) fn new_task(priority: i32, ticket: Ticket) -> Self {
        Self {
            class: Self::class(priority),
            ticket,
        }
    }

    pub(super) fn is_new_task(self) -> bool {
        self.class > (0, 0)
    }

    /// Returns `true` if it goes before a task of this priority that enters now.
    fn is_before(self, priority: i32) -> bool {
        self.class <= Self::class(priority)
    }

    /// Returns the class of new tasks of a priority: the higher the priority, the smaller the class.
    fn class(priority: i32) -> (u64, u64) {
        (0, i64::from(i32::MAX).abs_diff(i64::from(priority)) + 1)
    }

    /// Returns the rank with a virtual time instead of the priority.
    pub(super) fn at_turn(self, time: u128) -> Self {
        let class = Self::class_at(time);
        Self { class, ..self }
    }

    /// Returns `true` if it goes after a task that enters now at this virtual time.
    pub(super) fn is_after_turn(self, time: u128) -> bool {
        self.class > Self::class_at(time)
    }

    fn class_at(time: u128) -> (u64, u64) {
        let class = time.saturating_add(1);
        ((class >> 64) as u64, class as u64)
    }
}

/// The permits of one node, and the queue for them.
///
/// A task waits in the queue of the node that it was submitted to, until it is admitted. A group offers the first
/// task that it would let through to the node around it.
///
/// `L` is what the caller stores for the node.
///
/// # Invariants
///
/// 1. No task waits without a reason. The first task, of the queue and the offers, does not fit; or the node is
///    paused or held, or has no start left; or it is a group, and has offered this task to the node around it; or
///    tasks are just back, and a heavy task that has its turn will fit when they have given their permits up.
/// 2. `held` is the weight of the tasks admitted here and below. It exceeds `size` only after the node shrank, or
///    while a task heavier than the node runs alone.
#[derive(Debug)]
pub(super) struct Node<L> {
    pub(super) parent: Option<u32>,
    pub(super) paused: bool,
    /// Number of reasons, beside a pause, for which no task starts here. Each is an operation that aborts tasks and has
    /// not looked at all of them yet, a time that is not over, or [`starts`](Self::starts) of which none is left.
    pub(super) holds: u32,
    /// Number of tasks of this node and the nodes below that have not started.
    pub(super) waiting: usize,
    /// Number of tasks that may start here and below, if that is limited.
    pub(super) starts: Option<u32>,
    pub(super) size: usize,
    pub(super) active: usize,
    /// The lane of priority 0, where nearly all tasks wait. It is no part of `ranked`, so that they need no search.
    pub(super) default_lane: Lane,
    pub(super) held: usize,
    /// The other lanes that are not empty, by priority.
    ranked: BTreeMap<Reverse<i32>, Lane>,
    /// The tasks that have lent their permits and want them back. They go before new tasks, up to
    /// [`RETURNS_IN_A_ROW`].
    returning: Lane,
    /// The tasks that the groups below would let through, at most one of each group, by rank.
    pub(super) offers: BTreeMap<Rank, Slot>,
    /// The rank under which this group's offer is stored at the node around it.
    pub(super) offered: Option<Rank>,
    /// Number of tasks here and below that have lent their permits.
    pub(super) lent: usize,
    /// Number of tasks here and below that have got their permits back since one started.
    pub(super) returns: u32,
    /// The part of `held` that may be free soon: the weight of the tasks that are [just back](EntryState::JustBack).
    pub(super) just_back: usize,
    /// Used in a pool with fair share only.
    pub(super) turns: Turns,
    pub(super) data: L,
    /// Number of tasks that live here and below. The root does not use it: its register counts them.
    pub(super) living: usize,
    /// The slot of the last task that was submitted here, which is the head of a list through the queue entries.
    /// The root has no such list, because all tasks of the register are in it.
    pub(super) member: u32,
    pub(super) children: Children,
}

/// The groups in a node. The hasher has no random keys, so that a walk over the same groups takes the same way each time:
/// only so can an order of steps be tried again.
pub(super) type Children = HashSet<u32, BuildHasherDefault<DefaultHasher>>;

impl<L> Node<L> {
    pub(super) fn new(parent: Option<u32>, size: usize, data: L) -> Self {
        Self {
            parent,
            size,
            held: 0,
            paused: false,
            holds: 0,
            waiting: 0,
            starts: None,
            active: 0,
            default_lane: Lane::EMPTY,
            ranked: BTreeMap::new(),
            returning: Lane::EMPTY,
            offers: BTreeMap::new(),
            offered: None,
            lent: 0,
            returns: 0,
            just_back: 0,
            turns: Turns::NONE,
            data,
            living: 0,
            member: NONE,
            children: Children::default(),
        }
    }

    /// Returns `true` if new tasks may start, if they fit.
    #[inline]
    pub(super) fn lets_start(&self) -> bool {
        !self.paused && self.holds == 0
    }

    /// Returns `true` if no new task fits, however light it is.
    #[inline]
    pub(super) fn is_shut(&self) -> bool {
        !self.lets_start() || self.is_exhausted()
    }

    /// Returns `true` if no permit is left, for whatever task.
    #[inline]
    pub(super) fn is_exhausted(&self) -> bool {
        self.held >= self.size && self.held > 0
    }

    /// Returns `true` if the permits in use are exactly as many as there are, and new tasks may start.
    #[inline]
    pub(super) fn is_just_full(&self) -> bool {
        self.lets_start() && self.held == self.size
    }

    /// Returns `true` if a new task may have the permits that another task gives back.
    #[inline]
    pub(super) fn may_pass_on(&self) -> bool {
        self.lets_start() && self.held <= self.size
    }

    /// Returns `true` if a new task of this weight may start. A task too heavy for the node fits when it is alone.
    #[inline]
    pub(super) fn fits(&self, weight: usize) -> bool {
        self.lets_start() && self.carries(weight)
    }

    /// Returns `true` if there are permits for a task that returns. That is no start, so a pause does not matter.
    #[inline]
    pub(super) fn carries(&self, weight: usize) -> bool {
        self.carries_beside(self.held, weight)
    }

    /// Returns `true` if a new task of this weight may start once the tasks that are just back have given their permits
    /// up again.
    pub(super) fn will_fit(&self, weight: usize) -> bool {
        self.lets_start() && self.carries_beside(self.held - self.just_back, weight)
    }

    #[inline]
    fn carries_beside(&self, held: usize, weight: usize) -> bool {
        held == 0 || weight <= self.size.saturating_sub(held)
    }

    /// Returns `true` if an entry waits here that goes before a new task of this priority.
    pub(super) fn is_awaited(&self, priority: i32) -> bool {
        self.is_awaited_in_queue(priority)
            || self
                .first_offer()
                .is_some_and(|(rank, _)| rank.is_before(priority))
    }

    /// Returns `true` if an entry waits in the node's own queue that goes before a new task of this priority.
    pub(super) fn is_awaited_in_queue(&self, priority: i32) -> bool {
        !self.returning.is_empty() || self.first().is_some_and(|(_, first)| first >= priority)
    }

    /// Returns `true` if no entry waits but new ones of the node's own queue.
    #[inline]
    pub(super) fn is_simple(&self) -> bool {
        self.offers.is_empty() && self.returning.is_empty()
    }

    /// Counts what was admitted here or below.
    #[inline]
    pub(super) fn count_admitted(&mut self, rank: Rank) {
        self.returns = match rank.is_new_task() {
            true => 0,
            false => self.returns.saturating_add(1),
        };
    }

    /// Returns `true` if a new task here or below has its turn, though others want their permits back.
    pub(super) fn owes_a_start(&self) -> bool {
        self.returns >= RETURNS_IN_A_ROW
    }

    /// Returns the first task that a group below would let through.
    pub(super) fn first_offer(&self) -> Option<(Rank, Slot)> {
        self.offers
            .first_key_value()
            .map(|(rank, slot)| (*rank, *slot))
    }

    /// Returns the first new task that a group below would let through. A group offers none while a task of it wants its
    /// permits back.
    pub(super) fn first_new_offer(&self) -> Option<(Rank, Slot)> {
        let mut new = self.offers.range(Rank::FIRST_NEW..);
        new.next().map(|(rank, slot)| (*rank, *slot))
    }

    /// Returns the first task that wants its permits back.
    #[inline]
    pub(super) fn first_returning(&self) -> Option<Slot> {
        self.returning.first()
    }

    /// Returns the first new task of the node's own queue, and its priority.
    #[inline]
    pub(super) fn first(&self) -> Option<(Slot, i32)> {
        if self.ranked.is_empty() {
            Some((self.default_lane.first()?, 0))
        } else {
            self.first_ranked()
        }
    }

    /// Returns the same as [`first`](Self::first), where another lane than the default one is in use.
    fn first_ranked(&self) -> Option<(Slot, i32)> {
        let (&Reverse(best), lane) = self.ranked.first_key_value()?;
        // The default lane has priority 0, and goes before the negative ones.
        if best < 0 && !self.default_lane.is_empty() {
            return Some((self.default_lane.first()?, 0));
        }
        Some((lane.first()?, best))
    }

    #[inline]
    pub(super) fn push<W, A>(&mut self, slot: Slot, priority: i32, register: &mut Register<W, A>) {
        match priority {
            0 => self.default_lane.push(slot, register),
            _ => self
                .ranked
                .entry(Reverse(priority))
                .or_insert(Lane::EMPTY)
                .push(slot, register),
        }
    }

    pub(super) fn push_returning<W, A>(&mut self, slot: Slot, register: &mut Register<W, A>) {
        self.returning.push(slot, register);
    }

    pub(super) fn unlink_returning<W, A>(&mut self, slot: Slot, register: &mut Register<W, A>) {
        self.returning.unlink(slot, register);
    }

    #[inline]
    pub(super) fn unlink<W, A>(
        &mut self,
        slot: Slot,
        priority: i32,
        register: &mut Register<W, A>,
    ) {
        if priority == 0 {
            return self.default_lane.unlink(slot, register);
        }
        let Some(lane) = self.ranked.get_mut(&Reverse(priority)) else {
            return;
        };
        // `first_ranked` looks at the best lane only, so that no lane in `ranked` may be empty.
        lane.unlink(slot, register);
        if lane.is_empty() {
            self.ranked.remove(&Reverse(priority));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_of_whatever_priority_is_new_and_goes_behind_those_that_return() {
        let ticket = Ticket::of_task(0);
        let last = Rank::returning(Ticket::between(u64::MAX, u64::MAX));
        for priority in [i32::MIN, -1, 0, 1, i32::MAX] {
            let rank = Rank::new_task(priority, ticket);
            assert!(rank.is_new_task() && rank > last && rank >= Rank::FIRST_NEW);
        }
        assert!(Rank::new_task(i32::MAX, ticket) < Rank::new_task(i32::MAX - 1, ticket));
    }

    #[test]
    fn turns_are_in_the_order_of_their_times_however_late_these_are() {
        let new = Rank::new_task(0, Ticket::of_task(0));
        let times = [0, 1, u128::from(u64::MAX), 1 << 64, (1 << 64) + 1, 1 << 65];
        for (earlier, later) in times.iter().zip(&times[1..]) {
            assert!(new.at_turn(*earlier) < new.at_turn(*later));
            assert!(new.at_turn(*later).is_after_turn(*earlier));
        }
    }
}
