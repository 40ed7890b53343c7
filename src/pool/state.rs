use std::sync::Arc;

use super::core::Core;
use super::ledger::Ledger;
use super::lingering::Lingering;
use super::record::TaskRecord;
use super::runtime::{self, NotedRuntimes, Runtime};
use super::waiters::{Joiner, Now};
use super::withdrawals::{WithdrawalId, Withdrawals};
use crate::gate::{Admitted, Gate, LevelId, Standing};
use crate::pages::Pages;
use crate::task::{End, Parked, Settle, Slot, TaskId};
use crate::wakes::Wakes;
use crate::worker::Seat;

/// All that changes in a pool, behind its one lock.
///
/// # Invariants
///
/// 1. Whenever the lock is free, the gate has nobody to admit, or somebody is
///    inside [`dispatch`](super::Core::dispatch), and will look again, or new workers
///    have been given to the runtime, and will look at their first poll.
/// 2. A task's end is one step: handle, counters, permits and slot change together.
///    So a counter never goes back. A task that was withdrawn or refused lives until then, and keeps the pool from
///    being idle.
/// 3. `records` and the gate have a slot for the same time.
/// 4. A group is in the gate as long as it has handles, tasks or groups of its own.
pub(super) struct State {
    pub(super) gate: Gate<Parked, Arc<Seat>, Ledger>,
    pub(super) lingering: Lingering,
    /// Tasks wait for the rate, or for a timer: whoever dispatches sees to that.
    pub(super) asks_time: bool,
    /// What is known of those tasks that are more than a future.
    pub(super) records: Pages<TaskRecord>,
    pub(super) runtimes: NotedRuntimes,
    pub(super) withdrawals: Withdrawals,
    /// Groups that may have ended.
    pub(super) ending: Vec<LevelId>,
    /// The runtime of all tasks whose records name no other. It changes only while the pool is idle.
    pub(super) main: Option<Runtime>,
    /// Tasks of other runtimes have been submitted since that was chosen.
    pub(super) serves_several: bool,
    /// Tasks could start, and are left to the first polls of new workers.
    pub(super) has_more_to_start: bool,
}

/// A task that starts.
pub(super) struct Started {
    pub(super) task: Parked,
    pub(super) by: Runner,
}

/// The worker that runs a task.
pub(super) enum Runner {
    /// The worker that has become free.
    Free,
    /// A worker that has nothing to do.
    Idle(Arc<Seat>),
    /// A worker that is to be made, on this runtime.
    New(Arc<Seat>, Option<Runtime>),
}

/// Number of permits that are given back under one lock.
const AT_ONCE: usize = 256;

/// How a task comes to its end that has not started.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exit {
    /// It was taken out of the queue, and keeps its slot.
    Withdrawn(Slot, WithdrawalId),
    /// It was not taken in, and was submitted to this level.
    Refused(LevelId),
}

