//! What all handles, workers and tasks of a pool share.
//!
//! - [`Core`]: takes new tasks in, each with its `order`, and starts them; `ending`: how a task ends, and how the next
//!   one starts. `settings`: what never changes.
//! - `state`: all that changes, behind one lock (`state_lock`), with the `node_data` of the pool and of each group, and
//!   the `record` of each task that is more than a future; `withdrawals`: tasks taken out of the queue that have not
//!   ended.
//! - `idle_workers`: workers that wait a moment for the next task; `runtime`: the runtime that a task starts on.
//! - `blocking_task`: a task that leaves its worker for a thread that it may block.
//! - `adapt`: lets the size of the pool follow the ends of its tasks. `bounds`: how many tasks may wait.
//! - `walk`: visits many tasks in parts; `tidy`: gives back the memory that ended tasks and groups leave.
//! - `clock`: the times that the pool waits for, kept by one `timer`; a `sleeper` thread covers waits that are too
//!   short for the timers of a runtime. `timer_check`: whether the runtime has a timer at all.
//! - `rate`: limits how many tasks start in an interval; its `window` counts these starts, and `throttles` takes some of
//!   them for code that has started. `group_rates`: the rates of groups. `holds`: the pools and groups that start nothing
//!   for a time.
//! - `watch`: tells the observer about a task; `resizes`, `survey`: for streams, and for the control server.

pub(super) mod adapt;
pub(super) mod blocking_task;
pub(super) mod bounds;
pub(super) mod clock;
pub(super) mod ending;
pub(super) mod group_rates;
pub(super) mod holds;
pub(super) mod idle_workers;
pub(super) mod node_data;
pub(super) mod order;
pub(super) mod rate;
pub(super) mod record;
pub(super) mod resizes;
pub(super) mod runtime;
pub(super) mod settings;
pub(super) mod sleeper;
pub(super) mod state;
pub(super) mod state_lock;
#[cfg(feature = "control")]
pub(super) mod survey;
pub(super) mod throttles;
pub(super) mod tidy;
pub(super) mod timer;
pub(super) mod timer_check;
pub(super) mod walk;
pub(super) mod watch;
pub(super) mod window;
pub(super) mod withdrawals;

use std::sync::{Arc, OnceLock, Weak};

use crate::adaptive::Controller;
use crate::error::BuildError;
use crate::gate::{Demand, NodeId};
use crate::nesting;
use crate::pool::core::blocking_task::BlockingTask;
use crate::pool::core::clock::Clock;
use crate::pool::core::node_data::NodeData;
use crate::pool::core::order::{Order, Patience};
use crate::pool::core::record::TaskRecord;
use crate::pool::core::resizes::Resizes;
use crate::pool::core::runtime::{Arrival, Runtime};
use crate::pool::core::settings::Settings;
use crate::pool::core::state::{Exit, Runner, Started, State};
use crate::pool::core::state_lock::StateLock;
use crate::pool::core::timer_check::has_timer;
use crate::spawner::{Found, Spawner};
use crate::sync::MutexGuard;
use crate::sync::atomic::AtomicBool;
use crate::task::{Body, BoxTask, Extras, Failure, Refusal, Shared, Slot};
use crate::unwind::{discard, shielded};
use crate::wakes::Wakes;
use crate::worker::Worker;

/// The core of a pool, which its handles, workers and tasks share.
///
/// Locks are taken in one order: the pool's lock first, then the stage of a task, the inbox of a worker or the clock.
/// Under a lock only data is moved, and no user code runs.
pub(crate) struct Core {
    me: Weak<Self>,
    state: StateLock,
    /// Set at the first submission, unless the pool was made with a spawner.
    spawner: OnceLock<Box<dyn Spawner>>,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<Clock>,
    /// `true` if the next task is likely to come soon, so that workers without a task stay idle for a moment: a caller
    /// of `spawn`, for example, submits its next task when it gets a permit. Only a hint, so `Relaxed` accesses are
    /// enough.
    pub(crate) expecting: AtomicBool,
    pub(crate) resizes: Resizes,
    /// `true` once tasks may wait for nothing but the time: the pool has a rate, or has been held.
    pub(crate) watches_time: AtomicBool,
    /// `true` once there has been a group with a rate. `Relaxed`, since whatever is in the group got there by the lock.
    pub(crate) has_group_rates: AtomicBool,
    /// `true` once the runtime is known to have a timer.
    pub(crate) knows_timer: AtomicBool,
}

