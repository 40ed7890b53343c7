//! Waiting for a permit in place, in a queue that may refuse the caller.

use std::sync::Arc;

use super::Acquire;
use crate::gate::{Demand, NodeId};
use crate::pool::core::order::Patience;
use crate::pool::{AioPool, Core};
use crate::task::Refusal;
use crate::worker::WorkerShared;

impl AioPool {
    /// Runs `future` as [`run`](Self::run) does, if the pool would accept a task now.
    ///
    /// In a task of this pool the future is never refused, since it runs under the permit of the task.
    pub(crate) async fn run_unless_refused<F: Future>(
        &self,
        future: F,
    ) -> Result<F::Output, Refusal> {
        let demand = Demand::DEFAULT;
        let is_in_task = self.core().covers_here(self.node(), demand.weight);
        if is_in_task.is_some() {
            return Ok(self.run(future).await);
        }
        self.refresh_room(Patience::Park);
        let acquire = Acquire::new(self, demand).unless_refused()?;
        Ok(acquire.run(future).await)
    }
}

impl Acquire<'_> {
    /// Enters the queue now, unless the pool is closed or the queue is full.
    fn unless_refused(mut self) -> Result<Self, Refusal> {
        let (core, node) = (self.pool.core(), self.pool.node());
        self.worker = Some(core.enqueue_unless_refused(node, self.demand)?);
        Ok(self)
    }
}

impl Core {
    fn enqueue_unless_refused(
        &self,
        node: NodeId,
        demand: Demand,
    ) -> Result<Arc<WorkerShared>, Refusal> {
        let worker = Arc::new(WorkerShared::new(self.me(), None));
        let state = self.lock();
        match self.refusal(&state, node, demand, Patience::Park) {
            None => Ok(self.enter_queue(state, node, demand, worker)),
            Some(refusal) => Err(refusal),
        }
    }
}
