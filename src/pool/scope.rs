use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;

use super::AioPool;
use super::waiters::Goal;

impl AioPool {
    /// Runs `body` with a group of its own, and returns when that and all its tasks have ended.
    ///
    /// The group has no name and no size: its tasks take permits of this pool alone. Structured concurrency:
    /// no task outlives the scope.
    ///
    /// The scope ends with the value of the body. Results of tasks are read from their handles.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the body, after its tasks have been cancelled and have stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the body and aborts its tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let first = pool
    ///     .scope(async |tasks| {
    ///         tasks.map_n(0..10, |n| async move { n });
    ///         tasks.exec(async { "first" }).await.unwrap()
    ///     })
    ///     .await;
    /// assert_eq!((first, pool.stats().completed), ("first", 11));
    /// # });
    /// ```
    pub async fn scope<R, Fut>(&self, body: impl FnOnce(AioPool) -> Fut) -> R
    where
        Fut: Future<Output = R>,
    {
        let scope = Scope(self.nameless_group());
        let tasks = scope.0.clone();
        // Unwind safety is the caller's, to whom the panic is passed on.
        let body = AssertUnwindSafe(async { body(tasks).await });
        match body.catch_unwind().await {
            Ok(result) => {
                scope.0.until(Goal::Idle).for_all().await;
                result
            }
            Err(payload) => {
                scope.0.close();
                scope.0.cancel_all().await;
                resume_unwind(payload)
            }
        }
    }
}

/// Lets no task outlive it.
struct Scope(AioPool);

impl Drop for Scope {
    fn drop(&mut self) {
        self.0.close();
        self.0.abort_all();
    }
}
