use std::sync::Arc;

use super::core::Core;
use super::idle_workers::IdleWorkers;
use super::node_data::NodeData;
use super::record::TaskRecord;
use super::runtime::{self, NotedRuntimes, Runtime};
use super::waiters::{Joiner, Now};
use super::withdrawals::{WithdrawalId, Withdrawals};
use crate::gate::{Admitted, Demand, Gate, NodeId};
use crate::slot_map::SlotMap;
use crate::task::{BoxTask, End, Settle, Slot, TaskId};
use crate::wakes::Wakes;
use crate::worker::WorkerShared;

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
    pub(super) gate: Gate<BoxTask, Arc<WorkerShared>, NodeData>,
    pub(super) idle_workers: IdleWorkers,
    /// Tasks wait for the rate, or for a timer: whoever dispatches sees to that.
    pub(super) asks_time: bool,
    /// What is known of those tasks that are more than a future.
    pub(super) records: SlotMap<TaskRecord>,
    pub(super) runtimes: NotedRuntimes,
    pub(super) withdrawals: Withdrawals,
    /// Groups that may have ended.
    pub(super) ending: Vec<NodeId>,
    /// The runtime of all tasks whose records name no other. It changes only while the pool is idle.
    pub(super) main: Option<Runtime>,
    /// Tasks of other runtimes have been submitted since that was chosen.
    pub(super) serves_several: bool,
    /// Tasks could start, and are left to the first polls of new workers.
    pub(super) has_more_to_start: bool,
}

/// A task that starts.
pub(super) struct Started {
    pub(super) task: BoxTask,
    pub(super) by: Runner,
}

/// The worker that runs a task.
pub(super) enum Runner {
    /// The worker that has become free.
    Free,
    /// A worker that has nothing to do.
    Idle(Arc<WorkerShared>),
    /// A worker that is to be made, on this runtime.
    New(Arc<WorkerShared>, Option<Runtime>),
}

/// Number of permits that are given back under one lock.
const AT_ONCE: usize = 256;

/// How a task comes to its end that has not started.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exit {
    /// It was taken out of the queue, and keeps its slot.
    Withdrawn(Slot, WithdrawalId),
    /// It was not taken in, and was submitted to this node.
    Refused(NodeId),
}

