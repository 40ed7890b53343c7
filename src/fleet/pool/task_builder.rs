use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::defaults::{Defaults, policy};
use super::guard::CancelOnDrop;
use super::submit::{Options, Submitted};
use super::{FleetPool, JobHandle};
use crate::fleet::error::{EngineError, JobError};
use crate::fleet::job::{Codec, Job};
use crate::fleet::nats::Receipt;
use crate::fleet::wire::{FenceKey, check_name};

/// A task with options. Made by [`FleetPool::task`].
///
/// ```no_run
/// # async fn example(pool: aiopool::fleet::FleetPool) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// # use aiopool::fleet::Job;
/// const BILL: Job<u32, u32> = Job::new("bill");
///
/// let bill = pool
///     .task(BILL, &2026)
///     .id("bill-2026")                                     // a second one within two minutes is the same task
///     .deadline(Duration::from_secs(3600))
///     .retry([1, 10, 60].map(Duration::from_secs))
///     .spawn_n()
///     .await?;
/// println!("{}", bill.await?);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is submitted before `spawn`, `spawn_n` or `exec` is called"]
pub struct TaskBuilder<'t, A, O, C> {
    pool: &'t FleetPool,
    job: Job<A, O, C>,
    arguments: &'t A,
    id: Option<String>,
    group: Option<String>,
    defaults: Defaults,
}

impl<'t, A, O, C> TaskBuilder<'t, A, O, C>
where
    A: Serialize,
    O: DeserializeOwned,
    C: Codec,
{
    pub(super) fn new(pool: &'t FleetPool, job: Job<A, O, C>, arguments: &'t A) -> Self {
        Self {
            pool,
            job,
            arguments,
            id: None,
            group: None,
            defaults: pool.inner.defaults.clone(),
        }
    }

    /// Id of the task. The default is a new one.
    ///
    /// A task that is submitted with an id that the server has had within the last two minutes, or that this client
    /// waits for, is not submitted again: the handle is one more to the first task. So a call whose answer was lost can
    /// be repeated. After that time it is a new task.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Group of the task: [`FleetPool::cancel_group`] stops all tasks of a group. The default is that of the pool's
    /// handle: see [`FleetPool::group`].
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Time from now by which the task has to have ended. After it, the task is not started, and is dropped if it runs:
    /// its handle says [`JobError::Expired`], once a worker has got it. The clocks of client and worker are compared.
    pub fn deadline(mut self, time: Duration) -> Self {
        self.defaults.deadline = Some(time);
        self
    }

    /// Tries the task again while it fails, after each of `delays` in turn; the first 64 are taken. No permit is held
    /// between two tries, and the next try goes to the end of the queue.
    ///
    /// A panic is not tried again. A lost worker is another matter, and takes no delay: see
    /// [`WorkerBuilder::max_attempts`](crate::fleet::WorkerBuilder::max_attempts).
    pub fn retry(mut self, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.defaults.retry = policy(delays);
        self
    }

    /// Submits the task, and waits until a worker has started it, or until it has its outcome.
    ///
    /// # Errors
    ///
    /// The server does not take the task: see [`EngineError`]. After [`EngineError::Timeout`] and
    /// [`EngineError::Disconnected`], it may have the task nevertheless: submit it again with the same id.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the task.
    pub async fn spawn(self) -> Result<JobHandle<O>, EngineError> {
        let (submitted, mut guard) = self.submit(true, Receipt::Unasked)?;
        let Submitted {
            mut handle,
            started,
        } = submitted;
        if let Some(started) = started {
            // An error says that the outcome was quicker.
            let _ = started.await;
        }
        guard.disarm();
        handle.refusal().map_or(Ok(handle), Err)
    }

    /// Submits the task, and waits until the server has stored it.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the task.
    pub async fn spawn_n(self) -> Result<JobHandle<O>, EngineError> {
        let (send, stored) = oneshot::channel();
        let (submitted, mut guard) = self.submit(false, Receipt::Single(send))?;
        stored.await.unwrap_or(Err(EngineError::Disconnected))?;
        guard.disarm();
        Ok(submitted.handle)
    }

    /// Submits the task, and waits for its outcome.
    ///
    /// # Errors
    ///
    /// The outcome of a task that has no result, or [`JobError::Engine`] if it was not taken.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the task.
    pub async fn exec(self) -> Result<O, JobError> {
        let (submitted, mut guard) = self.submit(false, Receipt::Unasked)?;
        let result = submitted.handle.await;
        guard.disarm();
        result
    }

    fn submit(
        self,
        notify: bool,
        receipt: Receipt,
    ) -> Result<(Submitted<O>, CancelOnDrop), EngineError> {
        let client = self.pool.inner.client.clone();
        let id = match self.id {
            Some(id) => check_name(id)?,
            None => client.new_id(),
        };
        let mut defaults = self.defaults;
        if let Some(group) = self.group {
            defaults.group = check_name(group)?;
        }
        let (mut guard, under_way) = CancelOnDrop::new(client, FenceKey::Id(id.clone()));
        let options = Options {
            id: Some(id),
            notify,
            receipt,
            under_way: Some(under_way),
            ..Options::default()
        };
        let submitted = self
            .pool
            .submit(self.job, self.arguments, &defaults, options)
            .inspect_err(|_| guard.disarm())?;
        Ok((submitted, guard))
    }
}

impl<A, O, C> fmt::Debug for TaskBuilder<'_, A, O, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskBuilder")
            .field("job", &self.job)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
