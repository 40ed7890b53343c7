use std::sync::Arc;

use crate::adaptive::Adaptive;
use crate::observe::Watcher;
use crate::pool::core::rate::Rate;

/// The settings of a pool, which never change.
pub(crate) struct Settings {
    pub(crate) name: Arc<str>,
    /// Maximum number of tasks that may wait, or `None` for any number.
    pub(crate) max_waiting: Option<usize>,
    pub(crate) rate: Option<Rate>,
    pub(crate) fair_share: bool,
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
}
