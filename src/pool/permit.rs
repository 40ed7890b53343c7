#[cfg(feature = "tower")]
mod refusable;

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::coop;
use crate::gate::{Demand, NodeId};
use crate::pool::core::starts::Stamps;
use crate::pool::core::state::State;
use crate::pool::{AioPool, Core};
use crate::sync::MutexGuard;
use crate::wakes::Wakes;
use crate::worker::{self, WorkerShared};

/// A permit that the caller holds. Returned by [`AioPool::acquire`] and [`PermitBuilder::acquire`](crate::PermitBuilder::acquire).
///
/// Acquired with a [`weight`](crate::PermitBuilder::weight), it stands for that many permits.
#[must_use = "dropping it gives the permit back"]
pub struct Permit {
    worker: Arc<WorkerShared>,
    /// Where there is a rate, the start that is to be counted again when the future under the permit has been polled.
    stamps: Option<Stamps>,
}

/// Waits in the queue for a permit.
pub(super) struct Acquire<'p> {
    pool: &'p AioPool,
    demand: Demand,
    /// `None` before the first poll, and after the permit was taken.
    worker: Option<Arc<WorkerShared>>,
}

/// Whether the caller has seen the permit, and so made a start.
#[derive(Clone, Copy)]
enum Taken {
    Yes,
    No,
}

impl<'p> Acquire<'p> {
    pub(super) fn new(pool: &'p AioPool, demand: Demand) -> Self {
        Self {
            pool,
            demand,
            worker: None,
        }
    }

    /// Takes the permit if it is there without a wait.
    pub(super) fn attempt(mut self) -> Option<Permit> {
        let (core, node) = (self.pool.core(), self.pool.node());
        self.worker = Some(core.try_enqueue_in_place(node, self.demand)?);
        // If another thread has changed the pool meanwhile, `self` leaves the queue again when it is dropped.
        self.take()
    }

    /// Waits for the permit, and runs `future` under it.
    pub(super) async fn run<F: Future>(self, future: F) -> F::Output {
        let mut permit = self.await;
        let mut future = pin!(future);
        let output = poll_fn(|cx| {
            let polled = future.as_mut().poll(cx);
            permit.recount();
            polled
        });
        output.await
    }

    fn worker(&mut self) -> &WorkerShared {
        let (core, node) = (self.pool.core(), self.pool.node());
        let new = || core.enqueue_in_place(node, self.demand);
        self.worker.get_or_insert_with(new)
    }

    fn take(&mut self) -> Option<Permit> {
        let is_there =
            |worker: &mut Arc<WorkerShared>| worker.permit() == worker::PermitState::Held;
        let worker = self.worker.take_if(is_there)?;
        let stamps = self.pool.core().count_start_of(worker.slot());
        Some(Permit { worker, stamps })
    }
}

impl Future for Acquire<'_> {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        // The caller enters the queue at its first poll, even if `coop::poll` yields before it runs the closure.
        self.worker();
        coop::poll(cx, |cx| {
            if self.worker().permit() != worker::PermitState::Held {
                self.worker().watch(cx.waker().clone());
            }
            // The permit may have come before there was a waker to wake.
            self.take().map_or(Poll::Pending, Poll::Ready)
        })
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            self.pool.core().step_out(worker, Taken::No);
        }
    }
}

impl Core {
    /// Puts a caller into the queue that needs no worker. If a permit is free on the fast path, the caller gets it at
    /// once.
    fn enqueue_in_place(self: &Arc<Self>, node: NodeId, demand: Demand) -> Arc<WorkerShared> {
        let worker = Arc::new(WorkerShared::new(self.clone(), None));
        self.enter_queue(self.lock(), node, demand, worker)
    }

    #[inline]
    fn enter_queue(
        &self,
        mut state: MutexGuard<'_, State>,
        node: NodeId,
        demand: Demand,
        worker: Arc<WorkerShared>,
    ) -> Arc<WorkerShared> {
        if state.enqueue_in_place(node, demand, &worker) {
            self.dispatch(state);
        }
        worker
    }

    /// Puts a caller into the queue if it finds a permit and need not wait for others.
    fn try_enqueue_in_place(
        self: &Arc<Self>,
        node: NodeId,
        demand: Demand,
    ) -> Option<Arc<WorkerShared>> {
        let worker = Arc::new(WorkerShared::new(self.clone(), None));
        let state = self.lock();
        if !state.gate.has_room(node, demand) {
            return None;
        }
        Some(self.enter_queue(state, node, demand, worker))
    }

    /// Removes a caller that runs in place, or that was about to.
    fn step_out(&self, worker: &WorkerShared, taken: Taken) {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        match taken {
            // A future that is dropped before the end of its first poll does not count its start again.
            Taken::Yes => state.rates.forget_first_poll(worker.slot()),
            // The caller has never seen its permit: the start that came with it was not used.
            Taken::No if worker.permit() == worker::PermitState::Held => {
                state.give_back_start_of(worker.slot());
            }
            Taken::No => {}
        }
        let (worker, home) = match state.gate.finish_last(worker.slot()) {
            Some(worker) => (worker, NodeId::ROOT),
            None => state.gate.leave(worker.slot()),
        };
        state.left(home, &mut wakes);
        self.dispatch(state);
        wakes.wake();
        drop(worker);
    }

    /// Returns `true` if the task that is polled here has so many permits of this node, and `None` if no task here has
    /// a permit to lend.
    pub(super) fn covers_here(&self, node: NodeId, weight: usize) -> Option<bool> {
        let worker = self.running_here()?;
        let is_lending = worker.is_nested() && worker.nested_waits().is_lending();
        if is_lending || worker.permit() != worker::PermitState::Held {
            return None;
        }
        let state = self.lock();
        let (home, held) = (
            state.gate.home(worker.slot()),
            state.gate.demand(worker.slot()),
        );
        let is_enough = weight <= held.weight;
        Some(is_enough && state.gate.path(home).any(|(at, _)| at == node))
    }
}

impl Permit {
    /// Counts the start again, at the end of the first poll under the permit.
    fn recount(&mut self) {
        if let (Some(stamps), Some(core)) = (self.stamps.take(), Core::of(&self.worker)) {
            core.recount_start(stamps, self.worker.slot());
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(core) = Core::of(&self.worker) {
            core.step_out(&self.worker, Taken::Yes);
        }
    }
}