/// Maximum number of new workers that one dispatch gives to the runtime.
const LAUNCHES: usize = 1024;

/// Maximum number of new workers that a worker gives to the runtime when it begins a task, if more tasks can start.
const LAUNCHES_IN_A_POLL: usize = 8;

impl Core {
    pub(crate) fn new(
        size: usize,
        settings: Settings,
        spawner: Option<Box<dyn Spawner>>,
    ) -> Arc<Self> {
        let adaptive = settings.adaptive.clone();
        let controller = adaptive.map(|adaptive| Box::new(Controller::new(adaptive, size)));
        let size = controller
            .as_ref()
            .map_or(size, |controller| controller.size());
        let root = NodeData::of_pool(settings.name.clone(), settings.max_waiting);
        let root = NodeData {
            limit: settings.rate.map(|_| NodeId::ROOT),
            ..root
        };
        let mut state = State::new(size, root);
        state.adaptive = controller;
        if let Some(rate) = settings.rate {
            state.limit_starts(rate);
        }
        if settings.fair_share {
            state.gate.share_fairly();
        }
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            state: StateLock::new(state),
            spawner: spawner.map_or_else(OnceLock::new, OnceLock::from),
            clock: Arc::new(Clock::new(settings.rate)),
            watches_time: AtomicBool::new(settings.rate.is_some()),
            has_group_rates: AtomicBool::new(false),
            knows_timer: AtomicBool::new(false),
            settings,
            expecting: AtomicBool::new(false),
            resizes: Resizes::default(),
        })
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Unlocks the pool, lets a thread that waits for the lock have it, and locks the pool again.
    pub(crate) fn give_way<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.state.give_way(state)
    }

    /// Returns the spawner, which is found at the first call if the pool was made without one.
    #[inline]
    #[track_caller]
    pub(crate) fn spawner(&self) -> &dyn Spawner {
        match self.spawner.get() {
            Some(spawner) => &**spawner,
            None => self.find_spawner(),
        }
    }

    /// Returns the spawner, unless it is still to be found.
    pub(crate) fn known_spawner(&self) -> Option<&dyn Spawner> {
        self.spawner.get().map(|spawner| &**spawner)
    }

    /// Finds the runtime, if the pool has none yet and there is one here. Returns `true` if the pool has one now.
    #[cfg(feature = "control")]
    pub(crate) fn bind_spawner(&self) -> bool {
        if self.spawner.get().is_none() && Found::new().runtime_here().is_some() {
            self.spawner();
        }
        self.spawner.get().is_some()
    }

    #[cold]
    #[track_caller]
    fn find_spawner(&self) -> &dyn Spawner {
        let found = Found::new();
        assert!(
            found.runtime_here().is_some(),
            "no runtime here: submit from inside a tokio context, enable the feature `smol`, \
             or make the pool with AioPool::with_spawner",
        );
        assert!(
            !self.has_rates() || has_timer(&found),
            "{}",
            BuildError::NoTimer
        );
        &**self.spawner.get_or_init(|| Box::new(found))
    }

    /// Accepts a new task, and starts it if a permit is free.
    ///
    /// # Errors
    ///
    /// Returns the body if the task may neither start nor wait. A `try_spawn` counts as refused then.
    pub(crate) fn submit<F, X>(
        &self,
        shared: &mut Arc<Shared<F::Output>>,
        mut body: Box<Body<F, X>>,
        order: &mut Order,
    ) -> Result<(), (Refusal, Box<Body<F, X>>)>
    where
        F: Future<Output: Send> + Send + 'static,
        X: Extras + 'static,
    {
        let Order {
            home,
            demand,
            ref mut record,
            ref mut blocks,
            patience,
            ..
        } = *order;
        let Arrival {
            unused: _unused,
            runtime,
            mut state,
        } = self.lock_for_newcomer();
        if let Some(refusal) = self.refusal(&state, home, demand, patience) {
            if patience == Patience::Try {
                state.count_refused(home);
            }
            return Err((refusal, body));
        }
        let record = noted(record.take(), runtime);
        state.park(home, demand, record, |id, slot| {
            body.place(shared, id, slot, false);
            let task: BoxTask = Box::into_pin(body);
            match blocks.take() {
                None => task,
                Some(blocks) => BlockingTask::boxed(task, blocks),
            }
        });
        self.dispatch(state);
        Ok(())
    }

    /// Submits a task without options to the root on the fast path, which nearly all tasks take.
    ///
    /// Returns the body if the task has to go through [`submit`](Self::submit).
    #[inline]
    pub(crate) fn submit_fast<F, X>(
        &self,
        shared: &mut Arc<Shared<F::Output>>,
        mut body: Box<Body<F, X>>,
    ) -> Option<Box<Body<F, X>>>
    where
        F: Future<Output: Send> + Send + 'static,
        X: Extras + 'static,
    {
        let here = self.spawner().runtime_here();
        let mut state = self.lock();
        if self.settings.max_waiting.is_some() || !state.takes_fast_path() || !state.is_main(here) {
            return Some(body);
        }
        if let Some(worker) = state.take_idle_worker() {
            let (id, slot) = state.start(&worker);
            body.place(shared, id, slot, true);
            worker.hand(Box::into_pin(body));
            return None;
        }
        let is_ready = state.park_fast(|id, slot| {
            body.place(shared, id, slot, false);
            Box::into_pin(body) as BoxTask
        });
        if is_ready {
            self.start_ready(state, LAUNCHES);
        }
        None
    }

    /// Counts a new task that was not accepted, and ends it.
    pub(crate) fn reject<F, X>(
        &self,
        shared: &mut Arc<Shared<F::Output>>,
        mut body: Box<Body<F, X>>,
        home: NodeId,
        refusal: Refusal,
    ) where
        F: Future<Output: Send> + Send + 'static,
        X: Extras + 'static,
    {
        let id = self.lock().refuse(home);
        body.place(shared, id, Slot::NOWHERE, false);
        let failure = Failure::Rejected(refusal).pack();
        self.end_unstarted(Exit::Refused(home), Box::into_pin(body), failure, None);
    }

    /// Starts the tasks that can be started, and unlocks.
    ///
    /// If there are many, the new workers start the rest when they are [polled](Self::dispatch_more).
    #[inline(always)]
    pub(crate) fn dispatch<'a>(&'a self, state: MutexGuard<'a, State>) {
        if state.gate.is_ready() || state.is_short() || state.has_to_tidy() {
            self.start_ready(state, LAUNCHES);
        }
    }

    /// Starts some of the tasks that can be started, and unlocks. Called by workers that begin a task.
    #[inline]
    pub(crate) fn dispatch_more<'a>(&'a self, state: MutexGuard<'a, State>) {
        if state.has_more_to_start {
            self.start_ready(state, LAUNCHES_IN_A_POLL);
        }
    }

    /// Starts tasks as long as some can be started. Launches at most `launches` new workers, unless the pool serves
    /// several runtimes.
    ///
    /// This is a loop and not a recursion: a runtime that refuses a worker drops it inside of [`launch`](Self::launch),
    /// which starts the next task there only up to a depth.
    #[inline(never)]
    fn start_ready<'a>(&'a self, mut state: MutexGuard<'a, State>, launches: usize) {
        let mut wakes = Wakes::default();
        let mut launched = 0;
        state.has_more_to_start = false;
        state = self.tidy(state);
        loop {
            if state.grant_starts(&mut wakes) || state.admit_known(&mut wakes) {
                // Wakers are user code: they are called with the pool unlocked.
                drop(state);
                std::mem::take(&mut wakes).wake();
                state = self.lock();
                continue;
            }
            if !state.gate.is_ready() {
                if !state.is_short() {
                    break;
                }
                let (refilled, is_more) = self.refill(state);
                state = refilled;
                if is_more || state.gate.is_ready() {
                    continue;
                }
                break;
            }
            let Some(started) = state.admit(&mut None, self, &mut wakes) else {
                continue;
            };
            launched += usize::from(matches!(started.by, Runner::New(..)));
            // With several runtimes all workers are launched here: the runtime of the new workers could stand still,
            // and would not start the rest.
            let is_last = launched >= launches && !state.serves_several;
            // Set before the launch: another thread may poll the last worker at once.
            state.has_more_to_start = is_last;
            state = self.hand_over(state, started, &mut wakes);
            if is_last {
                break;
            }
        }
        drop(state);
        wakes.wake();
    }

    /// Gives a started task to an idle or a new worker. Unlocks the pool meanwhile if the worker is new.
    fn hand_over<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        started: Started,
        wakes: &mut Wakes,
    ) -> MutexGuard<'a, State> {
        let Started { task, by } = started;
        task.announce(wakes);
        match by {
            Runner::Idle(worker) => {
                // Under the lock: a worker that takes the lock and still finds itself idle ends, and the task would be
                // lost.
                worker.hand(task);
                state
            }
            Runner::New(worker, runtime) => {
                drop(state);
                std::mem::take(wakes).wake();
                self.launch_on(runtime, Worker::new(worker, task));
                self.lock()
            }
            Runner::Free => unreachable!("there was no free worker"),
        }
    }

    /// Gives a started task to its worker, then starts all other tasks that can be started, and unlocks.
    pub(crate) fn hand_over_and_dispatch<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        started: Started,
        wakes: &mut Wakes,
    ) {
        let state = self.hand_over(state, started, wakes);
        self.dispatch(state);
    }

    /// Gives a worker to the runtime. A spawner that panics has refused the worker.
    ///
    /// A runtime may poll or drop the worker during this call. What that starts is launched inside of this call up to a
    /// depth, and otherwise after it.
    pub(crate) fn launch(&self, worker: Worker) {
        self.launch_on(None, worker);
    }

    /// Gives a worker to this runtime, or to the one that the pool's spawner chooses.
    pub(crate) fn launch_on(&self, runtime: Option<Runtime>, worker: Worker) {
        if let Some(_within) = nesting::enter() {
            return self.spawn_worker(runtime, worker);
        }
        let core = self.me();
        nesting::postpone(move || core.spawn_worker(runtime, worker));
    }

    fn spawn_worker(&self, runtime: Option<Runtime>, worker: Worker) {
        shielded(|| match &runtime {
            Some(runtime) => runtime.spawner.spawn(worker),
            None => self.spawner().spawn(worker),
        });
        discard(runtime);
    }

    /// Returns the core as its workers hold it. The caller must hold it too.
    pub(crate) fn me(&self) -> Arc<Self> {
        self.me.upgrade().expect("a pool that is in use is there")
    }

    /// Returns why a new task may neither start nor wait, or `None` if it may.
    #[inline(always)]
    pub(crate) fn refusal(
        &self,
        state: &State,
        home: NodeId,
        demand: Demand,
        patience: Patience,
    ) -> Option<Refusal> {
        if state.is_closed(home) {
            return Some(Refusal::Closed);
        }
        if demand.weight > 1 && !state.gate.can_carry(home, demand.weight) {
            return Some(Refusal::TooHeavy);
        }
        let may_wait = match patience {
            Patience::Stand => true,
            Patience::Park => state.may_wait(home),
            Patience::Try => state.is_bounded(home) && state.may_wait(home),
        };
        (!may_wait && !state.gate.has_room(home, demand)).then_some(Refusal::Full)
    }

    pub(crate) fn address(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }
}

/// Notes the runtime of a task, if it is not the main one, in the record of the task.
#[inline]
fn noted(record: Option<TaskRecord>, runtime: Option<Runtime>) -> Option<TaskRecord> {
    match record {
        Some(record) => Some(TaskRecord { runtime, ..record }),
        None => TaskRecord::of_runtime(runtime),
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let state = self.lock();
        debug_assert!(
            state.gate.living(NodeId::ROOT) == 0 || std::thread::panicking(),
            "a pool went with its tasks"
        );
    }
}
