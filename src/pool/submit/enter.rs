use std::sync::Arc;

use crate::gate::{Demand, NodeId};
use crate::pool::AioPool;
use crate::pool::core::order::{Order, Patience};
use crate::pool::core::parts::record::TaskRecord;
use crate::pool::submit::rejected::Rejected;
use crate::task::{Body, Extras, JoinHandle, Shared};

/// How a boxed future becomes a task of the pool, for all verbs.
impl AioPool {
    /// Returns `true` if a task without options needs nothing but its future: the pool has no observer that hears of
    /// tasks.
    pub(crate) fn takes_bare_futures(&self) -> bool {
        self.core().settings.heard_by().is_none()
    }

    /// Submits a future with these extras and without options.
    #[track_caller]
    pub(crate) fn submit_bare<F, X>(&self, body: Box<Body<F, X>>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        X: Extras + 'static,
    {
        self.try_submit_bare(body)
            .unwrap_or_else(|rejected| rejected.into_handle(self.core()))
    }

    /// Does the same, and returns the parts of the task if the pool does not take it.
    #[inline]
    #[track_caller]
    pub(crate) fn try_submit_bare<F, X>(
        &self,
        mut body: Box<Body<F, X>>,
    ) -> Result<JoinHandle<F::Output>, Rejected<F, X>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        X: Extras + 'static,
    {
        let core = self.core();
        // As in `submit`, panic for a missing runtime before anything has changed.
        core.spawner();
        let mut shared = Arc::new(Shared::new());
        if self.node() == NodeId::ROOT && !core.settings.is_timed() {
            match core.submit_fast(&mut shared, body) {
                None => return Ok(JoinHandle::new(shared, self.inner.label.clone())),
                Some(returned) => body = returned,
            }
        }
        self.submit_body(shared, body, self.bare_order())
    }

    /// Returns the order with which a task without options is submitted now.
    #[track_caller]
    pub(crate) fn bare_order(&self) -> Order {
        Order {
            home: self.node(),
            demand: Demand::DEFAULT,
            record: self
                .core()
                .moment_of_submission()
                .map(TaskRecord::of_moment),
            blocks: None,
            patience: Patience::Park,
            label: self.inner.label.clone(),
        }
    }

    /// Submits a task. Returns its parts if the pool does not take it.
    #[track_caller]
    pub(crate) fn submit<F, X>(
        &self,
        body: Box<Body<F, X>>,
        order: Order,
    ) -> Result<JoinHandle<F::Output>, Rejected<F, X>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        X: Extras + 'static,
    {
        // A missing runtime is a mistake of the caller: panic before anything has changed.
        self.core().spawner();
        self.submit_body(Arc::new(Shared::new()), body, order)
    }

    fn submit_body<F, X>(
        &self,
        mut shared: Arc<Shared<F::Output>>,
        body: Box<Body<F, X>>,
        mut order: Order,
    ) -> Result<JoinHandle<F::Output>, Rejected<F, X>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        X: Extras + 'static,
    {
        self.refresh_room(order.patience);
        match self.core().submit(&mut shared, body, &mut order) {
            Ok(()) => Ok(JoinHandle::new(shared, order.label)),
            Err((refusal, body)) => Err(Rejected {
                refusal,
                shared,
                body,
                home: order.home,
                label: order.label,
            }),
        }
    }
}
