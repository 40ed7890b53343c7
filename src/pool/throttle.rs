use crate::pool::AioPool;

impl AioPool {
    /// Waits for a start of the [rate](crate::Builder::rate) of this pool or group, and takes it.
    ///
    /// The rate counts starts of tasks. A task that sends several requests calls this before each further one, so that
    /// the rate counts what the server sees. Code outside of tasks may call it too. A
    /// [`retry`](crate::TaskBuilder::retry) does it by itself. In a group it takes a start of the group's own
    /// [rate](crate::GroupBuilder::rate) and of each rate around it. A caller whose group has no start left holds up no
    /// others.
    ///
    /// Callers get their starts in the order of their calls, before all tasks that have not started: what has begun is
    /// finished first. So a pool starts no task as long as callers of this use up its rate. No interval sees more
    /// starts than the rate allows, of tasks and of callers together. A pause or a [`hold`](Self::hold) concerns tasks
    /// that have not started, and no caller of this.
    ///
    /// A task that waits here lends its permit, as in every wait for its own pool: see [nested
    /// use](crate::AioPool#nested-use). Its start counts from the moment when it has its permit again, and goes on. Where
    /// neither this pool or group nor a pool around it has a rate, this is ready at once.
    ///
    /// # Panics
    ///
    /// Panics if there is a rate, the pool has no runtime yet, and none is found.
    ///
    /// # Cancel safety
    ///
    /// If this future is dropped before it is ready, it takes no start.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::{Duration, Instant};
    ///
    /// let interval = Duration::from_millis(20);
    /// let pool = aiopool::AioPool::builder().size(4).rate(2, interval).build().unwrap();
    /// let begun = Instant::now();
    /// let inner = pool.clone();
    /// let pages = pool.exec(async move {
    ///     for _page in 1..4 {
    ///         inner.throttle().await; // the start of the task was for the first page
    ///     }
    /// });
    /// pages.await.unwrap();
    /// assert!(begun.elapsed() >= interval);
    /// # });
    /// ```
    pub async fn throttle(&self) {
        self.core().throttle(self.node()).await;
    }
}
