use crate::pool::submit::blocking_work::BlockingWork;
use crate::pool::{AioPool, TaskBuilder};
use crate::task::JoinHandle;

impl AioPool {
    /// Spawns work that blocks its thread. If no permit is free, the work waits in the queue.
    ///
    /// The work runs where the runtime has room for it, and holds its permit until it returns, whatever is dropped
    /// meanwhile. If it is aborted before it starts, it never runs. If it is aborted later, it runs on to its end, and
    /// its value wins: code cannot be stopped from outside. The work may check
    /// [`Current::is_aborted`](crate::Current::is_aborted) now and then, and return early.
    ///
    /// Use [`task_blocking`](Self::task_blocking) to give the work a name, a priority, or other options.
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
    /// let manifest = pool.spawn_blocking(|| std::fs::read_to_string("Cargo.toml"));
    /// assert!(manifest.await.unwrap().unwrap().contains("aiopool"));
    /// # });
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.task_blocking(work).spawn_n()
    }

    /// Returns a [`TaskBuilder`] for work that blocks its thread, which adds options to it. The work runs as for
    /// [`spawn_blocking`](Self::spawn_blocking).
    ///
    /// A [`timeout`](TaskBuilder::timeout) or a [`grace`](TaskBuilder::grace) changes nothing for the work itself, since
    /// code cannot be stopped from outside. It applies to what [follows](TaskBuilder::then) the work at a worker.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let read = pool.task_blocking(|| std::fs::read_to_string("Cargo.toml"));
    /// let read = read.name("manifest").priority(1).wait_timeout(Duration::from_secs(60));
    /// assert!(read.exec().await.unwrap().unwrap().contains("aiopool"));
    /// # });
    /// ```
    #[track_caller]
    pub fn task_blocking<F, T>(&self, work: F) -> TaskBuilder<'_, BlockingWork<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.task(BlockingWork::new(work)).blocking()
    }
}
