use super::level::Standing;
use super::levels::{LevelId, Levels};
use super::place::{Hold, Place};
use super::register::{Content, Register};
use crate::pages::Pages;
use crate::task::{Slot, TaskId};

/// The permits of a pool and its groups, and all that live there.
///
/// `W` is what waits, and is handed back when its turn comes. `A` is whatever
/// the caller keeps of an active one, `L` what it keeps of a level.
///
/// A change that may give way to others (`enter`, `leave`, `withdraw`, `lend`,
/// `resize`, …) is followed by [`admit`](Self::admit) until nobody [`is_ready`](Self::is_ready).
/// Then the invariants of each [`Level`](super::level::Level) hold again.
#[derive(Debug)]
pub(crate) struct Gate<W, A, L> {
    pub(super) register: Register<W, A>,
    pub(super) levels: Levels<L>,
    /// The places of those whom their slots do not say all about.
    pub(super) places: Pages<Place>,
    /// How many newcomers may be admitted before [`allow`](Self::allow) is called again.
    pub(super) starts: Option<u32>,
    /// How many have been [swept](Self::sweep) out, and have no slot any more.
    pub(super) leaving: usize,
}

/// Whose turn it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admitted<W, A> {
    /// A task, which starts.
    New(W),
    /// One who was active before, or who runs elsewhere: it has its permits now.
    Back(A),
}

impl<W, A, L> Gate<W, A, L> {
    pub(crate) fn new(size: usize, kept: L) -> Self {
        Self {
            register: Register::new(),
            levels: Levels::new(size, kept),
            places: Pages::new(),
            starts: None,
            leaving: 0,
        }
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
        let slot = self
            .register
            .insert(id, |slot| Content::Waiting(make(slot)));
        let place = Place::new(home, standing, Hold::Plain);
        if place == Place::PLAIN {
            let root = &mut self.levels.root;
            root.waiting += 1;
            root.push(slot, standing.priority, &mut self.register);
        } else {
            self.queue(slot, place);
        }
        slot
    }

    /// The same for code that runs elsewhere, and is known to the caller already.
    pub(crate) fn ask(&mut self, home: LevelId, who: A) -> Slot {
        let slot = self
            .register
            .insert(TaskId::UNNUMBERED, |_| Content::Active(Some(who)));
        self.queue(slot, Place::new(home, Standing::PLAIN, Hold::Asking));
        slot
    }

    #[inline(never)]
    pub(super) fn queue(&mut self, slot: Slot, place: Place) {
        let Place { standing, home, .. } = place;
        if place != Place::PLAIN {
            self.settle(slot, place);
        }
        self.levels.each_from(home, |level| level.waiting += 1);
        self.levels
            .at_mut(home)
            .push(slot, standing.priority, &mut self.register);
        self.lift(home);
    }

    /// Notes a place, and who lives in its group.
    fn settle(&mut self, slot: Slot, mut place: Place) {
        if place.home != LevelId::ROOT.0 {
            let member = &mut self.levels.at_mut(place.home).member;
            place.next = std::mem::replace(member, slot.0);
            if let Some(next) = self.places.get_mut(Slot(place.next)) {
                next.prev = slot.0;
            }
            self.levels
                .each_group_from(place.home, |level| level.living += 1);
        }
        self.places.insert(slot, place);
    }

    /// Whether somebody is to be admitted.
    #[inline(always)]
    pub(crate) fn is_ready(&self) -> bool {
        let root = &self.levels.root;
        if let Some(slot) = root.first_returning() {
            return root.carries(self.standing(slot).weight);
        }
        let fits = |(slot, _)| root.fits(self.standing(slot).weight);
        !root.is_shut() && root.first().is_some_and(fits) && self.starts != Some(0)
    }

    /// Gives the next its permits; a task is to be run by `by`. It is active from here on.
    #[inline]
    pub(crate) fn admit(&mut self, by: impl FnOnce(Slot) -> Option<A>) -> Option<Admitted<W, A>>
    where
        A: Clone,
    {
        let slot = self.pass(LevelId::ROOT.0)?;
        let Place { home, hold, .. } = self.place(slot);
        self.levels.each_from(home, |level| {
            match hold {
                Hold::Plain | Hold::Asking => level.waiting -= 1,
                Hold::Lent | Hold::Returning => level.lent -= 1,
            }
            level.active += 1;
        });
        if hold != Hold::Plain {
            return self.readmit(slot).map(Admitted::Back);
        }
        let by = by(slot);
        let entry = self.register.at(slot.0);
        match std::mem::replace(&mut entry.content, Content::Active(by)) {
            Content::Waiting(waiting) => Some(Admitted::New(waiting)),
            Content::Active(_) => unreachable!("an active task stood in a queue"),
        }
    }

