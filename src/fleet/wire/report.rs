//! What workers answer when they are asked how they are.

use serde::{Deserialize, Serialize};

use crate::fleet::info::WorkerInfo;

/// A question to all workers of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Question {
    /// Who is there?
    Workers,
    /// What runs? At most so many tasks of each worker.
    Tasks { limit: usize },
    /// Who has the task of this message of the work stream? The others do not answer.
    Holds { sequence: u64 },
}

/// The answer of one worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WorkerReply {
    pub(crate) worker: WorkerInfo,
    #[serde(default)]
    pub(crate) tasks: Vec<RunningTask>,
}

/// A task that a worker has, running or about to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunningTask {
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) job: String,
    pub(crate) attempt: u32,
    /// In milliseconds; `None` if the task has not started.
    pub(crate) running: Option<u64>,
}
