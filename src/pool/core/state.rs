use std::sync::Arc;

use crate::adaptive::Controller;
use crate::gate::{Admitted, Demand, Gate, NodeId};
use crate::observe::Watcher;
use crate::pool::core::parts::group_rates::GroupRates;
use crate::pool::core::parts::holds::Holds;
use crate::pool::core::parts::idle_workers::{IdleWorkers, Runner};
use crate::pool::core::parts::node_data::NodeData;
use crate::pool::core::parts::record::{Moment, TaskRecord};
use crate::pool::core::parts::records::Records;
use crate::pool::core::parts::runtime::Runtime;
use crate::pool::core::parts::throttles::Throttles;
use crate::pool::core::parts::withdrawals::{WithdrawalId, Withdrawals};
use crate::task::{BoxTask, RuntimeId, Slot, TaskId};
use crate::wakes::Wakes;
use crate::worker::{PermitState, WorkerShared};

/// The mutable state of a pool, behind the pool's one lock.
///
/// # Invariants
///
/// 1. Whenever the lock is free, one of these holds: the gate has nothing to admit; a thread is inside
///    [`dispatch`](crate::pool::Core::dispatch) and will check again; or new workers have been given to the runtime, and will
///    check at their first poll.
/// 2. The end of a task is one step: its handle, its counters, its permits and its slot change together, and no counter
///    ever goes back. A task that was withdrawn or refused counts as living until then, and keeps the pool from being
///    idle.
/// 3. A record in `records` and its slot in the gate live for the same time.
/// 4. A group stays in the gate as long as it has handles, tasks or groups of its own, or an interval of its rate goes on.
pub(crate) struct State {
    pub(crate) gate: Gate<BoxTask, Arc<WorkerShared>, NodeData>,
    pub(crate) idle_workers: IdleWorkers,
    /// `true` if tasks wait for the rate, or for a timer that could not be started, or if a node is held for a time. The
    /// next dispatch takes care of them.
    pub(crate) asks_time: bool,
    pub(crate) holds: Holds,
    pub(crate) throttles: Throttles,
    pub(crate) rates: GroupRates,
    /// Records of the tasks that have more than a future.
    pub(crate) records: Records,
    pub(crate) withdrawals: Withdrawals,
    /// `None` unless the pool has observers.
    pub(crate) watcher: Option<Arc<Watcher>>,
    /// `true` if the pool is timed without an observer.
    pub(crate) timed: bool,
    /// `None` unless the size of the pool is adaptive.
    pub(crate) adaptive: Option<Box<Controller>>,
    /// Groups that may have ended, and are yet to be checked.
    pub(crate) ending: Vec<NodeId>,
    /// The runtime of every task whose record names no other. It changes only while the pool is idle.
    pub(crate) main: Option<Runtime>,
    /// `true` if tasks of other runtimes have been submitted since `main` was chosen.
    pub(crate) serves_several: bool,
    /// `true` if tasks could start, and are left to the first polls of new workers.
    pub(crate) has_more_to_start: bool,
}

/// A task that has got its permit, and the worker that is to run it.
pub(crate) struct Started {
    pub(crate) task: BoxTask,
    pub(crate) by: Runner,
}

/// Maximum number of permits that are given back to suspended tasks under one lock.
const AT_ONCE: usize = 256;

/// How a task that has not started comes to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exit {
    /// The task was taken out of the queue, and still has its slot.
    Withdrawn(Slot, WithdrawalId),
    /// The task was submitted to this node, and was not accepted.
    Refused(NodeId),
}

impl State {
    pub(crate) fn new(size: usize, root: NodeData) -> Self {
        Self {
            gate: Gate::new(size, root),
            idle_workers: IdleWorkers::new(),
            asks_time: false,
            holds: Holds::new(),
            throttles: Throttles::default(),
            rates: GroupRates::new(),
            records: Records::default(),
            main: None,
            serves_several: false,
            has_more_to_start: false,
            withdrawals: Withdrawals::default(),
            watcher: None,
            timed: false,
            adaptive: None,
            ending: Vec::new(),
        }
    }

    /// Counts a new task, and returns its number.
    #[inline]
    pub(crate) fn number(&mut self, home: NodeId) -> TaskId {
        let id = self.gate.data(NodeId::ROOT).stats.submitted;
        self.gate
            .each_data_from(home, |data| data.stats.submitted += 1);
        id.into()
    }

