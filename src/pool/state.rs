use std::sync::Arc;

use super::detail::Detail;
use super::ledger::Ledger;
use super::lingering::Lingering;
use super::waiters::{Joiner, Now};
use crate::gate::{Admitted, Gate, LevelId, Standing};
use crate::pages::Pages;
use crate::spare::shrink_map;
use crate::task::{End, Parked, Settle, Slot, TaskId};
use crate::wakes::Wakes;
use crate::worker::Seat;

/// All that changes in a pool, behind its one lock.
///
/// # Invariants
///
/// 1. Whenever the lock is free, the gate has nobody to admit, or somebody is
///    inside [`dispatch`](super::Core::dispatch), and will look again.
/// 2. A task's end is one step: handle, counters, permits and slot change together.
///    Where many are withdrawn at once, they are counted first, then settled one by
///    one, and let go last: until then the pool is not idle.
/// 3. `details` and the gate have a slot for the same time.
/// 4. A group is in the gate as long as it has handles, tasks or groups of its own.
pub(super) struct State {
    pub(super) gate: Gate<Parked, Arc<Seat>, Ledger>,
    pub(super) lingering: Lingering,
    /// Tasks wait for the rate, or for a timer: whoever dispatches sees to that.
    pub(super) asks_time: bool,
    /// What is known of those tasks that are more than a future.
    pub(super) details: Pages<Arc<Detail>>,
}

impl State {
    pub(super) fn new(size: usize, name: Arc<str>) -> Self {
        Self {
            gate: Gate::new(size, Ledger::new(name, None)),
            lingering: Lingering::new(),
            asks_time: false,
            details: Pages::new(),
        }
    }

    /// Counts a newcomer, and gives it its number.
    #[inline]
    pub(super) fn number(&mut self, home: LevelId) -> TaskId {
        let id = self.gate.kept(LevelId::ROOT).stats.submitted;
        self.gate
            .each_kept_from(home, |ledger| ledger.stats.submitted += 1);
        id.into()
    }

    /// Puts a newcomer into the queue.
    #[inline]
    pub(super) fn park(
        &mut self,
        home: LevelId,
        standing: Standing,
        detail: Option<Arc<Detail>>,
        make: impl FnOnce(TaskId, Slot) -> Parked,
    ) {
        let id = self.number(home);
        let slot = self.gate.enter(id, home, standing, |slot| make(id, slot));
        if let Some(detail) = detail {
            self.keep_detail(slot, detail);
        }
    }

