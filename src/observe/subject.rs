use std::sync::Arc;
use std::time::Instant;

use crate::task::TaskLabel;

/// What an observer is told about: a task, or all tasks of a pool or group that differ only by their numbers.
pub(crate) struct Subject {
    pub(crate) label: Arc<TaskLabel>,
    /// The name of the pool, not that of the group.
    pub(crate) pool: Arc<str>,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) priority: i32,
    pub(crate) weight: usize,
}

impl Subject {
    /// Returns the time by the clock of the runtime, which may be user code: call it with no lock held.
    pub(crate) fn now(&self) -> Instant {
        self.label.pool_ref().clock_time()
    }
}

/// How a task was submitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) location: &'static std::panic::Location<'static>,
    pub(crate) is_awaited: bool,
}
