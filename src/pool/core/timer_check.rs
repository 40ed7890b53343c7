//! Finds out whether the runtime of a pool has a timer.

use crate::error::BuildError;
use crate::pool::core::Core;
use crate::spawner::has_timer;
use crate::sync::atomic::Ordering::Relaxed;

impl Core {
    /// Returns `true` if the pool's runtime has a timer, or if the pool has no runtime yet. A timer is started until one
    /// was there, and then no more.
    pub(crate) fn has_timer(&self) -> bool {
        let Some(spawner) = self.known_spawner() else {
            return true;
        };
        // `Relaxed`, since nothing depends on the flag: at worst, two threads find out.
        let is_there = self.knows_timer.load(Relaxed) || has_timer(spawner);
        self.knows_timer.store(is_there, Relaxed);
        is_there
    }

    /// Finds the runtime, if that is still to be found, and checks that it has a timer.
    ///
    /// # Panics
    ///
    /// Panics if the runtime has no timer.
    #[track_caller]
    pub(crate) fn check_timer(&self) {
        self.spawner();
        assert!(self.has_timer(), "{}", BuildError::NoTimer);
    }
}
