use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fields::{read_seconds, read_size, read_state, write_seconds, write_size, write_state};
use crate::{TaskInfo, TaskState};

/// A pool or group, as `groups` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GroupLine {
    /// The name of the pool or group.
    pub name: String,
    /// The maximum number of active tasks; [`AioPool::UNBOUNDED`](crate::AioPool::UNBOUNDED) is `"inf"` in JSON.
    #[serde(serialize_with = "write_size", deserialize_with = "read_size")]
    pub size: usize,
    /// Number of active tasks.
    pub active: usize,
    /// Number of waiting tasks, with those that a feed has yet to submit.
    pub waiting: usize,
    /// Whether the pool starts no tasks.
    pub paused: bool,
    /// Whether the pool takes no new tasks.
    pub locked: bool,
}

/// All counts of a pool or group: the reply to `stats`, and each reply to `watch`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StatsLine {
    /// The pool or group.
    #[serde(flatten)]
    pub pool: GroupLine,
    /// Whether no permit is free.
    pub full: bool,
    /// Number of tasks that were submitted.
    pub submitted: u64,
    /// Number of tasks that have begun to run.
    pub started: u64,
    /// Number of tasks that ended with a value.
    pub completed: u64,
    /// Number of tasks that panicked.
    pub panicked: u64,
    /// Number of tasks that were cancelled.
    pub cancelled: u64,
    /// Number of tasks that timed out.
    pub timed_out: u64,
    /// Number of tasks that never ran.
    pub rejected: u64,
    /// Number of calls of `try_spawn` that returned their future.
    pub refused: u64,
    /// Number of further tries of tasks that had failed.
    pub retries: u64,
}

/// A task, as `tasks` lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskLine {
    /// The number of the task.
    pub id: u64,
    /// The name of the task.
    pub name: String,
    /// The group of the task, if it is in one.
    #[serde(default)]
    pub group: Option<String>,
    /// The state of the task.
    #[serde(serialize_with = "write_state", deserialize_with = "read_state")]
    pub state: TaskState,
    /// The priority of the task: a higher one starts first.
    #[serde(default)]
    pub priority: i32,
    /// The number of permits that the task takes.
    #[serde(default)]
    pub weight: usize,
    /// How long the task has waited. `None` if the pool is not timed.
    #[serde(
        default,
        serialize_with = "write_seconds",
        deserialize_with = "read_seconds"
    )]
    pub waited: Option<Duration>,
    /// How long the task has run. `None` if it has not started, or if the pool is not timed.
    #[serde(
        default,
        serialize_with = "write_seconds",
        deserialize_with = "read_seconds"
    )]
    pub running: Option<Duration>,
}

/// Tasks: the reply to `tasks`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskList {
    /// The tasks, by number.
    pub tasks: Vec<TaskLine>,
    /// Number of tasks that are not listed.
    #[serde(default)]
    pub more: usize,
}

/// Groups: the reply to `groups`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[non_exhaustive]
pub struct GroupList {
    /// The groups, each before the groups inside of it.
    pub groups: Vec<GroupLine>,
    /// Minimum number of groups that are not listed. In JSON it stands beside the list, and not in it.
    #[serde(skip)]
    pub more: usize,
}

impl From<TaskInfo> for TaskLine {
    fn from(task: TaskInfo) -> Self {
        Self {
            id: task.id.get(),
            name: task.name,
            group: task.group,
            state: task.state,
            priority: task.priority,
            weight: task.weight,
            waited: task.waited,
            running: task.running,
        }
    }
}
