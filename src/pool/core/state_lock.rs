use crate::lock::Lock;
use crate::pool::core::state::State;
use crate::sync::atomic::AtomicUsize;
use crate::sync::atomic::Ordering::Relaxed;
use crate::sync::{MODELLED, MutexGuard};

/// The lock of the pool's state. A thread that needs it many times in a row can let other threads have it in between.
// Aligned, so that the threads that change the state do not slow down those that read what is beside it.
#[repr(align(128))]
pub(crate) struct StateLock {
    state: Lock<State>,
    /// Number of threads that wait for the lock asleep.
    waiting: AtomicUsize,
    /// Number of times that such a thread has got the lock.
    served: AtomicUsize,
}

/// How often a thread that found the lock taken tries again before it sleeps. Each pause is twice as long as the last: the
/// whole takes a few microseconds.
const TRIES: u32 = 8;

/// Maximum number of checks whether another thread has got the lock. Waking a thread takes the time of some of them.
const LOOKS: usize = 1000;

impl StateLock {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state: Lock::new(state),
            waiting: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
        }
    }

    /// Locks the state. Also returns whether another thread had the lock.
    #[inline]
    pub(crate) fn lock(&self) -> (MutexGuard<'_, State>, bool) {
        if MODELLED {
            // Without the hints, which would only multiply the interleavings that the models explore; and as if another thread
            // had it, so that the models go where that leads.
            return (self.state.lock(), true);
        }
        match self.state.try_lock() {
            Some(state) => (state, false),
            None => (self.wait(), true),
        }
    }

    /// Waits for the lock: for as long as a thread usually holds it by trying again, and then asleep.
    ///
    /// To fall asleep and to be woken takes some microseconds, and the thread that unlocks pays for a part of it.
    #[inline(never)]
    fn wait(&self) -> MutexGuard<'_, State> {
        (0..TRIES)
            .find_map(|tried| self.try_after(1 << tried))
            .unwrap_or_else(|| self.wait_asleep())
    }

    fn try_after(&self, pauses: u32) -> Option<MutexGuard<'_, State>> {
        for _ in 0..pauses {
            std::hint::spin_loop();
        }
        self.state.try_lock()
    }

    fn wait_asleep(&self) -> MutexGuard<'_, State> {
        // The counters are hints and order nothing, so `Relaxed` suffices: a thread that is not seen waits for one part
        // more.
        self.waiting.fetch_add(1, Relaxed);
        let state = self.state.lock();
        self.waiting.fetch_sub(1, Relaxed);
        self.served.fetch_add(1, Relaxed);
        state
    }

    /// Unlocks, and returns when a waiting thread, if there is one, has got the lock.
    ///
    /// With a mutex alone, a thread that locks again soon would mostly get the lock again, because it is faster than a
    /// thread that has to wake up.
    pub(crate) fn unlock_for_others(&self, state: MutexGuard<'_, State>) {
        let served = self.served.load(Relaxed);
        drop(state);
        for _ in 0..LOOKS {
            if self.waiting.load(Relaxed) == 0 || self.served.load(Relaxed) != served {
                break;
            }
            std::thread::yield_now();
        }
    }
}
