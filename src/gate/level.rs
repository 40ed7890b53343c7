use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::lane::Lane;
use super::register::Register;
use crate::task::Slot;

/// A pool or a group, as the gate knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LevelId(pub(super) u32);

impl LevelId {
    /// The pool around all groups.
    pub(crate) const ROOT: Self = Self(0);
}

/// What a task asks of the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    /// How many permits it takes at each level.
    pub(crate) weight: usize,
    /// Higher goes first.
    pub(crate) priority: i32,
}

impl Standing {
    pub(crate) const PLAIN: Self = Self {
        weight: 1,
        priority: 0,
    };
}

/// The permits of one level, and the queue for them.
///
/// # Invariants
///
/// 1. Nobody waits in vain: the first in the queue does not fit, or the level is paused.
/// 2. `held` is the weight of those admitted here. It exceeds `size` only after
///    the level shrank, or while a task heavier than the level runs alone.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) parent: Option<u32>,
    pub(super) paused: bool,
    /// Tasks of this level and the levels below, wherever they wait.
    pub(super) waiting: usize,
    pub(super) size: usize,
    pub(super) active: usize,
    /// The lane of priority 0, where nearly all stand.
    plain: Lane,
    pub(super) held: usize,
    /// The other lanes that have somebody in them.
    ranked: BTreeMap<Reverse<i32>, Lane>,
}

impl Level {
    pub(super) fn new(parent: Option<u32>, size: usize) -> Self {
        Self {
            parent,
            size,
            held: 0,
            paused: false,
            waiting: 0,
            active: 0,
            plain: Lane::EMPTY,
            ranked: BTreeMap::new(),
        }
    }

    /// Whether no task fits, however light.
    #[inline]
    pub(super) fn is_shut(&self) -> bool {
        self.paused || (self.held >= self.size && self.held > 0)
    }

    /// Whether `weight` permits are there. One too heavy for the level fits when it is alone.
    #[inline]
    pub(super) fn fits(&self, weight: usize) -> bool {
        !self.paused && (self.held == 0 || weight <= self.size.saturating_sub(self.held))
    }

    /// Whether somebody of at least this priority waits here.
    pub(super) fn is_awaited(&self, priority: i32) -> bool {
        self.first().is_some_and(|(_, first)| first >= priority)
    }

    /// Whose turn it is, and in which lane it stands.
    #[inline]
    pub(super) fn first(&self) -> Option<(Slot, i32)> {
        if self.ranked.is_empty() {
            Some((self.plain.first()?, 0))
        } else {
            self.first_ranked()
        }
    }

    fn first_ranked(&self) -> Option<(Slot, i32)> {
        let (&Reverse(best), lane) = self.ranked.first_key_value()?;
        if best < 0 && !self.plain.is_empty() {
            return Some((self.plain.first()?, 0));
        }
        Some((lane.first()?, best))
    }

    /// Forgets those who wait here, and nowhere else.
    pub(super) fn empty_queue(&mut self) {
        self.plain = Lane::EMPTY;
        self.ranked.clear();
        self.waiting = 0;
    }

    #[inline]
    pub(super) fn push<W, A>(&mut self, slot: Slot, priority: i32, register: &mut Register<W, A>) {
        match priority {
            0 => self.plain.push(slot, register),
            _ => self
                .ranked
                .entry(Reverse(priority))
                .or_insert(Lane::EMPTY)
                .push(slot, register),
        }
    }

    #[inline]
    pub(super) fn unlink<W, A>(
        &mut self,
        slot: Slot,
        priority: i32,
        register: &mut Register<W, A>,
    ) {
        if priority == 0 {
            return self.plain.unlink(slot, register);
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

/// The pool's level and those of its groups. Nearly all that happens, happens at the first.
#[derive(Debug)]
pub(super) struct Levels {
    pub(super) root: Level,
    groups: Vec<Level>,
}

impl Levels {
    pub(super) fn new(size: usize) -> Self {
        Self {
            root: Level::new(None, size),
            groups: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, parent: LevelId, size: usize) -> LevelId {
        self.groups.push(Level::new(Some(parent.0), size));
        LevelId(self.groups.len() as u32)
    }

    #[inline]
    pub(super) fn at(&self, at: u32) -> &Level {
        match at.checked_sub(1) {
            None => &self.root,
            Some(group) => &self.groups[group as usize],
        }
    }

    #[inline]
    pub(super) fn at_mut(&mut self, at: u32) -> &mut Level {
        match at.checked_sub(1) {
            None => &mut self.root,
            Some(group) => &mut self.groups[group as usize],
        }
    }

    /// Changes a level, and each one around it.
    #[inline]
    pub(super) fn each_from(&mut self, home: u32, mut change: impl FnMut(&mut Level)) {
        let mut at = home;
        while let Some(group) = at.checked_sub(1) {
            let level = &mut self.groups[group as usize];
            change(level);
            at = level.parent.unwrap_or(LevelId::ROOT.0);
        }
        change(&mut self.root);
    }

    pub(super) fn path(&self, home: u32) -> impl Iterator<Item = &Level> {
        std::iter::successors(Some(self.at(home)), |below| {
            below.parent.map(|at| self.at(at))
        })
    }
}
