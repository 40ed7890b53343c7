use std::collections::HashMap;

use super::level::Standing;
use super::levels::{LevelId, Levels};
use super::place::{Hold, Place};
use super::register::{Content, Entry, Register};
use crate::task::{Slot, TaskId, TaskState};

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
    register: Register<W, A>,
    levels: Levels<L>,
    /// The places of those whom their slots do not say all about.
    places: HashMap<Slot, Place>,
    /// How many newcomers may be admitted before [`allow`](Self::allow) is called again.
    starts: Option<u32>,
    /// How many have been [swept](Self::sweep) out, and have no slot any more.
    leaving: usize,
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
            places: HashMap::new(),
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

    /// Whether a plain newcomer to the pool itself finds a permit, and nobody before it. If others than plain ones live here, it says no.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        let root = &self.levels.root;
        self.places.is_empty() && self.starts.is_none() && !root.is_shut() && root.first().is_none()
    }

    /// Gives its permit to such a newcomer at once, to be run by `by`.
    #[inline]
    pub(crate) fn start(&mut self, id: TaskId, by: A) -> Slot {
        let root = &mut self.levels.root;
        root.held += 1;
        root.active += 1;
        self.register.insert(id, |_| Content::Active(Some(by)))
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
    fn queue(&mut self, slot: Slot, place: Place) {
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
    fn settle(&mut self, slot: Slot, place: Place) {
        self.places.insert(slot, place);
        if place.home != LevelId::ROOT.0 {
            self.levels.at_mut(place.home).members.insert(slot);
            self.levels
                .each_group_from(place.home, |level| level.living += 1);
        }
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

    /// Gives the next its permits if it is known to the caller already, and no task that starts.
    #[inline]
    pub(crate) fn admit_known(&mut self) -> Option<A>
    where
        A: Clone,
    {
        // Those who are known have places.
        if self.places.is_empty() || !self.is_ready() {
            return None;
        }
        self.admit_placed()
    }

    #[inline(never)]
    fn admit_placed(&mut self) -> Option<A>
    where
        A: Clone,
    {
        let root = &self.levels.root;
        let next = root.first_returning().or_else(|| Some(root.first()?.0))?;
        match self.register.get(next)?.content {
            Content::Waiting(_) => None,
            Content::Active(_) => match self.admit(|_| None)? {
                Admitted::Back(who) => Some(who),
                Admitted::New(_) => None,
            },
        }
    }

    fn readmit(&mut self, slot: Slot) -> Option<A>
    where
        A: Clone,
    {
        self.change_place(slot, |place| place.hold = Hold::Plain);
        match &self.register.at(slot.0).content {
            Content::Active(who) => who.clone(),
            Content::Waiting(_) => unreachable!("a task returned that had not started"),
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

    /// Takes an active one out, and lets the next have its permit and whoever runs it. Returns the next one's slot, too.
    ///
    /// The short way for the most common case: all are plain tasks of the pool itself, which is full.
    /// It comes to the same as [`leave`](Self::leave) and [`admit`](Self::admit), which are for all cases.
    #[inline]
    pub(crate) fn succeed(&mut self, slot: Slot) -> Option<(Slot, W)> {
        let root = &mut self.levels.root;
        if !self.places.is_empty() || self.starts.is_some() || !root.is_just_full() {
            return None;
        }
        let next = root.pop_plain(&mut self.register)?;
        root.waiting -= 1;
        let by = match &mut self.register.at(slot.0).content {
            Content::Active(by) => by.take(),
            Content::Waiting(_) => unreachable!("a waiting task left as an active one"),
        };
        self.register.remove(slot);
        let next_content = &mut self.register.at(next.0).content;
        match std::mem::replace(next_content, Content::Active(by)) {
            Content::Waiting(waiting) => Some((next, waiting)),
            Content::Active(_) => unreachable!("an active task stood in a queue"),
        }
    }

    /// Takes the permits of an active one back, until it [returns](Self::come_back).
    pub(crate) fn lend(&mut self, slot: Slot) {
        let Place { standing, home, .. } = self.place(slot);
        self.levels.each_from(home, |level| {
            level.held -= standing.weight;
            level.active -= 1;
            level.lent += 1;
        });
        self.change_place(slot, |place| place.hold = Hold::Lent);
        self.lift(home);
    }

    /// Lets one who lent its permits stand in line for them, before all newcomers.
    pub(crate) fn come_back(&mut self, slot: Slot) {
        let home = self.place(slot).home;
        self.change_place(slot, |place| {
            (place.hold, place.at) = (Hold::Returning, home);
        });
        self.levels
            .at_mut(home)
            .push_returning(slot, &mut self.register);
        self.lift(home);
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
    fn step_out(&mut self, slot: Slot, place: Place) {
        let Place {
            standing,
            home,
            at,
            hold,
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

    /// Withdraws all that wait, if they are all plain tasks of the pool itself: with their slots, and in one go.
    ///
    /// Says how many they are. They live on until they are [let go](Self::let_go): they have yet to be settled.
    pub(crate) fn sweep(&mut self) -> Option<(usize, impl Iterator<Item = W> + use<W, A, L>)> {
        if !self.places.is_empty() {
            return None;
        }
        let waiting = self.levels.root.waiting;
        self.levels.root.empty_queue();
        self.leaving += waiting;
        Some((waiting, self.register.take_waiting(waiting)))
    }

    /// So many that were swept out are settled.
    pub(crate) fn let_go(&mut self, settled: usize) {
        self.leaving -= settled;
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
        let Some(Place { home, .. }) = self.places.remove(&slot) else {
            return;
        };
        if home != LevelId::ROOT.0 {
            self.levels.at_mut(home).members.remove(&slot);
            self.levels.each_group_from(home, |level| level.living -= 1);
        }
    }

    /// Whether a newcomer would be admitted on the spot.
    #[inline(never)]
    pub(crate) fn has_room(&self, home: LevelId, standing: Standing) -> bool {
        let Standing { weight, priority } = standing;
        self.starts != Some(0)
            && self
                .levels
                .path(home.0)
                .all(|(_, level)| level.fits(weight) && !level.is_awaited(priority))
    }

    /// Whether so many permits exist, at each level on the way.
    #[inline(never)]
    pub(crate) fn can_carry(&self, home: LevelId, weight: usize) -> bool {
        self.levels
            .path(home.0)
            .all(|(_, level)| weight <= level.size)
    }

    /// Says how many newcomers may be admitted from now on.
    pub(crate) fn allow(&mut self, starts: u32) {
        self.starts = Some(starts);
    }

    /// How many may be, if that is limited.
    pub(crate) fn starts(&self) -> Option<u32> {
        self.starts
    }

    /// Gives another number to one that has a slot.
    pub(crate) fn renumber(&mut self, slot: Slot, id: TaskId) {
        self.register.at(slot.0).id = id;
    }

    /// What stands in a slot, if it is still this task's.
    pub(crate) fn get(&self, slot: Slot, id: TaskId) -> Option<&Content<W, A>> {
        let entry = self.register.get(slot)?;
        (entry.id == id).then_some(&entry.content)
    }

    /// Whose slot it is.
    pub(crate) fn id(&self, slot: Slot) -> Option<TaskId> {
        self.register.get(slot).map(|entry| entry.id)
    }

    /// How far the one in a slot has come.
    pub(crate) fn progress(&self, slot: Slot, id: TaskId) -> TaskState {
        match self.get(slot, id) {
            None => TaskState::Finished,
            Some(Content::Waiting(_)) => TaskState::Waiting,
            Some(Content::Active(_)) => match self.place(slot).hold {
                Hold::Plain => TaskState::Active,
                Hold::Lent | Hold::Returning | Hold::Asking => TaskState::Waiting,
            },
        }
    }

    pub(crate) fn standing(&self, slot: Slot) -> Standing {
        self.place(slot).standing
    }

    /// The level that somebody was submitted to.
    #[inline]
    pub(crate) fn home(&self, slot: Slot) -> LevelId {
        LevelId(self.place(slot).home)
    }

    /// The slots of all that live at a level or below it, in no order.
    pub(crate) fn slots(&self, level: LevelId) -> Vec<Slot> {
        if level == LevelId::ROOT {
            return self.register.iter().map(|(slot, _)| slot).collect();
        }
        let levels = self.levels.below(level.0).into_iter();
        levels
            .flat_map(|at| self.levels.at(at).members.iter().copied())
            .collect()
    }

    /// The tasks that live at a level or below it, in no order. One that is ending is active, and nobody runs it.
    pub(crate) fn tasks(
        &self,
        level: LevelId,
    ) -> impl Iterator<Item = (Slot, TaskId, &Content<W, A>)> {
        self.entries(level).filter(|(_, id, _)| id.is_task())
    }

    /// Those at a level or below it whom a worker has, in no order: tasks, and what tasks are made of.
    pub(crate) fn served(&self, level: LevelId) -> impl Iterator<Item = &A> {
        let served = self
            .entries(level)
            .filter(|(_, id, _)| *id != TaskId::UNNUMBERED);
        served.filter_map(|(_, _, content)| match content {
            Content::Active(by) => by.as_ref(),
            Content::Waiting(_) => None,
        })
    }

    fn entries(&self, level: LevelId) -> impl Iterator<Item = (Slot, TaskId, &Content<W, A>)> {
        let entry = |slot| Some((slot, self.register.get(slot)?));
        let entries = self.slots(level).into_iter().filter_map(entry);
        entries.map(|(slot, Entry { id, content, .. })| (slot, *id, content))
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
        self.find_place(slot)
    }

    #[inline(never)]
    fn find_place(&self, slot: Slot) -> Place {
        self.places.get(&slot).copied().unwrap_or(Place::PLAIN)
    }

    fn change_place(&mut self, slot: Slot, change: impl FnOnce(&mut Place)) {
        let mut place = self.place(slot);
        change(&mut place);
        match place == Place::PLAIN {
            true => _ = self.places.remove(&slot),
            false => _ = self.places.insert(slot, place),
        }
    }

    /// Lets the first of a level's queue through, if it fits.
    #[inline]
    fn pass(&mut self, at: u32) -> Option<Slot> {
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

    fn pass_returning(&mut self, at: u32) -> Option<Slot> {
        let slot = self.levels.at(at).first_returning()?;
        let weight = self.standing(slot).weight;
        let level = self.levels.at_mut(at);
        if !level.carries(weight) {
            return None;
        }
        level.unlink_returning(slot, &mut self.register);
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

/// Levels: the pool and its groups.
impl<W, A, L> Gate<W, A, L> {
    /// Adds a group below `parent`.
    pub(crate) fn add_level(&mut self, parent: LevelId, size: usize, kept: L) -> LevelId {
        self.levels.add(parent.0, size, kept)
    }

    /// Removes a group, if nobody lives in it or below it.
    pub(crate) fn remove_level(&mut self, level: LevelId) -> Option<(L, LevelId)> {
        let group = self.levels.at(level.0);
        let parent = LevelId(group.parent?);
        if group.living > 0 || !group.children.is_empty() {
            return None;
        }
        let removed = self.levels.remove(level.0)?;
        Some((removed.kept, parent))
    }

    /// What the caller keeps of a level.
    #[inline]
    pub(crate) fn kept(&self, level: LevelId) -> &L {
        &self.levels.at(level.0).kept
    }

    #[inline]
    pub(crate) fn kept_mut(&mut self, level: LevelId) -> &mut L {
        &mut self.levels.at_mut(level.0).kept
    }

    /// What the caller keeps of a level, and of each one around it.
    #[inline]
    pub(crate) fn each_kept_from(&mut self, home: LevelId, mut change: impl FnMut(&mut L)) {
        self.levels
            .each_from(home.0, |level| change(&mut level.kept));
    }

    /// A level, and each one around it.
    pub(crate) fn path(&self, level: LevelId) -> impl Iterator<Item = (LevelId, &L)> {
        self.levels
            .path(level.0)
            .map(|(at, level)| (LevelId(at), &level.kept))
    }

    pub(crate) fn resize(&mut self, level: LevelId, size: usize) {
        self.levels.at_mut(level.0).size = size;
        self.lift(level.0);
    }

    pub(crate) fn set_paused(&mut self, level: LevelId, paused: bool) {
        self.levels.at_mut(level.0).paused = paused;
        self.lift(level.0);
    }

    /// Whether a level is paused, or one around it.
    pub(crate) fn is_paused(&self, level: LevelId) -> bool {
        self.levels.path(level.0).any(|(_, level)| level.paused)
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

    /// How many stand in the queue and have not started.
    #[inline]
    pub(crate) fn waiting(&self, level: LevelId) -> usize {
        self.levels.at(level.0).waiting
    }

    /// How many have started, and have lent their permits.
    pub(crate) fn lent(&self, level: LevelId) -> usize {
        self.levels.at(level.0).lent
    }

    /// The level around a group.
    #[inline]
    pub(crate) fn parent(&self, level: LevelId) -> Option<LevelId> {
        match level {
            LevelId::ROOT => None,
            group => self.levels.at(group.0).parent.map(LevelId),
        }
    }

    /// A level, and each one below it.
    pub(crate) fn below(&self, level: LevelId) -> Vec<LevelId> {
        self.levels
            .below(level.0)
            .into_iter()
            .map(LevelId)
            .collect()
    }

    /// How many are waiting, active, lending, or on their way out.
    #[inline]
    pub(crate) fn living(&self, level: LevelId) -> usize {
        match level {
            LevelId::ROOT => self.register.len() + self.leaving,
            group => self.levels.at(group.0).living,
        }
    }

    /// How many levels there is memory for.
    #[cfg(test)]
    pub(super) fn level_capacity(&self) -> usize {
        self.levels.capacity()
    }
}
