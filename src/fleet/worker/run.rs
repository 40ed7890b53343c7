use std::fmt;

use serde::Serialize;
use tokio::sync::mpsc::Sender;

/// One run of a task, as its job sees it.
#[non_exhaustive]
pub struct Run {
    /// Id of the task. It is the same in each run of the task: the key for work that must not be done twice.
    pub id: String,
    /// Group of the task.
    pub group: String,
    /// 1 for the first start of the task, and one more for each one after a lost worker or a failed try.
    pub attempt: u32,
    pub(super) key: u64,
    pub(super) progress: Sender<(u64, Vec<u8>)>,
}

impl Run {
    /// Sends a value to the handle of the task, where [`progress`](crate::fleet::JobHandle::progress) reads it.
    ///
    /// The value is sent once, at the next opportunity, and is not stored: a client that is not connected misses it, and
    /// a job that reports faster than the connection sends loses the values that do not fit. Returns `false` for such
    /// a value, and for one that cannot be written as JSON.
    pub fn progress<T: Serialize>(&self, value: &T) -> bool {
        serde_json::to_vec(value)
            .is_ok_and(|value| self.progress.try_send((self.key, value)).is_ok())
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("id", &self.id)
            .field("group", &self.group)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
