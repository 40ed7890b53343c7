use std::sync::Arc;

use crate::error::TrySpawnError;
use crate::gate::NodeId;
use crate::pool::Core;
use crate::task::{Body, Extras, JoinHandle, Refusal, Shared, TaskLabel};

/// A task that the pool did not take.
pub(crate) struct Rejected<F: Future, X> {
    pub(super) refusal: Refusal,
    pub(super) shared: Arc<Shared<F::Output>>,
    pub(super) body: Box<Body<F, X>>,
    pub(super) home: NodeId,
    pub(super) label: Arc<TaskLabel>,
}

impl<F, X> Rejected<F, X>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    X: Extras + 'static,
{
    /// Completes the handle as rejected, and counts the task.
    pub(crate) fn into_handle(mut self, core: &Core) -> JoinHandle<F::Output> {
        core.reject(&mut self.shared, self.body, self.home, self.refusal);
        JoinHandle::new(self.shared, self.label)
    }

    /// Returns the future in an error, and counts nothing.
    pub(crate) fn refuse(self) -> TrySpawnError<F> {
        TrySpawnError::new(self.refusal, self.body.into_future())
    }
}
