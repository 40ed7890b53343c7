use std::time::Duration;

use super::{TaskId, TaskState};

/// A task as a listing shows it: a picture of one moment.
///
/// Made by [`AioPool::tasks`](crate::AioPool::tasks), and given to an [`Observer`](crate::Observer).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its number.
    pub id: TaskId,
    /// The name it was given, or `"{pool}-{id}"`.
    pub name: String,
    /// The group it was submitted to, if it was one.
    pub group: Option<String>,
    /// How far it has come.
    pub state: TaskState,
    /// Its rank in the queue: higher starts first.
    pub priority: i32,
    /// How many permits it takes.
    pub weight: usize,
    /// How long it has waited, or had waited when it started. `None` unless the pool is timed.
    pub waited: Option<Duration>,
    /// How long it has run. `None` unless the pool is timed and the task has started.
    pub running: Option<Duration>,
}
