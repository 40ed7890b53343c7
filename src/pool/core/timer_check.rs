//! Finds out whether the runtime of a pool has a timer, by starting one that is never polled.

use std::time::Duration;

use crate::error::BuildError;
use crate::pool::core::Core;
use crate::spawner::Spawner;
use crate::sync::atomic::Ordering::Relaxed;
use crate::unwind::{caught, discard};

/// Returns `true` if a runtime has a timer. One whose timer panics has none.
pub(crate) fn has_timer(spawner: &dyn Spawner) -> bool {
    let sleep = caught(|| spawner.sleep(Duration::from_millis(1)));
    let is_there = matches!(sleep, Ok(Some(_)));
    discard(sleep);
    is_there
}

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