    /// Whether a mere future, submitted to the pool itself, needs nothing but a permit, and finds nobody but such.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.gate.is_plain() && !self.gate.kept(LevelId::ROOT).closed
    }

    /// Puts such a newcomer into the queue. Returns whether somebody is to be admitted.
    #[inline]
    pub(super) fn park_plain(&mut self, make: impl FnOnce(TaskId, Slot) -> Parked) -> bool {
        let id = self.number(LevelId::ROOT);
        self.gate.park(id, |slot| make(id, slot))
    }

    /// A worker who lingers, if such a newcomer finds a permit and nobody before it.
    #[inline]
    pub(super) fn take_lingering(&mut self) -> Option<Arc<Seat>> {
        match !self.lingering.is_empty() && self.gate.is_open() {
            true => self.lingering.take(),
            false => None,
        }
    }

    /// Starts a plain newcomer with this worker, without any queue.
    #[inline]
    pub(super) fn start(&mut self, seat: &Arc<Seat>) -> (TaskId, Slot) {
        let id = self.number(LevelId::ROOT);
        self.count_start(LevelId::ROOT);
        let slot = self.gate.start(id, seat.clone());
        seat.serve(slot);
        (id, slot)
    }

    // These two keep what few tasks have out of the way of all.

    #[inline(never)]
    fn keep_detail(&mut self, slot: Slot, detail: Arc<Detail>) {
        self.details.insert(slot, detail);
    }

    #[inline(never)]
    fn forget_detail(&mut self, slot: Slot) {
        self.details.remove(slot);
    }

    /// Lets the next task start with this worker, who stays free if there is none.
    ///
    /// Those who want lent permits back come before it, and are woken.
    #[inline]
    pub(super) fn admit(
        &mut self,
        free: &mut Option<Arc<Seat>>,
        wakes: &mut Wakes,
    ) -> Option<Parked> {
        let mut started = None;
        let mut serve = |slot: Slot| {
            started = Some(slot);
            let seat = free.take();
            seat.iter().for_each(|seat| seat.serve(slot));
            seat
        };
        let task = match self.gate.is_plain() {
            true => self.gate.advance(serve)?,
            false => loop {
                match self.gate.admit(&mut serve)? {
                    Admitted::New(task) => break task,
                    Admitted::Back(seat) => self.take_back(&seat, wakes),
                }
            },
        };
        let home = started.map_or(LevelId::ROOT, |slot| self.gate.home(slot));
        self.count_start(home);
        self.tell_waiters(home, wakes);
        Some(task)
    }

    /// Gives permits to those before the next task who have a seat already.
    #[inline]
    pub(super) fn admit_known(&mut self, wakes: &mut Wakes) {
        while let Some(seat) = self.gate.admit_known() {
            self.take_back(&seat, wakes);
        }
    }

    fn take_back(&mut self, seat: &Seat, wakes: &mut Wakes) {
        seat.take_back(wakes);
        self.tell_waiters(self.gate.home(seat.slot()), wakes);
    }

    fn count_start(&mut self, home: LevelId) {
        self.gate
            .each_kept_from(home, |ledger| ledger.stats.started += 1);
    }

    /// Corrects the counters for a task that did not start after all.
    #[cold]
    pub(super) fn uncount_start(&mut self, home: LevelId) {
        self.gate
            .each_kept_from(home, |ledger| ledger.stats.started -= 1);
    }

    /// Settles a task that has ended, then clears the desk of its worker: that lets those go who wait for the end.
    #[inline(always)]
    pub(super) fn settle(&mut self, seat: &Seat, end: End, settle: Settle<'_>, wakes: &mut Wakes) {
        wakes.add(settle());
        if !seat.is_clear() && seat.clear(end, wakes) {
            self.uncount_joining(self.gate.home(seat.slot()));
        }
    }

    /// Ends an active task, and lets the next start with its worker, where both are plain.
    ///
    /// This is the same as to end the one and to [`admit`](Self::admit) the other, and how nearly all tasks end.
    #[inline]
    pub(super) fn succeed(&mut self, seat: &Seat, end: End, wakes: &mut Wakes) -> Option<Parked> {
        if !self.details.is_empty() || end == End::Nothing {
            return None;
        }
        let (slot, task) = self.gate.succeed(seat.slot())?;
        seat.serve(slot);
        let stats = &mut self.gate.kept_mut(LevelId::ROOT).stats;
        stats.count(end);
        stats.started += 1;
        self.tell_waiters(LevelId::ROOT, wakes);
        Some(task)
    }

    /// Ends an active task where it is plain and nobody waits. Returns the seat of its worker.
    ///
    /// This is the same as [`end_active`](Self::end_active), and how nearly all tasks end that have no successor.
    #[inline]
    pub(super) fn retire(
        &mut self,
        seat: &Seat,
        end: End,
        wakes: &mut Wakes,
    ) -> Option<Option<Arc<Seat>>> {
        if !self.details.is_empty() || end == End::Nothing {
            return None;
        }
        let free = self.gate.vacate(seat.slot())?;
        self.gate.kept_mut(LevelId::ROOT).stats.count(end);
        self.tell_waiters(LevelId::ROOT, wakes);
        Some(free)
    }

    /// Ends an active task, and returns the seat of its worker.
    #[inline]
    pub(super) fn end_active(
        &mut self,
        slot: Slot,
        end: End,
        wakes: &mut Wakes,
    ) -> Option<Arc<Seat>> {
        let (seat, home) = self.gate.leave(slot);
        if end == End::Nothing {
            self.uncount_start(home);
        }
        self.end(slot, home, end, wakes);
        seat
    }

    /// Ends a task that was withdrawn from the queue.
    pub(super) fn end_withdrawn(&mut self, slot: Slot, end: End, wakes: &mut Wakes) {
        let home = self.gate.home(slot);
        self.gate.forget(slot);
        self.end(slot, home, end, wakes);
    }

    #[inline]
    fn end(&mut self, slot: Slot, home: LevelId, end: End, wakes: &mut Wakes) {
        if !self.details.is_empty() {
            self.forget_detail(slot);
        }
        self.count(home, end);
        self.left(home, wakes);
    }

    /// Tells those who wait that somebody is gone, and ends a group that was left by its last.
    #[inline]
    pub(super) fn left(&mut self, home: LevelId, wakes: &mut Wakes) {
        self.tell_waiters(home, wakes);
        if home != LevelId::ROOT {
            self.end_group(home);
        }
    }

    #[inline]
    pub(super) fn count(&mut self, home: LevelId, end: End) {
        self.gate
            .each_kept_from(home, |ledger| ledger.stats.count(end));
    }

    /// Wakes those who wait for what a level, and those around it, have come to.
    #[inline]
    pub(super) fn tell_waiters(&mut self, home: LevelId, wakes: &mut Wakes) {
        let is_awaited = !self.gate.kept(LevelId::ROOT).waiters.is_empty();
        if home != LevelId::ROOT || is_awaited {
            self.tell_waiters_from(home, wakes);
        }
    }

    #[inline(never)]
    fn tell_waiters_from(&mut self, home: LevelId, wakes: &mut Wakes) {
        let mut reached = Vec::new();
        let mut next = Some(home);
        while let Some(level) = next {
            if !self.gate.kept(level).waiters.is_empty() {
                let now = self.now(level);
                let waiters = &mut self.gate.kept_mut(level).waiters;
                waiters.take_reached(now, &mut reached, wakes);
            }
            next = self.gate.parent(level);
        }
        // Only now: they have joined each other.
        reached.iter().for_each(|joiner| self.end_join(joiner));
    }

    /// Counts a task as joining, once however many joins it is in.
    pub(super) fn begin_join(&mut self, joiner: &Joiner) {
        if joiner.nest.begin_join() {
            let begin = |ledger: &mut Ledger| ledger.joining += 1;
            self.gate.each_kept_from(joiner.home, begin);
        }
    }

    /// One join of a task has what it waited for, or is given up.
    pub(super) fn end_join(&mut self, joiner: &Joiner) {
        if joiner.nest.end_join() {
            self.uncount_joining(joiner.home);
        }
    }

    /// A task is joining no longer. Those who wait for it are told when it ends.
    pub(super) fn uncount_joining(&mut self, home: LevelId) {
        self.gate.each_kept_from(home, |ledger| ledger.joining -= 1);
    }

    pub(super) fn now(&self, level: LevelId) -> Now {
        Now {
            waiting: self.gate.waiting(level),
            living: self.gate.living(level),
            joining: self.gate.kept(level).joining,
            closed: self.is_closed(level),
        }
    }

    /// Whether a level is closed, or one around it.
    #[inline]
    pub(super) fn is_closed(&self, level: LevelId) -> bool {
        let is_closed = |level: LevelId| self.gate.path(level).any(|(_, ledger)| ledger.closed);
        self.gate.kept(level).closed || (level != LevelId::ROOT && is_closed(level))
    }

    /// Takes a waiting task out of the queue to be cancelled, and counts that now.
    pub(super) fn withdraw(&mut self, slot: Slot) -> Option<(Slot, Parked)> {
        let task = self.gate.withdraw(slot)?;
        self.count(self.gate.home(slot), End::Cancelled);
        Some((slot, task))
    }

    /// Takes all that wait out in one go, if they are mere futures of the pool itself, and counts that now. In no order.
    pub(super) fn sweep(
        &mut self,
        level: LevelId,
    ) -> Option<(usize, impl Iterator<Item = Parked> + use<>)> {
        if level != LevelId::ROOT || !self.details.is_empty() {
            return None;
        }
        let (waiting, swept) = self.gate.sweep()?;
        self.gate.kept_mut(level).stats.cancelled += waiting as u64;
        Some((waiting, swept))
    }

    /// So many that were swept out are settled.
    pub(super) fn let_go(&mut self, settled: usize, wakes: &mut Wakes) {
        self.gate.let_go(settled);
        self.tell_waiters(LevelId::ROOT, wakes);
    }

    /// Takes all that wait at a level or below it out of the queue, one by one. In no order.
    pub(super) fn withdraw_all(&mut self, level: LevelId) -> Vec<(Slot, Parked)> {
        let withdrawn = self.gate.withdraw_all(level);
        for (slot, _) in &withdrawn {
            self.count(self.gate.home(*slot), End::Cancelled);
        }
        withdrawn
    }

    /// Frees the slots of tasks that were withdrawn, and have been settled.
    pub(super) fn forget(&mut self, slots: &mut Vec<Slot>, wakes: &mut Wakes) {
        for slot in slots.drain(..) {
            let home = self.gate.home(slot);
            self.gate.forget(slot);
            if !self.details.is_empty() {
                self.forget_detail(slot);
            }
            self.left(home, wakes);
        }
    }

    /// The seats of all that run at a level or below it.
    pub(super) fn seats(&self, level: LevelId) -> impl Iterator<Item = &Arc<Seat>> {
        self.gate.served(level)
    }

    /// Forgets a group that nobody is in, and nobody holds; then perhaps the one around it.
    pub(super) fn end_group(&mut self, group: LevelId) {
        let mut ending = group;
        while ending != LevelId::ROOT && self.gate.kept(ending).handles == 0 {
            let Some((ledger, parent)) = self.gate.remove_level(ending) else {
                return;
            };
            let names = &mut self.gate.kept_mut(parent).groups;
            if names.get(&ledger.name) == Some(&ending) {
                names.remove(&ledger.name);
            }
            shrink_map(names);
            ending = parent;
        }
    }
}
