use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::coop;
use crate::gate::{Demand, NodeId};
use crate::pool::core::order::Patience;
use crate::pool::core::state::State;
use crate::pool::core::window::Stamp;
use crate::pool::{AioPool, Core, lend};
use crate::sync::MutexGuard;
use crate::wakes::Wakes;
use crate::worker::{self, WorkerShared};

/// Running in place: for code that cannot be a task.
impl AioPool {
    /// Runs `future` under a permit of this pool, in the caller's own task.
    ///
    /// This is the way to run what cannot be a task: a future that borrows, or that is not `Send`. For several of them
    /// at once, await `join_all` over calls of `run`, as in the example: they take turns in the caller's task, and no
    /// more of them have begun than the pool has permits.
    ///
    /// The future waits in the same queue as the tasks, and counts as waiting and active, but it is not a task: it has
    /// no number, is not listed, and is not cancelled. The pool's `join` waits for it. A pool that is closed or whose
    /// queue is full does not refuse it: it is the caller's own code, and runs there anyway.
    ///
    /// A task of this pool has a permit already: there the future just runs, unless this is inside of
    /// [`lend`](fn@lend). In a task that belongs to another group of the pool, this lends the permit of that task
    /// meanwhile. Outside of tasks, a future that awaits this pool from inside of `run` needs a second permit: there
    /// `run` does not lend the permit that it has.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped while it waits, it leaves the queue, and nothing of it is left. If it is dropped later, it
    /// drops the future, then gives the permit back. Unlike the permit of a task, this permit is given to a caller that
    /// has to be polled: do not hold it in a future that you have stopped polling.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let words = vec!["borrowed".to_owned()];
    /// let length = pool.run(async { words[0].len() }).await;
    /// assert_eq!(length, 8);
    /// # });
    /// ```
    ///
    /// Several futures that borrow, and are not `Send`:
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::cell::Cell;
    ///
    /// use futures::future::join_all;
    ///
    /// let pool = aiopool::AioPool::new(2);
    /// let (words, letters) = (["at", "most", "two", "at", "once"], Cell::new(0));
    /// let count = async |word: &str| letters.set(letters.get() + word.len());
    /// join_all(words.iter().map(|word| pool.run(count(word)))).await;
    /// assert_eq!(letters.get(), 15);
    /// # });
    /// ```
    pub async fn run<F: Future>(&self, future: F) -> F::Output {
        match self.core().covers_here(self.node()) {
            Some(true) => {
                coop::proceed().await;
                future.await
            }
            Some(false) => lend(self.run_in_place(future)).await,
            None => self.run_in_place(future).await,
        }
    }

    /// Waits for a permit of this pool, and holds it until the [`Permit`] is dropped.
    ///
    /// The caller waits in the same queue as the tasks. See [`run`](Self::run) for what that means, and use `run` if
    /// the work can be written as one future.
    ///
    /// A task of this pool that calls this holds two permits then. In a pool of size 1 it would wait forever.
    ///
    /// # Cancel safety
    ///
    /// If this is dropped while it waits, it leaves the queue, and nothing of it is left.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let permit = pool.acquire().await;
    /// let task = pool.spawn_n(async { "after" });
    /// assert_eq!((pool.active(), pool.waiting()), (1, 1));
    /// drop(permit);
    /// assert_eq!(task.await.unwrap(), "after");
    /// # });
    /// ```
    pub async fn acquire(&self) -> Permit {
        Acquire::new(self).await
    }

    /// Returns a permit of this pool if one is free now, and `None` otherwise.
    ///
    /// It takes no permit that a waiting task, or a caller that waits [in place](Self::run), could start with, and no
    /// start that a rate does not allow yet. In a paused pool no permit is free. A closed pool gives permits as
    /// [`acquire`](Self::acquire) does: the work is the caller's own. No counter counts the attempt.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let permit = pool.try_acquire().expect("it is free");
    /// assert!(pool.try_acquire().is_none());
    /// drop(permit);
    /// assert!(pool.try_acquire().is_some());
    /// # });
    /// ```
    pub fn try_acquire(&self) -> Option<Permit> {
        self.refresh_room(Patience::Try);
        let mut acquire = Acquire {
            pool: self,
            worker: Some(self.core().try_enqueue_in_place(self.node())?),
        };
        // If another thread has changed the pool meanwhile, `acquire` leaves the queue again.
        acquire.take()
    }

