use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::coop;
use crate::error::{Refusal, TrySpawnError};
use crate::gate::{Demand, NodeId};
use crate::pool::core::record::TaskRecord;
use crate::pool::core::{Patience, Runs, Terms};
use crate::pool::submit::extras::TaskExtras;
use crate::pool::{AioPool, Core, TaskBuilder};
use crate::task::{
    Announced, Body, Extras, JoinError, JoinHandle, NoExtras, Rejection, Shared, Start, TaskLabel,
};

/// Submitting one task.
impl AioPool {
    /// Spawns `future`, and waits until it has started.
    ///
    /// This gives backpressure: a loop that awaits it goes on as fast as tasks end. Once submitted, the task keeps its
    /// place in the queue, and starts when its turn comes, even if nothing polls this future at that moment.
    ///
    /// If the pool is closed, or its bounded queue is full, the returned handle is already finished, and its error is
    /// [rejected](JoinError::is_rejected).
    ///
    /// Use [`spawn_n`](Self::spawn_n) to continue without waiting, and [`exec`](Self::exec) to wait for the result.
    ///
    /// # Panics
    ///
    /// Panics if the pool has no runtime yet, and none is found.
    ///
    /// # Cancel safety
    ///
    /// The task is submitted at the first poll. If this future is dropped after that and before its end, it aborts the
    /// task, because nothing else has the handle.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let mut handles = Vec::new();
    /// for n in 0..100 {
    ///     handles.push(pool.spawn(async move { n * 2 }).await);
    /// }
    /// assert_eq!(handles.pop().unwrap().await.unwrap(), 198);
    /// # });
    /// ```
    pub fn spawn<F>(&self, future: F) -> impl Future<Output = JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // Box the future before the async block: otherwise a large future would move together with the one returned
        // here.
        let task = if self.takes_bare_futures() {
            Ok(Body::boxed(future, Announced))
        } else {
            Err(Body::boxed(future, TaskExtras::default()))
        };
        self.start(task)
    }

    /// Spawns `future`, and returns at once. If no permit is free, the task waits in the queue.
    ///
    /// The queue has no bound, unless [`max_waiting`](crate::pool::Builder::max_waiting) sets one. If the pool is closed, or
    /// its queue is full, the returned handle is already finished, and its error is [rejected](JoinError::is_rejected).
    ///
    /// # Panics
    ///
    /// Panics if the pool has no runtime yet, and none is found.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let handles: Vec<_> = (0..100).map(|n| pool.spawn_n(async move { n })).collect();
    /// let mut sum = 0;
    /// for handle in handles {
    ///     sum += handle.await.unwrap();
    /// }
    /// assert_eq!(sum, 4950);
    /// # });
    /// ```
    pub fn spawn_n<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.takes_bare_futures() {
            self.submit_bare(Body::boxed(future, NoExtras))
        } else {
            let body = Body::boxed(future, TaskExtras::default());
            TaskBuilder::new(self, body).submit(Start::Silent)
        }
    }

    /// Spawns `future` if the pool has room for it, and returns the future otherwise.
    ///
    /// The pool has room if the task can start at once, or if its queue has a bound
    /// ([`max_waiting`](crate::pool::Builder::max_waiting)) and is not full. A queue without a bound does not count as room,
    /// because it would never be full.
    ///
    /// # Errors
    ///
    /// Returns an error with the reason, [`Refusal::Full`] or [`Refusal::Closed`], and the future. No counter counts
    /// the attempt.
    ///
    /// # Panics
    ///
    /// Panics if the pool has no runtime yet, and none is found.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, Refusal};
    ///
    /// let pool = AioPool::new(1);
    /// let busy = pool.try_spawn(std::future::pending::<()>()).unwrap();
    /// let refused = pool.try_spawn(async { "later" }).unwrap_err();
    /// assert_eq!(refused.reason(), Refusal::Full);
    ///
    /// busy.cancel().await.unwrap_err();
    /// let handle = pool.try_spawn(refused.into_inner()).unwrap();
    /// assert_eq!(handle.await.unwrap(), "later");
    /// # });
    /// ```
    pub fn try_spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, TrySpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.takes_bare_futures() {
            self.submit(
                Body::boxed(future, NoExtras),
                self.bare_order(),
                Patience::Try,
            )
            .map_err(Rejected::refuse)
        } else {
            self.task(future).try_spawn()
        }
    }

    /// Spawns `future` and waits for its result. It is the same as [`spawn`](Self::spawn) followed by awaiting the
    /// handle.
    ///
    /// # Errors
    ///
    /// Returns the error of the [`JoinHandle`]: the task was cancelled, panicked, or was rejected.
    ///
    /// # Panics
    ///
    /// Panics if the pool has no runtime yet, and none is found.
    ///
    /// # Cancel safety
    ///
    /// Dropping this future aborts the task, because nothing could read its result.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// assert_eq!(pool.exec(async { 6 * 7 }).await.unwrap(), 42);
    /// # });
    /// ```
    pub fn exec<F>(&self, future: F) -> impl Future<Output = Result<F::Output, JoinError>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let spawning = self.spawn(future);
        async move { spawning.await.abort_on_drop().await }
    }

    /// Returns a [`TaskBuilder`] for `future`, which adds options to the task: a name, a priority, a weight, limits, or
    /// callbacks.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let slow = pool.task(std::future::pending::<()>()).name("slow").timeout(Duration::from_millis(1));
    /// let error = slow.exec().await.unwrap_err();
    /// assert!(error.is_timeout());
    /// assert_eq!(error.to_string(), "task slow timed out while running");
    /// # });
    /// ```
    pub fn task<F>(&self, future: F) -> TaskBuilder<'_, F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        TaskBuilder::new(self, Body::boxed(future, TaskExtras::default()))
    }

    /// Submits a boxed future, and waits until the task has started.
    async fn start<F>(&self, task: Result<Bare<F>, Full<F>>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let handle = match task {
            Ok(body) => self.submit_bare(body),
            Err(body) => TaskBuilder::new(self, body).submit(Start::Announced),
        };
        Starting::new(handle).await
    }

    /// Returns `true` if a task without options needs nothing but its future: the pool has no observer that hears of
    /// tasks.
    pub(crate) fn takes_bare_futures(&self) -> bool {
        self.core().settings.heard_by().is_none()
    }

    /// Submits a future with these extras and without options. Call it only if the pool [takes bare
    /// futures](Self::takes_bare_futures).
    #[track_caller]
    pub(crate) fn submit_bare<F, X>(&self, mut body: Box<Body<F, X>>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        X: Extras + 'static,
    {
        let core = self.core();
        // As in `submit`, panic for a missing runtime before anything has changed.
        core.spawner();
        let mut shared = Arc::new(Shared::new());
        if self.node() == NodeId::ROOT && !core.settings.timed {
            match core.submit_fast(&mut shared, body) {
                None => return JoinHandle::new(shared, self.inner.label.clone()),
                Some(returned) => body = returned,
            }
        }
        self.submit_body(shared, body, self.bare_order(), Patience::Park)
            .unwrap_or_else(|rejected| rejected.settle(core))
    }

    /// Returns the order with which a task without options is submitted.
    pub(crate) fn bare_order(&self) -> Order {
        Order {
            terms: Terms {
                home: self.node(),
                demand: Demand::DEFAULT,
                record: self.core().settings.timed.then(TaskRecord::of_now),
                runs: Runs::AtItsWorker,
            },
            label: self.inner.label.clone(),
        }
    }

    /// Submits a task. Returns its parts if the pool does not take it.
    #[track_caller]
    pub(crate) fn submit<F, X>(
        &self,
        body: Box<Body<F, X>>,
        order: Order,
        patience: Patience,
    ) -> Result<JoinHandle<F::Output>, Rejected<F, X>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        X: Extras + 'static,
    {
        // A missing runtime is a mistake of the caller: panic before anything has changed.
        self.core().spawner();
        self.submit_body(Arc::new(Shared::new()), body, order, patience)
    }

    fn submit_body<F, X>(
        &self,
        mut shared: Arc<Shared<F::Output>>,
        body: Box<Body<F, X>>,
        mut order: Order,
        patience: Patience,
    ) -> Result<JoinHandle<F::Output>, Rejected<F, X>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        X: Extras + 'static,
    {
        match self
            .core()
            .submit(&mut shared, body, &mut order.terms, patience)
        {
            Ok(()) => Ok(JoinHandle::new(shared, order.label)),
            Err((rejection, body)) => Err(Rejected {
                rejection,
                home: order.terms.home,
                shared,
                body,
                label: order.label,
            }),
        }
    }
}