    /// Puts a new task into the queue.
    #[inline]
    pub(crate) fn park(
        &mut self,
        home: NodeId,
        demand: Demand,
        record: Option<TaskRecord>,
        make: impl FnOnce(TaskId, Slot) -> BoxTask,
    ) {
        let id = self.number(home);
        let slot = self.gate.enter(id, home, demand, |slot| make(id, slot));
        if let Some(record) = record {
            self.records.keep(slot, record);
        }
    }

    /// Sets the size of a node, as the user asks.
    pub(crate) fn resize(&mut self, node: NodeId, size: usize) {
        self.gate.resize(node, size);
        if let Some(controller) = self.adaptive.as_mut().filter(|_| node == NodeId::ROOT) {
            controller.resize(size);
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.gate.living(NodeId::ROOT) == 0
    }

    /// Returns `true` if a task without options, submitted to the root, can take the fast path.
    #[inline]
    pub(crate) fn takes_fast_path(&self) -> bool {
        // During a hold, each submission has to find out if the hold is over, which a dispatch does.
        self.gate.takes_fast_path() && self.holds.is_empty() && !self.gate.data(NodeId::ROOT).closed
    }

    /// Puts a task that takes the fast path into the queue. Returns `true` if a task can be admitted now.
    #[inline]
    pub(crate) fn park_fast(&mut self, make: impl FnOnce(TaskId, Slot) -> BoxTask) -> bool {
        let id = self.number(NodeId::ROOT);
        self.gate.park(id, |slot| make(id, slot))
    }

    /// Takes an idle worker, if a permit is free and no task waits. Only for a task that takes the fast path.
    #[inline]
    pub(crate) fn take_idle_worker(&mut self) -> Option<Arc<WorkerShared>> {
        if !self.idle_workers.is_empty() && self.gate.is_open() && !self.is_watched() {
            self.idle_workers.take(self.main_id())
        } else {
            None
        }
    }

    /// Returns `true` if an observer may be told of the tasks. These count as started only when they are first polled.
    #[inline]
    fn is_watched(&self) -> bool {
        let watcher = self.watcher.as_ref();
        watcher.is_some_and(|watcher| watcher.hears())
    }

    /// Starts a task without options with this worker, without the queue.
    #[inline]
    pub(crate) fn start(&mut self, worker: &Arc<WorkerShared>) -> (TaskId, Slot) {
        let id = self.number(NodeId::ROOT);
        self.count_start(NodeId::ROOT);
        let slot = self.gate.start(id, worker.clone());
        worker.serve(slot);
        (id, slot)
    }

    /// Returns how often everything that waits at a node has been stopped, at the node itself or at a node around it.
    pub(crate) fn stops(&self, home: NodeId) -> u64 {
        let stops = self.gate.path(home).map(|(_, data)| data.stops);
        stops.sum()
    }

    /// Returns `true` if a dispatch has anything to do: each thing that it takes care of is looked at here.
    #[inline(always)]
    pub(crate) fn has_to_dispatch(&self) -> bool {
        self.gate.is_ready()
            || self.is_short()
            || self.throttles.may_be_granted()
            || self.has_to_tidy()
    }

    /// Admits the next task, with the `free` worker if that is on the task's runtime. Otherwise `make` may be asked for a
    /// new worker. The task counts as started when
    /// it is [first polled](Self::begin).
    ///
    /// Suspended tasks that want their lent permits back come before it, and are woken.
    #[inline]
    pub(crate) fn admit(
        &mut self,
        free: &mut Option<Arc<WorkerShared>>,
        make: impl FnOnce(Option<RuntimeId>) -> WorkerShared,
        wakes: &mut Wakes,
    ) -> Option<Started> {
        let takes_fast_path = self.gate.takes_fast_path();
        if !takes_fast_path && self.admit_known(wakes) {
            // There may be more of them. The caller dispatches, which unlocks the pool between two batches.
            return None;
        }
        let mut started = None;
        let serve = |slot: Slot| {
            let runtime = self.records.runtime(slot).or(self.main.as_ref());
            let (worker, by) = self.idle_workers.runner(free, runtime, make);
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
        let home = self.gate.home(slot);
        self.tell_waiters(home, wakes);
        Some(Started { task, by })
    }

    /// Gives permits to suspended tasks that want theirs back, and to code that runs in place, as long as these come
    /// before the next task. Returns `true` if there may be more of them.
    #[inline]
    pub(crate) fn admit_known(&mut self, wakes: &mut Wakes) -> bool {
        for _ in 0..AT_ONCE {
            let Some(worker) = self.gate.admit_known() else {
                return false;
            };
            self.take_back(&worker, wakes);
        }
        true
    }

    /// Gives the permit of a suspended task away.
    pub(crate) fn lend(&mut self, worker: &WorkerShared) {
        self.gate.lend(worker.slot());
        worker.set_just_back(false);
        worker.set_permit(PermitState::Lent);
    }

    /// Notes that a task which is just back keeps its permit.
    pub(crate) fn keep(&mut self, worker: &WorkerShared) {
        self.gate.keep(worker.slot());
        worker.set_just_back(false);
    }

    /// Puts a task that has lent its permit into the queue for it.
    pub(crate) fn come_back(&mut self, worker: &WorkerShared) {
        self.gate.come_back(worker.slot());
        worker.set_permit(PermitState::Returning);
    }

    /// Puts code that runs in place into the queue for a permit, or gives it one at once if that is free on the fast
    /// path. Returns `true` if it is in the queue: the caller then dispatches.
    pub(crate) fn enqueue_in_place(
        &mut self,
        node: NodeId,
        demand: Demand,
        worker: &Arc<WorkerShared>,
    ) -> bool {
        // Where nothing waits, the priority has no meaning.
        let may_take_fast_path = node == NodeId::ROOT && demand.weight == 1;
        let is_open = may_take_fast_path && self.gate.takes_fast_path() && self.gate.is_open();
        let slot = if is_open {
            self.gate.start_elsewhere(worker.clone())
        } else {
            worker.set_permit(PermitState::Returning);
            self.gate.enqueue_elsewhere(node, demand, worker.clone())
        };
        worker.serve(slot);
        !is_open
    }

    fn take_back(&mut self, worker: &WorkerShared, wakes: &mut Wakes) {
        // Before the permit is held: the worker reads this after it has seen the permit.
        worker.set_just_back(self.gate.is_just_back(worker.slot()));
        worker.take_back(wakes);
        self.tell_waiters(self.gate.home(worker.slot()), wakes);
    }

    /// Counts the task of a worker as started, and notes the time in its record if the pool is timed. The source of a feed
    /// is not a task: the item that it pulls starts in its place.
    ///
    /// In a pool with rates, the caller [counts](crate::pool::core::Core::count_first_poll) the start in them, under the same
    /// lock.
    #[inline(never)]
    pub(crate) fn begin(&mut self, worker: &WorkerShared, now: Option<Moment>) {
        let slot = worker.slot();
        if !self.gate.is_task(slot) {
            return;
        }
        worker.set_started();
        self.count_start(self.gate.home(slot));
        if let Some(now) = now {
            self.records.start(slot, now);
        }
    }

    /// Returns `true` if a task counts as started only when it is first polled.
    ///
    /// An observer is told of a start at the first poll, and an abort before that poll is not to leave a start that the
    /// observer has not heard of. A timed pool notes the time of the first poll, and the starts of a rate are counted then.
    #[inline]
    pub(super) fn counts_first_polls(&self) -> bool {
        self.timed || self.gate.limits_starts() || self.is_watched()
    }

    pub(crate) fn count_start(&mut self, home: NodeId) {
        self.gate
            .each_data_from(home, |data| data.stats.started += 1);
    }

    /// Returns `true` if a node, or a node around it, is closed.
    #[inline]
    pub(crate) fn is_closed(&self, node: NodeId) -> bool {
        let is_closed = |node: NodeId| self.gate.path(node).any(|(_, data)| data.closed);
        self.gate.data(node).closed || (node != NodeId::ROOT && is_closed(node))
    }

    /// Counts a `try_spawn` that returns its future.
    pub(crate) fn count_refused(&mut self, home: NodeId) {
        self.gate
            .each_data_from(home, |data| data.stats.refused += 1);
    }

    /// Counts that the task in a slot is tried again.
    pub(crate) fn count_retry(&mut self, slot: Slot) {
        let home = self.gate.home(slot);
        self.gate
            .each_data_from(home, |data| data.stats.retries += 1);
    }

    /// Counts a new task that is not accepted, and returns its number. The task counts as living until it has ended.
    pub(crate) fn refuse(&mut self, home: NodeId) -> TaskId {
        self.gate.refuse(home);
        self.number(home)
    }
}