    async fn run_in_place<F: Future>(&self, future: F) -> F::Output {
        let mut permit = self.acquire().await;
        let mut future = pin!(future);
        let output = poll_fn(|cx| {
            let polled = future.as_mut().poll(cx);
            permit.recount();
            polled
        });
        output.await
    }
}

/// A permit that the caller holds. Returned by [`AioPool::acquire`].
#[must_use = "dropping it gives the permit back"]
pub struct Permit {
    core: Arc<Core>,
    worker: Arc<WorkerShared>,
    /// In a pool with a rate, the start that is to be counted again when the future under the permit has been polled.
    stamp: Option<Stamp>,
}

/// Waits in the queue for a permit.
struct Acquire<'p> {
    pool: &'p AioPool,
    /// `None` before the first poll, and after the permit was taken.
    worker: Option<Arc<WorkerShared>>,
}

/// Whether the caller has seen the permit, and so made a start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Yes,
    No,
}

impl<'p> Acquire<'p> {
    fn new(pool: &'p AioPool) -> Self {
        Self { pool, worker: None }
    }

    fn worker(&mut self) -> &WorkerShared {
        let new = || self.pool.core().enqueue_in_place(self.pool.node());
        self.worker.get_or_insert_with(new)
    }

    fn take(&mut self) -> Option<Permit> {
        let is_there =
            |worker: &mut Arc<WorkerShared>| worker.permit() == worker::PermitState::Held;
        let worker = self.worker.take_if(is_there)?;
        let core = self.pool.core().me();
        let stamp = core.count_start();
        Some(Permit {
            core,
            worker,
            stamp,
        })
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
    fn enqueue_in_place(&self, node: NodeId) -> Arc<WorkerShared> {
        let worker = Arc::new(WorkerShared::new(self.me(), None));
        self.enter_queue(self.lock(), node, worker)
    }

    fn enter_queue(
        &self,
        mut state: MutexGuard<'_, State>,
        node: NodeId,
        worker: Arc<WorkerShared>,
    ) -> Arc<WorkerShared> {
        if state.enqueue_in_place(node, &worker) {
            self.dispatch(state);
        }
        worker
    }

    /// Puts a caller into the queue if it finds a permit and need not wait for others.
    fn try_enqueue_in_place(&self, node: NodeId) -> Option<Arc<WorkerShared>> {
        let worker = Arc::new(WorkerShared::new(self.me(), None));
        let state = self.lock();
        if !state.gate.has_room(node, Demand::DEFAULT) {
            return None;
        }
        Some(self.enter_queue(state, node, worker))
    }

    /// Removes a caller that runs in place, or that was about to.
    fn step_out(&self, worker: &WorkerShared, taken: Taken) {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        // The caller has never seen its permit: the start that came with it was not used.
        if taken == Taken::No && worker.permit() == worker::PermitState::Held {
            self.give_start_back();
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

    /// Returns `true` if the task that is polled here has a permit of this node, and `None` if no task here has a
    /// permit to lend.
    fn covers_here(&self, node: NodeId) -> Option<bool> {
        let worker = self.running_here()?;
        let is_lending = worker.is_nested() && worker.nested_waits().is_lending();
        if is_lending || worker.permit() != worker::PermitState::Held {
            return None;
        }
        let state = self.lock();
        let home = state.gate.home(worker.slot());
        Some(state.gate.path(home).any(|(at, _)| at == node))
    }
}

impl Permit {
    /// Counts the start again, at the end of the first poll under the permit.
    fn recount(&mut self) {
        if let Some(stamp) = self.stamp.take() {
            self.core.recount_start(stamp);
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
        self.core.step_out(&self.worker, Taken::Yes);
    }
}
