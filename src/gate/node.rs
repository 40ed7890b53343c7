use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use super::lane::Lane;
use super::register::{NONE, Register};
use crate::task::Slot;

/// What a task asks of the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Demand {
    /// How many permits it takes at each node.
    pub(crate) weight: usize,
    /// Higher goes first.
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

/// Whose turn it is: the least goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    /// One who returns is none, and goes before all who are.
    pub(super) is_newcomer: bool,
    pub(super) priority: Reverse<i32>,
    pub(super) ticket: Ticket,
}

/// When somebody came: the number of a task, and those who are none in between.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Ticket(u64, u64);

impl Ticket {
    /// Before all.
    pub(super) const FIRST: Self = Self(0, 0);

    pub(super) fn of_task(number: u64) -> Self {
        Self(number, u64::MAX)
    }

    /// Before the task that comes next, and after those before.
    pub(super) fn between(next: u64, count: u64) -> Self {
        Self(next, count)
    }
}

impl Rank {
    pub(super) fn returning(ticket: Ticket) -> Self {
        Self {
            is_newcomer: false,
            priority: Reverse(0),
            ticket,
        }
    }

    pub(super) fn newcomer(priority: i32, ticket: Ticket) -> Self {
        Self {
            is_newcomer: true,
            priority: Reverse(priority),
            ticket,
        }
    }

    /// Whether it goes before a newcomer of this priority who comes now.
    fn is_before(self, priority: i32) -> bool {
        !self.is_newcomer || self.priority.0 >= priority
    }
}

/// The permits of one node, and the queue for them.
///
/// Those who were submitted here stand here until they are admitted. A group
/// offers the first whom it would let through to the node around it.
///
/// `L` is what the caller keeps of it.
///
/// # Invariants
///
/// 1. Nobody waits in vain: the first in the queue or among the offers does not fit, or the node is paused.
/// 2. `held` is the weight of those admitted here. It exceeds `size` only after
///    the node shrank, or while a task heavier than the node runs alone.
#[derive(Debug)]
pub(super) struct Node<L> {
    pub(super) parent: Option<u32>,
    pub(super) paused: bool,
    /// Number of those that stop all tasks here, and have not looked at all of them.
    pub(super) holds: u32,
    /// Newcomers of this node and the nodes below, wherever they wait.
    pub(super) waiting: usize,
    pub(super) size: usize,
    pub(super) active: usize,
    /// The lane of priority 0, where nearly all stand.
    pub(super) default_lane: Lane,
    pub(super) held: usize,
    /// The other lanes that have somebody in them.
    ranked: BTreeMap<Reverse<i32>, Lane>,
    /// Those who lent their permits and want them back: before all newcomers.
    returning: Lane,
    /// Whom the groups below would let through, one of each, by whose turn it is.
    pub(super) offers: BTreeMap<Rank, Slot>,
    /// By what it stands among the offers to the node around it.
    pub(super) offered: Option<Rank>,
    /// How many have lent their permits, here and below.
    pub(super) lent: usize,
    pub(super) data: L,
    /// Who lives here and below. The root counts by its register.
    pub(super) living: usize,
    /// The last who was submitted here: the head of a list through the places. The root has none: all in the
    /// register are below it.
    pub(super) member: u32,
    pub(super) children: HashSet<u32>,
}

impl<L> Node<L> {
    pub(super) fn new(parent: Option<u32>, size: usize, data: L) -> Self {
        Self {
            parent,
            size,
            held: 0,
            paused: false,
            holds: 0,
            waiting: 0,
            active: 0,
            default_lane: Lane::EMPTY,
            ranked: BTreeMap::new(),
            returning: Lane::EMPTY,
            offers: BTreeMap::new(),
            offered: None,
            lent: 0,
            data,
            living: 0,
            member: NONE,
            children: HashSet::new(),
        }
    }

    /// Whether newcomers may start, if they fit.
    #[inline]
    fn lets_start(&self) -> bool {
        !self.paused && self.holds == 0
    }

    /// Whether no newcomer fits, however light.
    #[inline]
    pub(super) fn is_shut(&self) -> bool {
        !self.lets_start() || (self.held >= self.size && self.held > 0)
    }

    /// Whether all permits are given, no more than there are, and newcomers may start.
    #[inline]
    pub(super) fn is_just_full(&self) -> bool {
        self.lets_start() && self.held == self.size
    }

    /// Whether a newcomer may have the permits that another gives back.
    #[inline]
    pub(super) fn may_pass_on(&self) -> bool {
        self.lets_start() && self.held <= self.size
    }

    /// Whether a newcomer finds so many permits. One too heavy for the node fits when it is alone.
    #[inline]
    pub(super) fn fits(&self, weight: usize) -> bool {
        self.lets_start() && self.carries(weight)
    }

    /// The same for one who returns: that is no start, so a pause does not matter.
    #[inline]
    pub(super) fn carries(&self, weight: usize) -> bool {
        self.held == 0 || weight <= self.size.saturating_sub(self.held)
    }

    /// Whether somebody waits here who goes before a newcomer of this priority.
    pub(super) fn is_awaited(&self, priority: i32) -> bool {
        !self.returning.is_empty()
            || self.first().is_some_and(|(_, first)| first >= priority)
            || self
                .first_offer()
                .is_some_and(|(rank, _)| rank.is_before(priority))
    }

    /// Whether nobody waits but newcomers of its own.
    #[inline]
    pub(super) fn is_simple(&self) -> bool {
        self.offers.is_empty() && self.returning.is_empty()
    }

    /// The first whom a group below would let through.
    pub(super) fn first_offer(&self) -> Option<(Rank, Slot)> {
        self.offers
            .first_key_value()
            .map(|(rank, slot)| (*rank, *slot))
    }

    /// Who is the first to return.
    #[inline]
    pub(super) fn first_returning(&self) -> Option<Slot> {
        self.returning.first()
    }

    /// Which newcomer's turn it is, and in which lane it stands.
    #[inline]
    pub(super) fn first(&self) -> Option<(Slot, i32)> {
        if self.ranked.is_empty() {
            Some((self.default_lane.first()?, 0))
        } else {
            self.first_ranked()
        }
    }

    fn first_ranked(&self) -> Option<(Slot, i32)> {
        let (&Reverse(best), lane) = self.ranked.first_key_value()?;
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
        lane.unlink(slot, register);
        if lane.is_empty() {
            self.ranked.remove(&Reverse(priority));
        }
    }
}
