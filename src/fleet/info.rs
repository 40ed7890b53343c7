//! What a pool tells of itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Figures of a pool, as the server has them. They are read one after the other, so that they may not fit together
/// while tasks move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FleetStats {
    /// Maximum number of tasks that run at a time, over all workers.
    pub size: usize,
    /// Tasks that wait for a permit.
    pub waiting: u64,
    /// Permits in use: tasks that a worker has, or had when it was lost.
    pub active: u64,
    /// Tasks between two tries. They hold no permit.
    pub delayed: u64,
    /// Messages in the work stream since the pool was created: tasks, and as one more each further try, and each time that a
    /// task went behind the others since the pool had become smaller.
    pub submitted: u64,
    /// Outcomes since the pool was created.
    pub finished: u64,
    /// Messages that were no tasks, since the pool was created.
    pub refused: u64,
    /// `true` while the pool starts nothing.
    pub is_paused: bool,
}

/// A worker, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// Name of the worker: unique, unless the program gives two of them the same.
    pub id: String,
    /// Id of its process.
    pub pid: u32,
    /// Number of tasks that it runs at a time.
    pub slots: usize,
    /// Tasks that run.
    pub running: usize,
    /// Tasks that it has and has not started.
    pub held: usize,
    /// Tasks that it has started.
    pub started: u64,
    /// Tasks that it has run to a result.
    pub completed: u64,
    /// Tasks that ended without a result, for any reason.
    pub failed: u64,
    /// Tries that failed and are to be repeated.
    pub retried: u64,
    /// Tasks that it has given up, since the server may have given them to another worker.
    pub lost: u64,
    /// Messages that were no tasks.
    pub refused: u64,
    /// Time since it was connected, in milliseconds.
    pub uptime_ms: u64,
    /// `true` if it takes no more tasks, and ends with those that it has.
    pub is_stopping: bool,
    /// Names of its jobs, in alphabetical order.
    pub jobs: Vec<String>,
}

/// A task that has no outcome yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskInfo {
    /// Id of the task.
    pub id: String,
    /// Group of the task.
    pub group: String,
    /// Name of its job.
    pub job: String,
    /// Where it is.
    pub state: TaskState,
    /// The worker that has it.
    pub worker: Option<String>,
    /// Number of the start that runs or comes next, as far as it is known: 1 for the first one.
    pub attempt: u32,
    /// Time since it was started.
    pub running: Option<Duration>,
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum TaskState {
    /// At the server, waiting for a permit, or for the end of the lease of a worker that was lost.
    Waiting,
    /// At a worker that has not started it, since the pool is paused, or since it is to run alone.
    Held,
    /// Running.
    Active,
    /// Waiting for its next try.
    Delayed,
}

/// What a worker has done, at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerReport {
    /// Tasks that it has started.
    pub started: u64,
    /// Tasks that it has run to a result.
    pub completed: u64,
    /// Tasks that ended without a result.
    pub failed: u64,
    /// Tasks that it gave back when it was stopped, for another worker to run.
    pub given_back: u64,
    /// Tasks that it has given up, since the server may have given them to another worker.
    pub lost: u64,
}
