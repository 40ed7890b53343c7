use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::defaults::{Defaults, policy};
use super::{FleetPool, Inner, JobHandle, TaskBuilder};
use crate::fleet::error::{EngineError, JobError};
use crate::fleet::job::{Codec, Job};
use crate::fleet::wire::check_name;

/// Submitting one task.
impl FleetPool {
    /// Submits a task, and waits until a worker has started it: backpressure, as of
    /// [`AioPool::spawn`](crate::AioPool::spawn).
    ///
    /// # Errors
    ///
    /// The server does not take the task: see [`EngineError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the task.
    pub async fn spawn<A, O, C>(
        &self,
        job: Job<A, O, C>,
        arguments: &A,
    ) -> Result<JobHandle<O>, EngineError>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
    {
        self.task(job, arguments).spawn().await
    }

    /// Submits a task, and waits until the server has stored it. Tasks start in the order in which these calls are
    /// first polled, over all clients in the order of their arrival.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the task.
    pub async fn spawn_n<A, O, C>(
        &self,
        job: Job<A, O, C>,
        arguments: &A,
    ) -> Result<JobHandle<O>, EngineError>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
    {
        self.task(job, arguments).spawn_n().await
    }

    /// Submits a task, and waits for its result.
    ///
    /// # Errors
    ///
    /// The outcome of a task that has no result, or [`JobError::Engine`] if it was not taken.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the task.
    pub async fn exec<A, O, C>(&self, job: Job<A, O, C>, arguments: &A) -> Result<O, JobError>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
    {
        self.task(job, arguments).exec().await
    }

    /// Starts to describe a task with options.
    pub fn task<'t, A, O, C>(
        &'t self,
        job: Job<A, O, C>,
        arguments: &'t A,
    ) -> TaskBuilder<'t, A, O, C>
    where
        A: Serialize,
        O: DeserializeOwned,
        C: Codec,
    {
        TaskBuilder::new(self, job, arguments)
    }

    /// Returns a handle to a task that was submitted before, by this client or another one: if several tasks have had
    /// this id, to the last one. The job says of which type the result is; it is not compared.
    ///
    /// The handle says [`JobError::NotFound`] if there is neither a task nor an outcome.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidName`] if `id` cannot be one.
    pub fn attach<A, O, C>(
        &self,
        job: Job<A, O, C>,
        id: impl Into<String>,
    ) -> Result<JobHandle<O>, EngineError>
    where
        O: DeserializeOwned,
        C: Codec,
    {
        let _ = job;
        let id = check_name(id)?;
        let client = self.inner.client.clone();
        let outcome = client.attach(id.clone());
        Ok(JobHandle::new(id, outcome, C::decode::<O>, client))
    }
}

/// Handles whose tasks have something in common.
impl FleetPool {
    /// Returns a handle whose tasks belong to the group `name`, so that [`cancel_group`](Self::cancel_group) stops them
    /// all. A group is a name and has no size of its own. Other clients may use the same one.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidName`].
    pub fn group(&self, name: impl Into<String>) -> Result<Self, EngineError> {
        let group = check_name(name)?;
        Ok(self.with(|defaults| defaults.group = group))
    }

    /// Returns the group of this handle's tasks. Without [`group`](Self::group), it is one of this client alone.
    pub fn group_name(&self) -> &str {
        &self.inner.defaults.group
    }

    /// Returns a handle whose tasks are tried again: see [`TaskBuilder::retry`].
    #[must_use = "it returns another handle"]
    pub fn retrying(&self, delays: impl IntoIterator<Item = Duration>) -> Self {
        let retry = policy(delays);
        self.with(|defaults| defaults.retry = retry)
    }

    /// Returns a handle whose tasks have to end within `time` after their submission: see [`TaskBuilder::deadline`].
    #[must_use = "it returns another handle"]
    pub fn with_deadline(&self, time: Duration) -> Self {
        self.with(|defaults| defaults.deadline = Some(time))
    }

    fn with(&self, change: impl FnOnce(&mut Defaults)) -> Self {
        let mut defaults = self.inner.defaults.clone();
        change(&mut defaults);
        let inner = Inner {
            client: self.inner.client.clone(),
            name: self.inner.name.clone(),
            defaults,
            closed: self.inner.closed.clone(),
            size: AtomicUsize::new(self.inner.size.load(Ordering::Relaxed)),
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}