impl State {
    pub(super) fn new(size: usize, name: Arc<str>) -> Self {
        Self {
            gate: Gate::new(size, Ledger::new(name, None)),
            lingering: Lingering::new(),
            asks_time: false,
            records: Pages::new(),
            runtimes: NotedRuntimes::default(),
            main: None,
            serves_several: false,
            has_more_to_start: false,
            withdrawals: Withdrawals::default(),
            ending: Vec::new(),
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
        record: Option<TaskRecord>,
        make: impl FnOnce(TaskId, Slot) -> Parked,
    ) {
        let id = self.number(home);
        let slot = self.gate.enter(id, home, standing, |slot| make(id, slot));
        if let Some(record) = record {
            self.keep_record(slot, record);
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.gate.living(LevelId::ROOT) == 0
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
            true => self.lingering.take(self.main_id()),
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
    pub(super) fn keep_record(&mut self, slot: Slot, record: TaskRecord) {
        if let Some(runtime) = &record.runtime {
            self.runtimes.add(runtime);
        }
        // The task of a feed takes the feed's slot, and with it the runtime.
        let before = self.records.insert(slot, record);
        if let Some(runtime) = before.and_then(|before| before.runtime) {
            self.runtimes.remove(&runtime);
        }
    }

    /// How often all that waits at a level, or at one around it, has been stopped.
    pub(super) fn stops(&self, home: LevelId) -> u64 {
        let stops = self.gate.path(home).map(|(_, ledger)| ledger.stops);
        stops.sum()
    }

    #[inline(never)]
    pub(super) fn forget_record(&mut self, slot: Slot, wakes: &mut Wakes) {
        let record = self.records.remove(slot);
        if let Some(runtime) = record.and_then(|record| record.runtime) {
            let noted = self.runtimes.remove(&runtime);
            wakes.drop_later(Arc::new((runtime, noted)));
        }
    }

    /// Notes in the record of a task, if it has one, that it has got its permit.
    #[inline(never)]
    fn time_start(&mut self, slot: Slot) {
        if let Some(record) = self.records.get_mut(slot) {
            record.times.start();
        }
    }

    /// Lets the next task start, with the free worker if that is one of the task's runtime. It counts as started when
    /// it is [first polled](Self::begin).
    ///
    /// Those who want lent permits back come before it, and are woken.
    #[inline]
    pub(super) fn admit(
        &mut self,
        free: &mut Option<Arc<Seat>>,
        core: &Core,
        wakes: &mut Wakes,
    ) -> Option<Started> {
        let is_plain = self.gate.is_plain();
        if !is_plain && self.admit_known(wakes) {
            // The caller looks again, once the pool has been unlocked.
            return None;
        }
        let mut started = None;
        let serve = |slot: Slot| {
            let runtime = runtime::of_slot(slot, &self.records, self.main.as_ref());
            let (seat, by) = self.lingering.runner(free, runtime, core);
            seat.serve_unstarted(slot);
            started = Some((slot, by));
            Some(seat)
        };
        let task = if is_plain {
            self.gate.advance(serve)?
        } else {
            match self.gate.admit(serve)? {
                Admitted::New(task) => task,
                Admitted::Back(_) => unreachable!("all that come back have been admitted"),
            }
        };
        let (slot, by) = started?;
        if !self.records.is_empty() {
            self.time_start(slot);
        }
        let home = self.gate.home(slot);
        self.tell_waiters(home, wakes);
        Some(Started { task, by })
    }

    /// Gives permits to those before the next task who have a seat already. Returns whether there may be more.
    #[inline]
    pub(super) fn admit_known(&mut self, wakes: &mut Wakes) -> bool {
        for _ in 0..AT_ONCE {
            let Some(seat) = self.gate.admit_known() else {
                return false;
            };
            self.take_back(&seat, wakes);
        }
        true
    }

    fn take_back(&mut self, seat: &Seat, wakes: &mut Wakes) {
        seat.take_back(wakes);
        self.tell_waiters(self.gate.home(seat.slot()), wakes);
    }

    /// Counts a task as started, unless it is no task.
    #[inline(never)]
    pub(super) fn begin(&mut self, slot: Slot) {
        if self.gate.is_task(slot) {
            self.count_start(self.gate.home(slot));
        }
    }

    pub(super) fn count_start(&mut self, home: LevelId) {
        self.gate
            .each_kept_from(home, |ledger| ledger.stats.started += 1);
    }

    /// Settles a task that has ended, then clears the desk of its worker: that lets those go who wait for the end.
    #[inline(always)]
    pub(super) fn settle(&mut self, seat: &Seat, end: End, settle: Settle<'_>, wakes: &mut Wakes) {
        wakes.add(settle());
        if !seat.is_clear() && seat.clear(end, wakes) {
            self.uncount_joining(self.gate.home(seat.slot()));
        }
    }

    /// Ends an active task, and lets the next of its queue start with its worker, where nobody else may be the next.
    ///
    /// This is the same as to end the one and to [`admit`](Self::admit) the other, and how nearly all tasks end.
    #[inline]
    pub(super) fn succeed(&mut self, seat: &Seat, end: End, wakes: &mut Wakes) -> Option<Parked> {
        if self.serves_several || end == End::Nothing {
            return None;
        }
        let ended = seat.slot();
        let (home, (slot, id, task)) = match self.gate.succeed(ended) {
            Some(next) => (LevelId::ROOT, next),
            None => (self.gate.home(ended), self.gate.succeed_at_home(ended)?),
        };
        seat.serve(slot);
        let is_task = u64::from(id.is_task());
        self.gate.each_kept_from(home, |ledger| {
            ledger.stats.count(end);
            ledger.stats.started += is_task;
        });
        if !self.records.is_empty() {
            self.forget_record(ended, wakes);
            self.time_start(slot);
        }
        self.tell_waiters(home, wakes);
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
        if self.serves_several || end == End::Nothing {
            return None;
        }
        let free = self.gate.vacate(seat.slot())?;
        if !self.records.is_empty() {
            self.forget_record(seat.slot(), wakes);
        }
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
        self.end(slot, home, end, wakes);
        seat
    }

    /// Ends a task that has not started.
    pub(super) fn end_unstarted(&mut self, exit: Exit, end: End, wakes: &mut Wakes) {
        match exit {
            Exit::Withdrawn(slot, withdrawal) => {
                let home = self.gate.home(slot);
                self.end_withdrawn(withdrawal, home, wakes);
                self.gate.forget(slot);
                self.end(slot, home, end, wakes);
            }
            Exit::Refused(home) => {
                self.gate.let_go(home);
                self.count(home, end);
                self.left(home, wakes);
            }
        }
    }

    #[inline]
    fn end(&mut self, slot: Slot, home: LevelId, end: End, wakes: &mut Wakes) {
        if !self.records.is_empty() {
            self.forget_record(slot, wakes);
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
            self.take_reached(level, &mut reached, wakes);
            next = self.gate.parent(level);
        }
        // Only now: they have joined each other.
        reached.iter().for_each(|joiner| self.end_join(joiner));
    }

    /// The same for those of these levels that are `outer`, or below it.
    pub(super) fn tell_waiters_of(
        &mut self,
        levels: &[LevelId],
        outer: LevelId,
        wakes: &mut Wakes,
    ) {
        let mut reached = Vec::new();
        for &level in levels {
            let is_awaited = !self.gate.kept(level).waiters.is_empty();
            if is_awaited && self.gate.is_inside(level, outer) {
                self.take_reached(level, &mut reached, wakes);
            }
        }
        reached.iter().for_each(|joiner| self.end_join(joiner));
    }

    #[inline]
    fn take_reached(&mut self, level: LevelId, reached: &mut Vec<Joiner>, wakes: &mut Wakes) {
        if self.gate.kept(level).waiters.is_empty() {
            return;
        }
        let now = self.now(level);
        let waiters = &mut self.gate.kept_mut(level).waiters;
        if waiters.may_be_reached(now) {
            waiters.take_reached(now, reached, wakes);
        }
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

    /// Counts a newcomer that is not taken in, and gives it its number. It lives until it has ended.
    pub(super) fn refuse(&mut self, home: LevelId) -> TaskId {
        self.gate.refuse(home);
        self.number(home)
    }
}
