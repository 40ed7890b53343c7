//! For methods that pull their items, and must not pull an item whose task the pool then refuses.

use crate::gate::Demand;
use crate::pool::core::order::{Order, Patience};
use crate::pool::{AioPool, TaskBuilder};
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::{Announced, Body, Extras, JoinHandle, Start};

impl AioPool {
    /// Returns how many tasks of this pool can run at once: the smallest size of this pool and of all pools around it.
    pub(crate) fn capacity(&self) -> usize {
        let gate = &self.core().lock().gate;
        let sizes = gate.path(self.node()).map(|(node, _)| gate.size(node));
        sizes.min().unwrap_or(Self::UNBOUNDED)
    }

    /// Returns `true` if the queue of this pool, or of a pool around it, has a bound.
    pub(crate) fn is_bounded(&self) -> bool {
        self.inner.is_bounded
    }

    /// Returns `true` if a task could start at once, or wait within the bounds of this pool and of all pools around it.
    pub(crate) fn has_room(&self) -> bool {
        if !self.is_bounded() {
            return true;
        }
        let state = self.core().lock();
        state.may_wait(self.node()) || state.gate.has_room(self.node(), Demand::DEFAULT)
    }

    /// Gives back the starts of a rate whose interval is over, and ends the holds whose time is over, so that a new task
    /// that needs room is not refused for these.
    #[inline]
    pub(crate) fn refresh_room(&self, patience: Patience) {
        let core = self.core();
        let needs_room = patience == Patience::Try || self.is_bounded();
        if needs_room && core.watches_time.load(Relaxed) {
            let mut state = core.lock();
            state.look_for_starts(self.node());
            core.dispatch(state);
        }
    }

    /// Lets workers without a task stay idle for a moment: the next tasks come as soon as a result is read.
    pub(crate) fn expect_tasks(&self) {
        self.core().expecting.store(true, Relaxed);
    }

    /// Submits a future that waits even if the queue is full. Only for a pool that [takes bare
    /// futures](Self::takes_bare_futures).
    #[track_caller]
    pub(crate) fn line_up<F, X>(&self, future: F, extras: X) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        X: Extras + 'static,
    {
        let body = Body::boxed(future, extras);
        if !self.is_bounded() {
            return self.submit_bare(body);
        }
        let order = Order {
            patience: Patience::Stand,
            ..self.bare_order()
        };
        self.submit(body, order)
            .unwrap_or_else(|rejected| rejected.into_handle(self.core()))
    }

    /// Submits a future that waits even if the queue is full, to any pool. The handle is told when the task starts.
    #[track_caller]
    pub(crate) fn line_up_announced<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.takes_bare_futures() {
            self.line_up(future, Announced)
        } else {
            self.task(future).line_up(Start::Announced)
        }
    }
}

impl<F> TaskBuilder<'_, F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    /// Submits the task, which waits even if the queue is full.
    #[track_caller]
    pub(crate) fn line_up(self, start: Start) -> JoinHandle<F::Output> {
        let pool = self.pool();
        self.try_submit(start, Patience::Stand)
            .unwrap_or_else(|rejected| rejected.into_handle(pool.core()))
    }
}
