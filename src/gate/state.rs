use super::level::{Rank, Standing, Turn};
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
    /// The number that the next task will have.
    pub(super) next: u64,
    /// How many have come who are no tasks, or come again.
    pub(super) others: u64,
    /// How many have been [refused](Self::refuse), have no slot, and have not ended.
    pub(super) refused: usize,
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
            next: 0,
            others: 0,
            refused: 0,
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
        if id.is_task() {
            self.next = id.get() + 1;
        }
        let is_plain = home == LevelId::ROOT && standing == Standing::PLAIN;
        if is_plain && (id.is_task() || self.levels.root.children.is_empty()) {
            let root = &mut self.levels.root;
            root.waiting += 1;
            root.push(slot, standing.priority, &mut self.register);
        } else {
            let turn = self.turn_of(id);
            self.queue(slot, Place::new(home, standing, Hold::Plain, turn));
        }
        slot
    }

    /// The same for code that runs elsewhere, and is known to the caller already.
    pub(crate) fn ask(&mut self, home: LevelId, who: A) -> Slot {
        let slot = self
            .register
            .insert(TaskId::UNNUMBERED, |_| Content::Active(Some(who)));
        let turn = self.turn_of_another();
        self.queue(slot, Place::new(home, Standing::PLAIN, Hold::Asking, turn));
        slot
    }

    #[inline(never)]
    pub(super) fn queue(&mut self, slot: Slot, place: Place) {
        let Place { standing, home, .. } = place;
        self.settle(slot, place);
        self.levels.each_from(home, |level| level.waiting += 1);
        self.levels
            .at_mut(home)
            .push(slot, standing.priority, &mut self.register);
        // Where no newcomer fits, one more changes nothing for the levels around.
        if !self.levels.at(home).is_shut() {
            self.refresh(home);
        }
    }

    /// When a task came: in the order of submission, and what is no task before the task that comes next.
    fn turn_of(&mut self, id: TaskId) -> Turn {
        match id.is_task() {
            true => Turn::of_task(id.get()),
            false => self.turn_of_another(),
        }
    }

    pub(super) fn turn_of_another(&mut self) -> Turn {
        self.others += 1;
        Turn::between(self.next, self.others)
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
        if !root.is_simple() {
            return self.is_ready_mixed();
        }
        let fits = |(slot, _)| root.fits(self.standing(slot).weight);
        !root.is_shut() && root.first().is_some_and(fits) && self.starts != Some(0)
    }

    #[inline(never)]
    fn is_ready_mixed(&self) -> bool {
        let first = self.first_of(LevelId::ROOT.0);
        first.is_some_and(|(rank, slot)| self.passes(LevelId::ROOT.0, rank, slot))
    }

    /// Gives the next its permits; a task is to be run by `by`. It is active from here on.
    #[inline]
    pub(crate) fn admit(&mut self, by: impl FnOnce(Slot) -> Option<A>) -> Option<Admitted<W, A>>
    where
        A: Clone,
    {
        let slot = match self.levels.root.is_simple() {
            true => self.pass_simple()?,
            false => self.pass_mixed()?,
        };
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
        self.free(slot);
        self.refresh_all(place.home);
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
        self.refresh(place.home);
        Some(waiting)
    }

    /// Takes one out of its queue, of whom nobody holds anything.
    pub(super) fn step_out(&mut self, slot: Slot, place: Place) {
        let Place { home, hold, .. } = place;
        self.unlink(slot, place);
        self.levels.each_from(home, |level| match hold {
            Hold::Returning => level.lent -= 1,
            _ => level.waiting -= 1,
        });
    }

    /// Takes one out of the queue of its level.
    fn unlink(&mut self, slot: Slot, place: Place) {
        let level = self.levels.at_mut(place.home);
        match place.hold {
            Hold::Returning => level.unlink_returning(slot, &mut self.register),
            _ => level.unlink(slot, place.standing.priority, &mut self.register),
        }
    }

    /// Frees the slot of one that was withdrawn.
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.free(slot);
    }

    #[inline]
    fn free(&mut self, slot: Slot) {
        self.register.remove(slot);
        if !self.places.is_empty() {
            self.forget_place(slot);
        }
    }

    /// Frees a slot, and returns what stood there.
    #[inline]
    pub(super) fn take(&mut self, slot: Slot) -> Content<W, A> {
        if !self.places.is_empty() {
            self.forget_place(slot);
        }
        self.register.take(slot)
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

    /// Lets a newcomer that is not taken in live until it [has been let go](Self::let_go).
    pub(crate) fn refuse(&mut self, home: LevelId) {
        self.refused += 1;
        self.levels
            .each_group_from(home.0, |level| level.living += 1);
    }

    /// Lets a newcomer go that was refused, and has ended.
    pub(crate) fn let_go(&mut self, home: LevelId) {
        self.refused -= 1;
        self.levels
            .each_group_from(home.0, |level| level.living -= 1);
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

    /// Lets the first of the pool's own queue through, if it fits, where nobody else waits.
    #[inline]
    fn pass_simple(&mut self) -> Option<Slot> {
        if self.levels.root.is_shut() || self.starts == Some(0) {
            return None;
        }
        let (slot, priority) = self.levels.root.first()?;
        let weight = self.standing(slot).weight;
        let root = &mut self.levels.root;
        if !root.fits(weight) {
            return None;
        }
        root.unlink(slot, priority, &mut self.register);
        root.held += weight;
        self.starts = self.starts.map(|left| left - 1);
        Some(slot)
    }

    /// Lets the first of all queues through, if it fits.
    #[inline(never)]
    fn pass_mixed(&mut self) -> Option<Slot> {
        let (rank, slot) = self.first_of(LevelId::ROOT.0)?;
        if !self.passes(LevelId::ROOT.0, rank, slot) {
            return None;
        }
        let place = self.place(slot);
        self.unlink(slot, place);
        let weight = place.standing.weight;
        self.levels
            .each_from(place.home, |level| level.held += weight);
        if rank.is_newcomer {
            self.starts = self.starts.map(|left| left - 1);
        }
        self.refresh_all(place.home);
        Some(slot)
    }

    /// Whose turn it is at a level: one of its own, or one whom a group offers.
    pub(super) fn first_of(&self, at: u32) -> Option<(Rank, Slot)> {
        let level = self.levels.at(at);
        let own = match level.first_returning() {
            Some(slot) => Some((Rank::returning(self.turn_at(slot)), slot)),
            None => level
                .first()
                .map(|(slot, priority)| (Rank::newcomer(priority, self.turn_at(slot)), slot)),
        };
        match (own, level.first_offer()) {
            (Some((rank, slot)), Some((offer, _))) if rank < offer => Some((rank, slot)),
            (_, Some(offer)) => Some(offer),
            (own, None) => own,
        }
    }

    fn turn_at(&self, slot: Slot) -> Turn {
        if let Some(place) = self.places.get(slot) {
            return place.turn;
        }
        match self.register.get(slot).map(|entry| entry.id) {
            Some(id) if id.is_task() => Turn::of_task(id.get()),
            // It came before there were groups.
            _ => Turn::FIRST,
        }
    }

    /// Whether a level lets the first of its queue through.
    fn passes(&self, at: u32, rank: Rank, slot: Slot) -> bool {
        let (level, weight) = (self.levels.at(at), self.standing(slot).weight);
        match (rank.is_newcomer, at) {
            (false, _) => level.carries(weight),
            (true, LevelId::ROOT_AT) => level.fits(weight) && self.starts != Some(0),
            (true, _) => level.fits(weight),
        }
    }

    /// Has a group offer the one whom it would let through now; then perhaps those around it.
    ///
    /// For a change of this level alone: where its offer stays the same, so do the others.
    #[inline]
    pub(super) fn refresh(&mut self, from: u32) {
        let mut at = Some(from);
        while let Some(level) = at {
            at = self
                .refresh_one(level)
                .filter(|(_, changed)| *changed)
                .map(|(parent, _)| parent);
        }
    }

    /// The same where permits were taken or given back: of this level, and of each one around it.
    #[inline]
    pub(super) fn refresh_all(&mut self, from: u32) {
        let mut at = Some(from);
        while let Some(level) = at {
            at = self.refresh_one(level).map(|(parent, _)| parent);
        }
    }

    /// Returns the level around a group, and whether what the group offers there has changed.
    #[inline]
    fn refresh_one(&mut self, at: u32) -> Option<(u32, bool)> {
        match at {
            LevelId::ROOT_AT => None,
            group => self.refresh_group(group),
        }
    }

    #[inline(never)]
    fn refresh_group(&mut self, at: u32) -> Option<(u32, bool)> {
        let parent = self.levels.at(at).parent?;
        let first = self.first_of(at);
        let offer = first.filter(|(rank, slot)| self.passes(at, *rank, *slot));
        let rank = offer.map(|(rank, _)| rank);
        let stale = std::mem::replace(&mut self.levels.at_mut(at).offered, rank);
        if stale == rank {
            return Some((parent, false));
        }
        let offers = &mut self.levels.at_mut(parent).offers;
        stale.and_then(|rank| offers.remove(&rank));
        offer.and_then(|(rank, slot)| offers.insert(rank, slot));
        Some((parent, true))
    }
}