impl State {
    pub(super) fn new(size: usize, name: Arc<str>) -> Self {
        Self {
            gate: Gate::new(size, NodeData::new(name, None)),
            idle_workers: IdleWorkers::new(),
            asks_time: false,
            records: SlotMap::new(),
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
    pub(super) fn number(&mut self, home: NodeId) -> TaskId {
        let id = self.gate.data(NodeId::ROOT).stats.submitted;
        self.gate
            .each_data_from(home, |data| data.stats.submitted += 1);
        id.into()
    }

    /// Puts a newcomer into the queue.
    #[inline]
    pub(super) fn park(
        &mut self,
        home: NodeId,
        demand: Demand,
        record: Option<TaskRecord>,
        make: impl FnOnce(TaskId, Slot) -> BoxTask,
    ) {
        let id = self.number(home);
        let slot = self.gate.enter(id, home, demand, |slot| make(id, slot));
        if let Some(record) = record {
            self.keep_record(slot, record);
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.gate.living(NodeId::ROOT) == 0
    }

    /// Whether a mere future, submitted to the pool itself, needs nothing but a permit, and finds nobody but such.
    #[inline]
    pub(super) fn takes_fast_path(&self) -> bool {
        self.gate.takes_fast_path() && !self.gate.data(NodeId::ROOT).closed
    }

    /// Puts such a newcomer into the queue. Returns whether somebody is to be admitted.
    #[inline]
    pub(super) fn park_fast(&mut self, make: impl FnOnce(TaskId, Slot) -> BoxTask) -> bool {
        let id = self.number(NodeId::ROOT);
        self.gate.park(id, |slot| make(id, slot))
    }

    /// Takes an idle worker, if a permit is free for such a task and no task waits.
    #[inline]
    pub(super) fn take_idle_worker(&mut self) -> Option<Arc<WorkerShared>> {
        match !self.idle_workers.is_empty() && self.gate.is_open() {
            true => self.idle_workers.take(self.main_id()),
            false => None,
        }
    }

    /// Starts a plain newcomer with this worker, without any queue.
    #[inline]
    pub(super) fn start(&mut self, worker: &Arc<WorkerShared>) -> (TaskId, Slot) {
        let id = self.number(NodeId::ROOT);
        self.count_start(NodeId::ROOT);
        let slot = self.gate.start(id, worker.clone());
        worker.serve(slot);
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

    /// How often all that waits at a node, or at one around it, has been stopped.
    pub(super) fn stops(&self, home: NodeId) -> u64 {
        let stops = self.gate.path(home).map(|(_, data)| data.stops);
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
        free: &mut Option<Arc<WorkerShared>>,
        core: &Core,
        wakes: &mut Wakes,
    ) -> Option<Started> {
        let takes_fast_path = self.gate.takes_fast_path();
        if !takes_fast_path && self.admit_known(wakes) {
            // The caller looks again, once the pool has been unlocked.
            return None;
        }
        let mut started = None;
        let serve = |slot: Slot| {
            let runtime = runtime::of_slot(slot, &self.records, self.main.as_ref());
            let (worker, by) = self.idle_workers.runner(free, runtime, core);
            worker.serve_unstarted(slot);
            started = Some((slot, by));
            Some(worker)
        };
        let task = if takes_fast_path {
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

    /// Gives permits to suspended tasks that want theirs back, before the next task starts. Returns whether there may be
    /// more of them.
    #[inline]
    pub(super) fn admit_known(&mut self, wakes: &mut Wakes) -> bool {
        for _ in 0..AT_ONCE {
            let Some(worker) = self.gate.admit_known() else {
                return false;
            };
            self.take_back(&worker, wakes);
        }
        true
    }

    fn take_back(&mut self, worker: &WorkerShared, wakes: &mut Wakes) {
        worker.take_back(wakes);
        self.tell_waiters(self.gate.home(worker.slot()), wakes);
    }

    /// Counts a task as started, unless it is no task.
    #[inline(never)]
    pub(super) fn begin(&mut self, slot: Slot) {
        if self.gate.is_task(slot) {
            self.count_start(self.gate.home(slot));
        }
    }

    pub(super) fn count_start(&mut self, home: NodeId) {
        self.gate
            .each_data_from(home, |data| data.stats.started += 1);
    }

    /// Settles a task that has ended, then clears the inbox of its worker, which wakes the callers that wait for its end.
    #[inline(always)]
    pub(super) fn settle(
        &mut self,
        worker: &WorkerShared,
        end: End,
        settle: Settle<'_>,
        wakes: &mut Wakes,
    ) {
        wakes.add(settle());
        if !worker.is_clear() && worker.clear(end, wakes) {
            self.uncount_joining(self.gate.home(worker.slot()));
        }
    }

    /// Ends an active task, and lets the next of its queue start with its worker, where nobody else may be the next.
    ///
    /// This is the same as to end the one and to [`admit`](Self::admit) the other, and how nearly all tasks end.
    #[inline]
    pub(super) fn finish_into_next(
        &mut self,
        worker: &WorkerShared,
        end: End,
        wakes: &mut Wakes,
    ) -> Option<BoxTask> {
        if self.serves_several || end == End::Nothing {
            return None;
        }
        let ended = worker.slot();
        let (home, (slot, id, task)) = match self.gate.finish_into_next(ended) {
            Some(next) => (NodeId::ROOT, next),
            None => (
                self.gate.home(ended),
                self.gate.finish_into_next_of_queue(ended)?,
            ),
        };
        worker.serve(slot);
        let is_task = u64::from(id.is_task());
        self.gate.each_data_from(home, |data| {
            data.stats.count(end);
            data.stats.started += is_task;
        });
        if !self.records.is_empty() {
            self.forget_record(ended, wakes);
            self.time_start(slot);
        }
        self.tell_waiters(home, wakes);
        Some(task)
    }

    /// Ends an active task without options in a pool where no task waits. Returns its worker.
    ///
    /// This is the same as [`finish_active`](Self::finish_active), and how nearly all tasks end that have no successor.
    #[inline]
    pub(super) fn finish_last(
        &mut self,
        worker: &WorkerShared,
        end: End,
        wakes: &mut Wakes,
    ) -> Option<Option<Arc<WorkerShared>>> {
        if self.serves_several || end == End::Nothing {
            return None;
        }
        let free = self.gate.finish_last(worker.slot())?;
        if !self.records.is_empty() {
            self.forget_record(worker.slot(), wakes);
        }
        self.gate.data_mut(NodeId::ROOT).stats.count(end);
        self.tell_waiters(NodeId::ROOT, wakes);
        Some(free)
    }

    /// Ends an active task, and returns its worker.
    #[inline]
    pub(super) fn finish_active(
        &mut self,
        slot: Slot,
        end: End,
        wakes: &mut Wakes,
    ) -> Option<Arc<WorkerShared>> {
        let (worker, home) = self.gate.leave(slot);
        self.end(slot, home, end, wakes);
        worker
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
    fn end(&mut self, slot: Slot, home: NodeId, end: End, wakes: &mut Wakes) {
        if !self.records.is_empty() {
            self.forget_record(slot, wakes);
        }
        self.count(home, end);
        self.left(home, wakes);
    }

    /// Tells those who wait that somebody is gone, and ends a group that was left by its last.
    #[inline]
    pub(super) fn left(&mut self, home: NodeId, wakes: &mut Wakes) {
        self.tell_waiters(home, wakes);
        if home != NodeId::ROOT {
            self.end_group(home);
        }
    }

    #[inline]
    pub(super) fn count(&mut self, home: NodeId, end: End) {
        self.gate.each_data_from(home, |data| data.stats.count(end));
    }

    /// Wakes those who wait for what a node, and those around it, have come to.
    #[inline]
    pub(super) fn tell_waiters(&mut self, home: NodeId, wakes: &mut Wakes) {
        let is_awaited = !self.gate.data(NodeId::ROOT).waiters.is_empty();
        if home != NodeId::ROOT || is_awaited {
            self.tell_waiters_from(home, wakes);
        }
    }

    #[inline(never)]
    fn tell_waiters_from(&mut self, home: NodeId, wakes: &mut Wakes) {
        let mut reached = Vec::new();
        let mut next = Some(home);
        while let Some(node) = next {
            self.take_reached(node, &mut reached, wakes);
            next = self.gate.parent(node);
        }
        // Only now: they have joined each other.
        reached.iter().for_each(|joiner| self.end_join(joiner));
    }

    /// The same for those of these nodes that are `outer`, or below it.
    pub(super) fn tell_waiters_of(&mut self, nodes: &[NodeId], outer: NodeId, wakes: &mut Wakes) {
        let mut reached = Vec::new();
        for &node in nodes {
            let is_awaited = !self.gate.data(node).waiters.is_empty();
            if is_awaited && self.gate.is_inside(node, outer) {
                self.take_reached(node, &mut reached, wakes);
            }
        }
        reached.iter().for_each(|joiner| self.end_join(joiner));
    }

    #[inline]
    fn take_reached(&mut self, node: NodeId, reached: &mut Vec<Joiner>, wakes: &mut Wakes) {
        if self.gate.data(node).waiters.is_empty() {
            return;
        }
        let now = self.now(node);
        let waiters = &mut self.gate.data_mut(node).waiters;
        if waiters.may_be_reached(now) {
            waiters.take_reached(now, reached, wakes);
        }
    }

    /// Counts a task as joining, once however many joins it is in.
    pub(super) fn begin_join(&mut self, joiner: &Joiner) {
        if joiner.nested_waits.begin_join() {
            let begin = |data: &mut NodeData| data.joining += 1;
            self.gate.each_data_from(joiner.home, begin);
        }
    }

    /// One join of a task has what it waited for, or is given up.
    pub(super) fn end_join(&mut self, joiner: &Joiner) {
        if joiner.nested_waits.end_join() {
            self.uncount_joining(joiner.home);
        }
    }

    /// A task is joining no longer. Those who wait for it are told when it ends.
    pub(super) fn uncount_joining(&mut self, home: NodeId) {
        self.gate.each_data_from(home, |data| data.joining -= 1);
    }

    pub(super) fn now(&self, node: NodeId) -> Now {
        Now {
            waiting: self.gate.waiting(node),
            living: self.gate.living(node),
            joining: self.gate.data(node).joining,
            closed: self.is_closed(node),
        }
    }

    /// Whether a node is closed, or one around it.
    #[inline]
    pub(super) fn is_closed(&self, node: NodeId) -> bool {
        let is_closed = |node: NodeId| self.gate.path(node).any(|(_, data)| data.closed);
        self.gate.data(node).closed || (node != NodeId::ROOT && is_closed(node))
    }

    /// Counts a newcomer that is not taken in, and gives it its number. It lives until it has ended.
    pub(super) fn refuse(&mut self, home: NodeId) -> TaskId {
        self.gate.refuse(home);
        self.number(home)
    }
}
