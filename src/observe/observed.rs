use std::sync::Arc;

use super::scope::TaskScope;
use super::subject::{Origin, Subject};
use super::times::TaskTimes;
use super::view::Submission;
use super::watcher::Watcher;

/// What is observed, and the observers that are told of it.
pub(crate) struct Observed {
    pub(crate) watcher: Arc<Watcher>,
    pub(crate) subject: Subject,
}

impl Observed {
    /// Returns the scope of a task that is submitted now, if an observer has one for it. Calls the observers: call it with
    /// no lock held.
    #[inline]
    pub(crate) fn capture(&self, origin: Origin) -> Option<Arc<dyn TaskScope>> {
        self.watcher
            .capture(&Submission::new(&self.subject, origin))
    }

    /// Returns the times of a task that is submitted now. The clock is read only if an observer or a scope is told of them.
    #[inline]
    pub(crate) fn times_of_submission(&self, has_scope: bool) -> TaskTimes {
        let is_told = has_scope || self.watcher.is_told_times();
        TaskTimes::of_submission(is_told.then(|| self.subject.now()))
    }
}