    /// Takes an active one out, with whatever permits it has.
    #[inline]
    pub(crate) fn leave(&mut self, slot: Slot) -> (Option<A>, LevelId) {
        let by = match &mut self.register.at(slot.0).content {
            Content::Active(by) => by.take(),
            Content::Waiting(_) => unreachable!("a waiting task left as an active one"),
        };
        let place = self.place(slot);
        match place.hold {
            Hold::Plain => self.levels.each_from(place.home, |level| {
                level.held -= place.standing.weight;
                level.active -= 1;
            }),
            Hold::Lent => self.levels.each_from(place.home, |level| level.lent -= 1),
            Hold::Returning | Hold::Asking => self.step_out(slot, place),
        }
        self.forget(slot);
        self.lift(place.home);
        (by, LevelId(place.home))
    }

    /// Takes a waiting one out of its queue, with what it held on its way.
    ///
    /// The slot stays its own until [`forget`](Self::forget): it has yet to be settled.
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
        let place = self.place(slot);
        self.step_out(slot, place);
        self.lift(place.home);
        Some(waiting)
    }

    /// Takes one out of the queue where it stands, and its permits of the levels below that.
    pub(super) fn step_out(&mut self, slot: Slot, place: Place) {
        let Place {
            standing,
            home,
            at,
            hold,
            ..
        } = place;
        let level = self.levels.at_mut(at);
        match hold {
            Hold::Returning => level.unlink_returning(slot, &mut self.register),
            _ => level.unlink(slot, standing.priority, &mut self.register),
        }
        self.levels.each_from(home, |level| match hold {
            Hold::Returning => level.lent -= 1,
            _ => level.waiting -= 1,
        });
        let mut below = home;
        while below != at {
            let level = self.levels.at_mut(below);
            level.held -= standing.weight;
            below = level.parent.unwrap_or(at);
        }
    }

    /// Withdraws all that wait at a level or below it, one by one.
    pub(crate) fn withdraw_all(&mut self, level: LevelId) -> Vec<(Slot, W)> {
        self.slots(level)
            .into_iter()
            .filter_map(|slot| Some((slot, self.withdraw(slot)?)))
            .collect()
    }

    /// Frees the slot of one that was withdrawn.
    #[inline]
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.register.remove(slot);
        if !self.places.is_empty() {
            self.forget_place(slot);
        }
    }

    #[inline(never)]
    fn forget_place(&mut self, slot: Slot) {
        let Some(place) = self.places.remove(slot) else {
            return;
        };
        if place.home != LevelId::ROOT.0 {
            match self.places.get_mut(Slot(place.prev)) {
                Some(prev) => prev.next = place.next,
                None => self.levels.at_mut(place.home).member = place.next,
            }
            if let Some(next) = self.places.get_mut(Slot(place.next)) {
                next.prev = place.prev;
            }
            self.levels
                .each_group_from(place.home, |level| level.living -= 1);
        }
    }

    /// Says how many newcomers may be admitted from now on.
    pub(crate) fn allow(&mut self, starts: u32) {
        self.starts = Some(starts);
    }

    /// Gives another number to one that has a slot.
    pub(crate) fn renumber(&mut self, slot: Slot, id: TaskId) {
        self.register.at(slot.0).id = id;
    }

    #[inline]
    pub(super) fn place(&self, slot: Slot) -> Place {
        if self.places.is_empty() {
            return Place::PLAIN;
        }
        self.find_place(slot)
    }

    #[inline(never)]
    pub(super) fn find_place(&self, slot: Slot) -> Place {
        self.places.get(slot).copied().unwrap_or(Place::PLAIN)
    }

    pub(super) fn change_place(&mut self, slot: Slot, change: impl FnOnce(&mut Place)) {
        let mut place = self.place(slot);
        change(&mut place);
        if place == Place::PLAIN {
            self.places.remove(slot);
        } else {
            self.places.insert(slot, place);
        }
    }

    /// Lets the first of a level's queue through, if it fits.
    #[inline]
    pub(super) fn pass(&mut self, at: u32) -> Option<Slot> {
        if self.levels.at(at).first_returning().is_some() {
            return self.pass_returning(at);
        }
        if at == LevelId::ROOT.0 && (self.levels.root.is_shut() || self.starts == Some(0)) {
            return None;
        }
        let (slot, priority) = self.levels.at(at).first()?;
        let weight = self.standing(slot).weight;
        let level = self.levels.at_mut(at);
        if !level.fits(weight) {
            return None;
        }
        level.unlink(slot, priority, &mut self.register);
        level.held += weight;
        if at == LevelId::ROOT.0 {
            self.starts = self.starts.map(|left| left - 1);
        }
        Some(slot)
    }

    /// Moves those who fit from a group's queue to the queue around it, and so on up.
    #[inline]
    pub(super) fn lift(&mut self, from: u32) {
        if from != LevelId::ROOT.0 {
            self.lift_below_root(from);
        }
    }

    fn lift_below_root(&mut self, from: u32) {
        let Some(parent) = self.levels.at(from).parent else {
            return;
        };
        while let Some(slot) = self.pass(from) {
            let Some(place) = self.places.get_mut(slot) else {
                continue;
            };
            place.at = parent;
            let (priority, hold) = (place.standing.priority, place.hold);
            let level = self.levels.at_mut(parent);
            match hold {
                Hold::Returning => level.push_returning(slot, &mut self.register),
                _ => level.push(slot, priority, &mut self.register),
            }
        }
        self.lift(parent);
    }
}
