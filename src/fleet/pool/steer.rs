use std::sync::atomic::Ordering;
use std::time::Duration;

use super::FleetPool;
use crate::fleet::error::EngineError;
use crate::fleet::info::{FleetStats, TaskInfo, WorkerInfo};
use crate::fleet::wire::{FenceKey, check_name};

/// How long workers have to answer a question.
const ANSWERS: Duration = Duration::from_millis(500);

/// Stopping tasks.
///
/// Each of these returns when the server has stored the request. Tasks that it had accepted before that end with
/// [`JobError::Cancelled`](crate::fleet::JobError::Cancelled), whether they wait, run, or are between two tries, unless
/// they have ended by the time at which their worker learns of it, some milliseconds later. A running task is dropped
/// at its next `await`; a waiting one has its outcome once a worker gets it, and one between two tries within ten
/// seconds. Tasks that are submitted later are not touched.
///
/// # Cancel safety
///
/// If the future is dropped, the request is stored nevertheless, as long as the connection lasts.
impl FleetPool {
    /// Cancels the task `id`, of this client or another one.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidName`], or what the server says. A task that does not exist is no error.
    pub async fn cancel(&self, id: impl Into<String>) -> Result<(), EngineError> {
        let id = check_name(id)?;
        self.inner.client.cancel(FenceKey::Id(id)).await
    }

    /// Cancels all tasks of a group, of this client or another one.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    pub async fn cancel_group(&self, group: impl Into<String>) -> Result<(), EngineError> {
        let group = check_name(group)?;
        self.inner.client.cancel(FenceKey::Group(group)).await
    }

    /// Cancels all tasks of the pool, of all clients.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    pub async fn cancel_all(&self) -> Result<(), EngineError> {
        self.inner.client.cancel(FenceKey::All).await
    }
}

/// Steering the pool, for all of its clients and workers.
impl FleetPool {
    /// Starts nothing from now on. Tasks that run go on. Returns when the request is stored; workers learn of it some
    /// milliseconds later.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn pause(&self) -> Result<(), EngineError> {
        self.inner.client.set_paused(true).await
    }

    /// Starts tasks again.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn resume(&self) -> Result<(), EngineError> {
        self.inner.client.set_paused(false).await
    }

    /// Sets the size of the pool: the number of tasks that run at a time, over all workers. A larger one starts waiting
    /// tasks at once. A smaller one takes effect as tasks end.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] for a size of 0, or what the server says.
    pub async fn resize(&self, size: usize) -> Result<(), EngineError> {
        if size == 0 {
            let why = "a pool of size 0 would never run a task: to hold tasks back, pause it";
            return Err(EngineError::Config(why.to_owned()));
        }
        self.inner.client.resize(size).await?;
        self.inner.size.store(size, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until the pool has no task, of any client: none waits, runs, or is between two tries.
    ///
    /// It asks the server again and again, at most every half second.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn join(&self) -> Result<(), EngineError> {
        self.inner.client.join().await
    }

    /// Refuses further tasks of this client, with [`EngineError::Closed`]. Other clients are not concerned.
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::Release);
        self.inner.client.look_again();
    }

    /// Returns `true` if this client refuses further tasks.
    pub fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::Acquire)
    }

    /// Waits until this client is [closed](Self::close), and no handle of it waits for an outcome.
    pub async fn closed(&self) {
        let closed = || self.is_closed();
        self.inner.client.idle(closed).await;
    }
}

/// Looking at the pool.
impl FleetPool {
    /// Returns the figures of the pool.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn stats(&self) -> Result<FleetStats, EngineError> {
        let stats = self.inner.client.stats().await?;
        self.inner.size.store(stats.size, Ordering::Relaxed);
        Ok(stats)
    }

    /// Asks all workers how they are, and returns those that answer within half a second. One that does not is stopped,
    /// cut off, or gone; what it runs is given to others when its lease ends.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn workers(&self) -> Result<Vec<WorkerInfo>, EngineError> {
        self.inner.client.workers(ANSWERS).await
    }

    /// Lists up to `limit` tasks of the pool, of all clients: first those that workers have, then those that wait, in
    /// their order, then those between two tries. It takes half a second, and one request for each task that waits.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn tasks(&self, limit: usize) -> Result<Vec<TaskInfo>, EngineError> {
        self.inner.client.tasks(limit, ANSWERS).await
    }
}
