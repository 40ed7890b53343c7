use std::time::Duration;

use super::{Tag, TaskId, TaskState};

/// A snapshot of a task, as a listing shows it.
///
/// Made by [`AioPool::tasks`](crate::AioPool::tasks), and passed to an [`Observer`](crate::Observer).
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TaskInfo {
    /// The number of the task.
    pub id: TaskId,
    /// The name of the task: its own, or `"{pool}-{id}"`.
    pub name: String,
    /// The name of the group to which the task was submitted, if it was one.
    pub group: Option<String>,
    /// The state of the task.
    pub state: TaskState,
    /// The priority of the task in the queue: a higher one starts first.
    pub priority: i32,
    /// The number of permits that the task takes.
    pub weight: usize,
    /// How long the task has waited: from its submission to its first poll, or until now if it has not been polled yet.
    /// `None` unless the pool is timed.
    ///
    /// An active task that has its permit, and that its worker has not polled yet, still waits by this measure.
    pub waited: Option<Duration>,
    /// How long the task has run since its first poll, with the time for which it has lent its permit. `None` unless the
    /// pool is timed and the task has been polled.
    pub running: Option<Duration>,
    /// The value that the user has attached to the task by [`tag`](crate::TaskBuilder::tag).
    #[cfg_attr(feature = "serde", serde(skip))]
    pub tag: Option<Tag>,
}
