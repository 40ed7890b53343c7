use std::cell::Cell;
use std::sync::{Arc, OnceLock, Weak};

use super::blocking::Leaving;
use super::builder::Settings;
use super::detail::Detail;
use super::state::State;
use crate::error::BuildError;
use crate::gate::{LevelId, Standing};
use crate::lock::Lock;
use crate::spawner::{self, Spawner};
use crate::sync::atomic::AtomicBool;
use crate::sync::{MutexGuard, thread_local};
use crate::task::{Body, Extras, Failure, Parked, Rejection, Shared, Slot};
use crate::unwind::shielded;
use crate::wakes::Wakes;
use crate::worker::{Seat, Worker};

/// A pool, as its handles, workers and tasks share it.
///
/// Locks are taken in one order: this one, then a task's stage or a worker's
/// desk. Under them data is moved, and nothing foreign runs.
pub(crate) struct Core {
    me: Weak<Self>,
    state: Lock<State>,
    spawner: OnceLock<Box<dyn Spawner>>,
    pub(super) settings: Settings,
    /// Callers of `spawn` wait for permits: whoever gets one will bring the next task.
    pub(in crate::pool) expecting: AtomicBool,
}

/// What the pool is to know of a newcomer.
pub(super) struct Terms {
    pub(super) home: LevelId,
    pub(super) standing: Standing,
    pub(super) detail: Option<Arc<Detail>>,
    pub(super) runs: Runs,
}

/// Where a task runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Runs {
    AtItsWorker,
    WhereItMayBlock,
}

/// What a pool does with a newcomer that has to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Patience {
    /// It waits, unless the queue has a bound and is full.
    Park,
    /// It waits only in a queue that has a bound.
    Try,
}

