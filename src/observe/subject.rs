use std::sync::Arc;

use super::Watcher;
use crate::task::TaskLabel;

/// What an observer is told about: a task, or all tasks of a pool or group that differ only by their numbers.
pub(crate) struct Subject {
    pub(crate) watcher: Arc<Watcher>,
    pub(crate) label: Arc<TaskLabel>,
    /// The name of the pool, not that of the group.
    pub(crate) pool: Arc<str>,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) priority: i32,
    pub(crate) weight: usize,
}

/// How a task was submitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) location: &'static std::panic::Location<'static>,
    pub(crate) is_awaited: bool,
}
