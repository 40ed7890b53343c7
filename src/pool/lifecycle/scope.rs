use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;

use crate::pool::AioPool;
use crate::pool::lifecycle::waiters::Goal;

impl AioPool {
    /// Runs `body` with a group of its own, and returns when the body and all tasks of the group have ended.
    ///
    /// Unlike in [`std::thread::scope`], the tasks cannot borrow from the caller: they are tasks of the runtime, and their
    /// futures have to be `'static` and `Send`, as for [`spawn`](Self::spawn). Only the body itself may borrow. Use
    /// [`run`](Self::run) for futures that borrow or are not `Send`, with `join_all` for several at once.
    ///
    /// This is structured concurrency: no task outlives the scope. The group has no name and no size: its tasks take
    /// only permits of this pool.
    ///
    /// Returns the value of the body. The results of the tasks are read from their handles.
    ///
    /// # Panics
    ///
    /// Passes a panic of the body on, after its tasks have been cancelled and have stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping this future drops the body and aborts its tasks.
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
        // The panic is passed on to the caller, so unwind safety is up to the caller.
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

/// Closes the group of a scope and aborts its tasks on drop, so that no task outlives the scope.
struct Scope(AioPool);

impl Drop for Scope {
    fn drop(&mut self) {
        self.0.close();
        self.0.abort_all();
    }
}
