use std::sync::{PoisonError, TryLockError};

use super::state::State;
use crate::sync::atomic::AtomicUsize;
use crate::sync::atomic::Ordering::Relaxed;
use crate::sync::{Mutex, MutexGuard};

/// The pool's one lock. Whoever holds it again and again can let others have it in between.
///
/// As with every [`Lock`](crate::lock::Lock), nothing foreign runs under it, so none is poisoned halfway through a change.
pub(super) struct StateLock {
    state: Mutex<State>,
    /// Number of threads that found it taken, and have not got it yet.
    waiting: AtomicUsize,
    /// Number of times that one of them has got it.
    served: AtomicUsize,
}

/// How often a thread that gives way looks whether another has got the lock: a wake of a thread takes some of these.
const LOOKS: usize = 1000;

impl StateLock {
    pub(super) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            waiting: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        if cfg!(aiopool_loom) {
            // The hints would only multiply the orders that the models go through.
            return self.state.lock().unwrap_or_else(PoisonError::into_inner);
        }
        match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => self.wait(),
        }
    }

    #[inline(never)]
    fn wait(&self) -> MutexGuard<'_, State> {
        // Mere hints, which order nothing: a thread that is not seen waits for one part more.
        self.waiting.fetch_add(1, Relaxed);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Relaxed);
        self.served.fetch_add(1, Relaxed);
        state
    }

    /// Unlocks, lets a thread that waits have the lock, and locks again.
    ///
    /// A mutex alone would mostly come back to the thread that has just left it: it is quicker than one that wakes.
    pub(super) fn give_way<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let served = self.served.load(Relaxed);
        drop(state);
        for _ in 0..LOOKS {
            if self.waiting.load(Relaxed) == 0 || self.served.load(Relaxed) != served {
                break;
            }
            std::thread::yield_now();
        }
        self.lock()
    }
}