impl Core {
    pub(super) fn new(
        size: usize,
        settings: Settings,
        spawner: Option<Box<dyn Spawner>>,
    ) -> Arc<Self> {
        let mut state = State::new(size, settings.name.clone());
        if let Some(rate) = settings.rate {
            state.limit_starts(rate);
        }
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            state: Lock::new(state),
            spawner: spawner.map_or_else(OnceLock::new, OnceLock::from),
            settings,
            expecting: AtomicBool::new(false),
        })
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The runtime, found at the first call.
    #[inline]
    #[track_caller]
    pub(super) fn spawner(&self) -> &dyn Spawner {
        match self.spawner.get() {
            Some(spawner) => &**spawner,
            None => self.find_spawner(),
        }
    }

    /// Finds the runtime, if there is none yet and one is here. Returns whether the pool has one.
    #[cfg(feature = "control")]
    pub(super) fn bind_spawner(&self) -> bool {
        if self.spawner.get().is_none() && spawner::found().is_some() {
            self.spawner();
        }
        self.spawner.get().is_some()
    }

    #[cold]
    #[track_caller]
    fn find_spawner(&self) -> &dyn Spawner {
        let found = spawner::found().expect(
            "no runtime here: submit from inside a tokio context, enable the feature `smol`, \
             or make the pool with AioPool::with_spawner",
        );
        let rate = self.settings.rate;
        assert!(
            rate.is_none_or(|rate| rate.is_kept_by(&*found)),
            "{}",
            BuildError::NoTimer
        );
        &**self.spawner.get_or_init(|| found)
    }

    /// Takes a newcomer in, and starts it if there is a permit.
    ///
    /// # Errors
    ///
    /// Gives it back, uncounted, if it may neither start nor wait.
    pub(super) fn submit<F, X>(
        &self,
        shared: &mut Arc<Shared<F::Output>>,
        mut body: Box<Body<F, X>>,
        terms: &mut Terms,
        patience: Patience,
    ) -> Result<(), (Rejection, Box<Body<F, X>>)>
    where
        F: Future<Output: Send> + Send + 'static,
        X: Extras + 'static,
    {
        let Terms {
            home,
            standing,
            ref mut detail,
            runs,
        } = *terms;
        let mut state = self.lock();
        if let Some(rejection) = self.rejection(&state, home, standing, patience) {
            return Err((rejection, body));
        }
        state.park(home, standing, detail.take(), |id, slot| {
            body.place(shared, id, slot, false);
            match runs {
                Runs::AtItsWorker => Box::into_pin(body) as Parked,
                Runs::WhereItMayBlock => Box::pin(Leaving(Box::into_pin(body))),
            }
        });
        self.dispatch(state);
        Ok(())
    }

    /// The same for a mere future of the pool itself, in the short way which nearly all go.
    ///
    /// Gives it back if it needs to go the other one.
    #[inline]
    pub(super) fn submit_plain<F, X>(
        &self,
        shared: &mut Arc<Shared<F::Output>>,
        mut body: Box<Body<F, X>>,
    ) -> Option<Box<Body<F, X>>>
    where
        F: Future<Output: Send> + Send + 'static,
        X: Extras + 'static,
    {
        let mut state = self.lock();
        if self.settings.max_waiting.is_some() || !state.is_plain() {
            return Some(body);
        }
        if let Some(seat) = state.take_lingering() {
            let (id, slot) = state.start(&seat);
            body.place(shared, id, slot, true);
            seat.hand(Box::into_pin(body));
            return None;
        }
        let is_ready = state.park_plain(|id, slot| {
            body.place(shared, id, slot, false);
            Box::into_pin(body) as Parked
        });
        if is_ready {
            self.start_ready(state);
        }
        None
    }

    /// Counts a newcomer that was not taken in, and settles it.
    pub(super) fn reject<F, X>(
        &self,
        shared: &mut Arc<Shared<F::Output>>,
        mut body: Box<Body<F, X>>,
        home: LevelId,
        rejection: Rejection,
    ) where
        F: Future<Output: Send> + Send + 'static,
        X: Extras + 'static,
    {
        let id = self.lock().number(home);
        body.place(shared, id, Slot::NOWHERE, false);
        let task: Parked = Box::into_pin(body);
        task.give_up(Failure::Rejected(rejection).pack(), &mut |end, settle| {
            let joiner = settle();
            self.lock().count(home, end);
            debug_assert!(joiner.is_none(), "its handle has been given to nobody");
        });
    }

    /// Starts those who can be started, and unlocks.
    #[inline(always)]
    pub(super) fn dispatch<'a>(&'a self, state: MutexGuard<'a, State>) {
        if state.gate.is_ready() || state.has_spent() {
            self.start_ready(state);
        }
    }

    /// Starts tasks as long as some can be started.
    ///
    /// In a loop, and not by recursion: a runtime that refuses a worker drops it
    /// inside of [`launch`](Self::launch), which frees its permit for the next.
    #[inline(never)]
    fn start_ready<'a>(&'a self, mut state: MutexGuard<'a, State>) {
        let mut wakes = Wakes::default();
        loop {
            state.admit_known(&mut wakes);
            if !state.gate.is_ready() {
                let spent = state.take_spent();
                if spent == 0 {
                    break;
                }
                drop(state);
                self.refill_later(spent);
                state = self.lock();
                continue;
            }
            if let Some(seat) = state.lingering.take() {
                if let Some(task) = state.admit(&mut Some(seat.clone()), &mut wakes) {
                    task.announce(&mut wakes);
                    seat.hand(task);
                }
                continue;
            }
            let seat = Arc::new(Seat::new(self.me()));
            let task = state.admit(&mut Some(seat.clone()), &mut wakes);
            drop(state);
            if let Some(task) = task {
                task.announce(&mut wakes);
                std::mem::take(&mut wakes).wake();
                self.launch(Worker::new(seat, task));
            }
            state = self.lock();
        }
        drop(state);
        wakes.wake();
    }

    /// Gives the alarm of a waiting task to the runtime.
    pub(super) fn start_alarm(&self, alarm: Worker) {
        self.launch(alarm);
        // What ended inside of that has left the rest to whoever launched.
        self.dispatch(self.lock());
    }

    /// Gives a worker to the runtime. One that panics has refused it.
    pub(super) fn launch(&self, worker: Worker) {
        let outer = LAUNCHING.with(|pool| pool.replace(self.address()));
        shielded(|| self.spawner().spawn(worker));
        LAUNCHING.with(|pool| pool.set(outer));
    }

    /// Whether this thread is inside of [`launch`](Self::launch): then `dispatch` goes on after it.
    pub(super) fn is_launching(&self) -> bool {
        LAUNCHING.with(Cell::get) == self.address()
    }

    /// Itself, as its workers hold it. Whoever calls this holds it too.
    pub(super) fn me(&self) -> Arc<Self> {
        self.me.upgrade().expect("a pool that is in use is there")
    }

    /// Why a newcomer may neither start nor wait.
    #[inline(always)]
    pub(super) fn rejection(
        &self,
        state: &State,
        home: LevelId,
        standing: Standing,
        patience: Patience,
    ) -> Option<Rejection> {
        if state.is_closed(home) {
            return Some(Rejection::Closed);
        }
        if standing.weight > 1 && !state.gate.can_carry(home, standing.weight) {
            return Some(Rejection::TooHeavy);
        }
        let bound = match (self.settings.max_waiting, patience) {
            (None, Patience::Park) => return None,
            (None, Patience::Try) => 0,
            (Some(bound), _) => bound,
        };
        let is_full = state.gate.waiting(LevelId::ROOT) >= bound;
        (is_full && !state.gate.has_room(home, standing)).then_some(Rejection::QueueFull)
    }

    pub(super) fn address(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }
}

thread_local! {
    /// The pool that is giving a worker to its runtime on this thread. Compared, never followed.
    static LAUNCHING: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
}

impl Drop for Core {
    fn drop(&mut self) {
        let state = self.lock();
        debug_assert!(
            state.gate.living(LevelId::ROOT) == 0 || std::thread::panicking(),
            "a pool went with its tasks"
        );
    }
}
