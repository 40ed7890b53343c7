use std::sync::Arc;

use crate::adaptive::Adaptive;
use crate::observe::Watcher;
use crate::pool::core::parts::rate::Rate;

/// The settings of a pool, which never change.
pub(crate) struct Settings {
    pub(crate) name: Arc<str>,
    /// Maximum number of tasks that may wait, or `None` for any number.
    pub(crate) max_waiting: Option<usize>,
    pub(crate) rate: Option<Rate>,
    pub(crate) fair_share: bool,
    /// `true` if the pool is timed without an observer.
    pub(crate) timed: bool,
    pub(crate) watcher: Option<Arc<Watcher>>,
    pub(crate) adaptive: Option<Adaptive>,
}

impl Settings {
    /// Returns the observer, unless it is known to hear of nothing.
    #[inline]
    pub(crate) fn heard_by(&self) -> Option<&Arc<Watcher>> {
        self.watcher.as_ref().filter(|watcher| watcher.hears())
    }

    /// Returns `true` if the times of tasks are recorded: they were asked for, or an observer is told of them.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        let watcher = self.watcher.as_ref();
        self.timed || watcher.is_some_and(|watcher| watcher.is_told_times())
    }
}
