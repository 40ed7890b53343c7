use std::panic::Location;

use crate::error::TrySpawnError;
use crate::observe::Origin;
use crate::pool::core::order::{Order, Patience};
use crate::pool::submit::extras::TaskExtras;
use crate::pool::submit::rejected::Rejected;
use crate::pool::submit::starting::Starting;
use crate::pool::submit::watched::Watched;
use crate::pool::{AioPool, TaskBuilder};
use crate::task::{Announced, Body, JoinError, JoinHandle, NoExtras, Start};

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
    /// As any future, the returned one does nothing before it is polled: `let _ = pool.spawn(future)` submits nothing. The
    /// compiler does not warn of such a `let _`, but clippy does (`let_underscore_future`).
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
    #[must_use = "it submits nothing before it is awaited: `spawn_n` submits at once"]
    #[track_caller]
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
            Err(Body::boxed(future, Watched::default()))
        };
        self.start(task, Location::caller())
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
    #[track_caller]
    pub fn spawn_n<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_n_at(Location::caller(), future)
    }

    /// Does the same for a caller at this place.
    #[inline]
    #[track_caller]
    pub(crate) fn spawn_n_at<F>(
        &self,
        location: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.takes_bare_futures() {
            return self.submit_bare(Body::boxed(future, NoExtras));
        }
        let body = Body::boxed(future, Watched::default());
        let origin = Origin {
            location,
            is_awaited: false,
        };
        self.submit_watched(body, Start::Silent, origin)
    }

    /// Spawns `future` if the pool has room for it, and returns the future otherwise.
    ///
    /// The pool has room if the task can start at once, or if its queue has a bound
    /// ([`max_waiting`](crate::pool::Builder::max_waiting)) and is not full. A queue without a bound does not count as room,
    /// because it would never be full.
    ///
    /// # Errors
    ///
    /// Returns an error with the [reason](crate::Refusal) and the future. The attempt counts as
    /// [`refused`](crate::Stats::refused), and not as a task.
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
    #[track_caller]
    pub fn try_spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, TrySpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.takes_bare_futures() {
            let order = Order {
                patience: Patience::Try,
                ..self.bare_order()
            };
            self.submit(Body::boxed(future, NoExtras), order)
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
    #[must_use = "it submits nothing before it is awaited: `spawn_n` submits at once"]
    #[track_caller]
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
    #[track_caller]
    pub fn task<F>(&self, future: F) -> TaskBuilder<'_, F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        TaskBuilder::new(self, Body::boxed(future, TaskExtras::default()))
    }

    /// Submits a boxed future, and waits until the task has started.
    async fn start<F>(
        &self,
        task: Result<Boxed<F, Announced>, Boxed<F, Watched>>,
        location: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let handle = match task {
            Ok(body) => self.submit_bare(body),
            Err(body) => {
                let origin = Origin {
                    location,
                    is_awaited: true,
                };
                self.submit_watched(body, Start::Announced, origin)
            }
        };
        Starting::new(handle).await
    }
}

type Boxed<F, X> = Box<Body<F, X>>;
