use std::collections::HashMap;

use super::level::{LevelId, Levels, Standing};
use super::register::{Content, Entry, Register};
use crate::task::{Slot, TaskId};

/// The permits of a pool and its groups, and all that live there.
///
/// `W` is what waits, and is handed back when its turn comes. `A` is whatever
/// the caller keeps of an active one.
///
/// A change that may give way to others (`enter`, `leave`, `withdraw`, `resize`,
/// `resume`) is followed by [`admit`](Self::admit) until nobody [`is_ready`](Self::is_ready).
/// Then the invariants of each [`Level`](super::level::Level) hold again.
#[derive(Debug)]
pub(crate) struct Gate<W, A> {
    register: Register<W, A>,
    levels: Levels,
    /// The places of those that are not at the pool's own level, or ask for more than a permit in their turn.
    places: HashMap<Slot, Place>,
}

/// Where somebody stands, and what for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    standing: Standing,
    /// The level it was submitted to, and the one in whose queue it stands.
    home: u32,
    at: u32,
}

impl Place {
    const PLAIN: Self = Self {
        standing: Standing::PLAIN,
        home: 0,
        at: 0,
    };
}

impl<W, A> Gate<W, A> {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            register: Register::new(),
            levels: Levels::new(size),
            places: HashMap::new(),
        }
    }

    /// Adds a group below `parent`.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the pool has no verb for groups yet")
    )]
    pub(crate) fn add_level(&mut self, parent: LevelId, size: usize) -> LevelId {
        self.levels.add(parent, size)
    }

    /// Files a newcomer at the back of its queue; `make` learns its slot first.
    #[inline]
    pub(crate) fn enter(
        &mut self,
        id: TaskId,
        home: LevelId,
        standing: Standing,
        make: impl FnOnce(Slot) -> W,
    ) -> Slot {
        let slot = self.register.insert(id, make);
        let place = Place {
            standing,
            home: home.0,
            at: home.0,
        };
        if place != Place::PLAIN {
            self.places.insert(slot, place);
        }
        self.levels.each_from(home.0, |level| level.waiting += 1);
        self.levels
            .at_mut(home.0)
            .push(slot, standing.priority, &mut self.register);
        self.lift(home.0);
        slot
    }

    /// Whether somebody is to be admitted.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        let root = &self.levels.root;
        let fits = |(slot, _)| root.fits(self.standing(slot).weight);
        !root.is_shut() && root.first().is_some_and(fits)
    }

    /// Gives the next its permits, to be run by `by`. It is active from here on.
    #[inline]
    pub(crate) fn admit(&mut self, by: impl FnOnce(Slot) -> Option<A>) -> Option<W> {
        if self.levels.root.is_shut() {
            return None;
        }
        let slot = self.pass(0)?;
        let by = by(slot);
        let home = self.place(slot).home;
        let entry = self.register.at(slot.0);
        let Content::Waiting(waiting) = std::mem::replace(&mut entry.content, Content::Active(by))
        else {
            unreachable!("an active task stood in a queue");
        };
        self.levels.each_from(home, |level| {
            level.waiting -= 1;
            level.active += 1;
        });
        Some(waiting)
    }

    /// Takes the permits of an active one back, and its slot.
    #[inline]
    pub(crate) fn leave(&mut self, slot: Slot) -> Option<A> {
        let by = match &mut self.register.at(slot.0).content {
            Content::Active(by) => by.take(),
            Content::Waiting(_) => unreachable!("a waiting task left as an active one"),
        };
        let Place { standing, home, .. } = self.place(slot);
        let weight = standing.weight;
        self.forget(slot);
        self.levels.each_from(home, |level| {
            level.held -= weight;
            level.active -= 1;
        });
        self.lift(home);
        by
    }

    /// Takes a waiting one out of its queue, with what it held on its way.
    ///
    /// The slot stays its own until [`forget`](Self::forget): it has yet to be settled.
    pub(crate) fn withdraw(&mut self, slot: Slot) -> Option<W> {
        if !matches!(self.register.get(slot)?.content, Content::Waiting(_)) {
            return None;
        }
        let Place { standing, home, at } = self.place(slot);
        let entry = self.register.at(slot.0);
        let Content::Waiting(waiting) =
            std::mem::replace(&mut entry.content, Content::Active(None))
        else {
            return None;
        };
        self.levels
            .at_mut(at)
            .unlink(slot, standing.priority, &mut self.register);
        self.levels.each_from(home, |level| level.waiting -= 1);
        let mut below = home;
        while below != at {
            let level = self.levels.at_mut(below);
            level.held -= standing.weight;
            below = level.parent.unwrap_or(at);
        }
        self.lift(home);
        Some(waiting)
    }

    /// Withdraws all that wait.
    pub(crate) fn withdraw_all(&mut self) -> Vec<(Slot, W)> {
        if !self.places.is_empty() {
            return self.withdraw_each();
        }
        // All are at the root, and in one lane: it is emptied as a whole.
        let mut withdrawn = Vec::with_capacity(self.levels.root.waiting);
        for (slot, content) in self.register.contents_mut() {
            if let Content::Waiting(_) = content {
                if let Content::Waiting(waiting) = std::mem::replace(content, Content::Active(None))
                {
                    withdrawn.push((slot, waiting));
                }
            }
        }
        self.levels.root.empty_queue();
        withdrawn
    }

    fn withdraw_each(&mut self) -> Vec<(Slot, W)> {
        let waiting = self
            .register
            .iter()
            .filter(|(_, entry)| matches!(entry.content, Content::Waiting(_)));
        let slots: Vec<Slot> = waiting.map(|(slot, _)| slot).collect();
        slots
            .into_iter()
            .filter_map(|slot| Some((slot, self.withdraw(slot)?)))
            .collect()
    }

    /// Frees the slot of one that was withdrawn.
    #[inline]
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.register.remove(slot);
        if !self.places.is_empty() {
            self.places.remove(&slot);
        }
    }

    /// Whether a newcomer would be admitted on the spot.
    pub(crate) fn has_room(&self, home: LevelId, standing: Standing) -> bool {
        let Standing { weight, priority } = standing;
        self.levels
            .path(home.0)
            .all(|level| level.fits(weight) && !level.is_awaited(priority))
    }

    /// Whether so many permits exist, at each level on the way.
    pub(crate) fn can_carry(&self, home: LevelId, weight: usize) -> bool {
        self.levels.path(home.0).all(|level| weight <= level.size)
    }

    pub(crate) fn resize(&mut self, level: LevelId, size: usize) {
        self.levels.at_mut(level.0).size = size;
        self.lift(level.0);
    }

    pub(crate) fn set_paused(&mut self, level: LevelId, paused: bool) {
        self.levels.at_mut(level.0).paused = paused;
        self.lift(level.0);
    }

    pub(crate) fn is_paused(&self, level: LevelId) -> bool {
        self.levels.at(level.0).paused
    }

    pub(crate) fn size(&self, level: LevelId) -> usize {
        self.levels.at(level.0).size
    }

    pub(crate) fn is_full(&self, level: LevelId) -> bool {
        let level = self.levels.at(level.0);
        level.held >= level.size
    }

    pub(crate) fn active(&self, level: LevelId) -> usize {
        self.levels.at(level.0).active
    }

    pub(crate) fn waiting(&self, level: LevelId) -> usize {
        self.levels.at(level.0).waiting
    }

    /// What stands in a slot, if it is still this task's.
    pub(crate) fn get(&self, slot: Slot, id: TaskId) -> Option<&Content<W, A>> {
        let entry = self.register.get(slot)?;
        (entry.id == id).then_some(&entry.content)
    }

    pub(crate) fn standing(&self, slot: Slot) -> Standing {
        self.place(slot).standing
    }

    /// All that live here, in no order. One that is ending is active, and nobody runs it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, TaskId, &Content<W, A>)> {
        self.register
            .iter()
            .map(|(slot, Entry { id, content, .. })| (slot, *id, content))
    }

    /// How many have a slot: waiting, active, or on their way out.
    pub(crate) fn living(&self) -> usize {
        self.register.len()
    }

    /// How many slots there is memory for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.register.capacity()
    }

    #[inline]
    fn place(&self, slot: Slot) -> Place {
        if self.places.is_empty() {
            return Place::PLAIN;
        }
        self.places.get(&slot).copied().unwrap_or(Place::PLAIN)
    }

    /// Lets the first of a level's queue through, if it fits.
    #[inline]
    fn pass(&mut self, at: u32) -> Option<Slot> {
        let (slot, priority) = self.levels.at(at).first()?;
        let weight = self.standing(slot).weight;
        let level = self.levels.at_mut(at);
        if !level.fits(weight) {
            return None;
        }
        level.unlink(slot, priority, &mut self.register);
        level.held += weight;
        Some(slot)
    }

    /// Moves those who fit from a group's queue to the queue around it, and so on up.
    #[inline]
    fn lift(&mut self, from: u32) {
        if from != LevelId::ROOT.0 {
            self.lift_below_root(from);
        }
    }

    fn lift_below_root(&mut self, from: u32) {
        let Some(parent) = self.levels.at(from).parent else {
            return;
        };
        while let Some(slot) = self.pass(from) {
            let Some(place) = self.places.get_mut(&slot) else {
                continue;
            };
            place.at = parent;
            let priority = place.standing.priority;
            self.levels
                .at_mut(parent)
                .push(slot, priority, &mut self.register);
        }
        self.lift(parent);
    }
}