type Bare<F> = Box<Body<F, Announced>>;

type Full<F> = Box<Body<F, TaskExtras>>;

/// What is submitted together with a future.
pub(crate) struct Order {
    pub(crate) terms: Terms,
    pub(crate) label: Arc<TaskLabel>,
}

/// A task that the pool did not take.
pub(crate) struct Rejected<F: Future, X> {
    rejection: Rejection,
    home: NodeId,
    shared: Arc<Shared<F::Output>>,
    body: Box<Body<F, X>>,
    label: Arc<TaskLabel>,
}

impl<F, X> Rejected<F, X>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    X: Extras + 'static,
{
    /// Completes the handle as rejected, and counts the task.
    pub(crate) fn settle(mut self, core: &Core) -> JoinHandle<F::Output> {
        core.reject(&mut self.shared, self.body, self.home, self.rejection);
        JoinHandle::new(self.shared, self.label)
    }

    /// Returns the future in an error, and counts nothing.
    pub(crate) fn refuse(self) -> TrySpawnError<F> {
        let reason = match self.rejection {
            Rejection::Closed => Refusal::Closed,
            Rejection::QueueFull | Rejection::TooHeavy | Rejection::RuntimeGone => Refusal::Full,
        };
        TrySpawnError::new(reason, self.body.into_future())
    }
}

/// Waits until a submitted task has started, and returns its handle. Dropped before that, it aborts the task.
pub(crate) struct Starting<T> {
    handle: Option<JoinHandle<T>>,
}

impl<T> Starting<T> {
    pub(crate) fn new(handle: JoinHandle<T>) -> Self {
        Self {
            handle: Some(handle),
        }
    }
}

impl<T> Future for Starting<T> {
    type Output = JoinHandle<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JoinHandle<T>> {
        coop::poll(cx, |cx| {
            let handle = self.handle.take().expect("polled after its end");
            if handle.poll_announced(cx).is_pending() {
                self.handle = Some(handle);
                return Poll::Pending;
            }
            Poll::Ready(handle)
        })
    }
}

impl<T> Drop for Starting<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}
