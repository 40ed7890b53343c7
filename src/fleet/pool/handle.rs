use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::progress::Progress;
use crate::fleet::error::{EngineError, JobError};
use crate::fleet::nats::{Client, Settled};
use crate::fleet::wire::{FenceKey, Outcome};

/// The result of a task to come: a future, and ways to stop the task.
///
/// The future resolves once, with the result or the reason why there is none. It needs no runtime.
///
/// Dropping the handle detaches the task: it runs on, and its outcome stays at the server for as long as the pool
/// [keeps results](super::FleetBuilder::keep_results). [`FleetPool::attach`](super::FleetPool::attach) makes a new
/// handle of the id.
pub struct JobHandle<T> {
    id: String,
    outcome: oneshot::Receiver<Settled>,
    settled: Option<Settled>,
    decode: fn(&[u8]) -> Result<T, String>,
    client: Arc<Client>,
}

impl<T> JobHandle<T> {
    pub(super) fn new(
        id: String,
        outcome: oneshot::Receiver<Settled>,
        decode: fn(&[u8]) -> Result<T, String>,
        client: Arc<Client>,
    ) -> Self {
        Self {
            id,
            outcome,
            settled: None,
            decode,
            client,
        }
    }

    /// Returns the id of the task.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns `true` if the outcome is here, so that the future resolves at once.
    pub fn is_finished(&mut self) -> bool {
        self.look();
        self.settled.is_some()
    }

    /// Cancels the task, and waits for its outcome, which may still be a result.
    ///
    /// # Errors
    ///
    /// [`JobError::Cancelled`] if the task was stopped, and any other outcome that was quicker.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the handle. The task is cancelled if the server has the request by then.
    pub async fn cancel(self) -> Result<T, JobError> {
        self.client.cancel(FenceKey::Id(self.id.clone())).await?;
        self.await
    }

    /// Returns the values that the task reports with [`Run::progress`](crate::fleet::Run::progress) from now on. The
    /// stream ends with the task.
    ///
    /// Values are JSON of the type `P`; others are left out. Up to 64 of them wait until they are read, and those that
    /// come then are lost.
    pub fn progress<P: DeserializeOwned>(&self) -> Progress<P> {
        Progress::new(self.client.progress(&self.id))
    }

    /// Returns the reason why the server has not taken the task, if that is known.
    pub(super) fn refusal(&mut self) -> Option<EngineError> {
        self.look();
        match &self.settled {
            Some(Err(error)) => Some(error.clone()),
            _ => None,
        }
    }

    fn look(&mut self) {
        if self.settled.is_none() {
            self.settled = self.outcome.try_recv().ok();
        }
    }

    fn result_of(&self, settled: Settled) -> Result<T, JobError> {
        match settled {
            Ok(Outcome::Done(result)) => (self.decode)(&result).map_err(JobError::Decode),
            Ok(Outcome::Failed(failure)) => Err(failure.into()),
            Err(error) => Err(error.into()),
        }
    }
}

impl<T> Unpin for JobHandle<T> {}

impl<T> Future for JobHandle<T> {
    type Output = Result<T, JobError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let settled = match this.settled.take() {
            Some(settled) => settled,
            None => match Pin::new(&mut this.outcome).poll(cx) {
                Poll::Ready(settled) => settled.unwrap_or(Err(EngineError::Disconnected)),
                Poll::Pending => return Poll::Pending,
            },
        };
        Poll::Ready(this.result_of(settled))
    }
}

impl<T> fmt::Debug for JobHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<T> Drop for JobHandle<T> {
    fn drop(&mut self) {
        self.outcome.close();
        self.client.forget(&self.id);
    }
}
