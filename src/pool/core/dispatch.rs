//! How the tasks that can be started are started, each with a worker.

use crate::nesting;
use crate::pool::core::Core;
use crate::pool::core::parts::idle_workers::Runner;
use crate::pool::core::parts::runtime::Runtime;
use crate::pool::core::state::{Started, State};
use crate::sync::MutexGuard;
use crate::unwind::{discard, shielded};
use crate::wakes::Wakes;
use crate::worker::Worker;

/// Maximum number of new workers that one dispatch gives to the runtime.
pub(super) const LAUNCHES: usize = 1024;

/// Maximum number of new workers that a worker gives to the runtime when it begins a task, if more tasks can start.
const LAUNCHES_IN_A_POLL: usize = 8;

impl Core {
    /// Starts the tasks that can be started, and unlocks.
    ///
    /// If there are many, the new workers start the rest when they are [polled](Self::dispatch_more).
    #[inline(always)]
    pub(crate) fn dispatch<'a>(&'a self, state: MutexGuard<'a, State>) {
        if state.has_to_dispatch() {
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
    pub(super) fn start_ready<'a>(&'a self, mut state: MutexGuard<'a, State>, launches: usize) {
        let mut wakes = Wakes::default();
        let mut launched = 0;
        state.has_more_to_start = false;
        state = self.tidy(state);
        loop {
            if state.gate.has_spent() {
                // The group that has spent its last start may have others that are free again: without them, tasks of
                // other groups would overtake its own.
                state = self.refill(state).0;
            }
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
            let Some(started) =
                state.admit(&mut None, |runtime| self.new_worker(runtime), &mut wakes)
            else {
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
}
