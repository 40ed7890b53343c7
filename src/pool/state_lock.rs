use super::state::State;
use crate::lock::Lock;
use crate::sync::MutexGuard;
use crate::sync::atomic::AtomicUsize;
use crate::sync::atomic::Ordering::Relaxed;

/// The pool's one lock. Whoever holds it again and again can let others have it in between.
pub(super) struct StateLock {
    state: Lock<State>,
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
            state: Lock::new(state),
            waiting: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        if cfg!(aiopool_loom) {
            // The hints would only multiply the orders that the models go through.
            return self.state.lock();
        }
        self.state.try_lock().unwrap_or_else(|| self.wait())
    }

    #[inline(never)]
    fn wait(&self) -> MutexGuard<'_, State> {
        // Mere hints, which order nothing: a thread that is not seen waits for one part more.
        self.waiting.fetch_add(1, Relaxed);
        let state = self.state.lock();
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
