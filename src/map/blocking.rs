use std::sync::Arc;

use crate::error::TryMapError;
use crate::pool::AioPool;
use crate::task::{JoinError, JoinHandle, Start};

/// Methods that run much work that blocks.
impl AioPool {
    /// Runs `f` for each item where it may block, and returns all results, in the order of the items.
    ///
    /// This is [`map`](Self::map) for work that blocks its thread: items are pulled as permits become free, and `f` runs
    /// on several threads at once, as many as the pool has permits. Each call holds its permit until it returns, as for
    /// [`spawn_blocking`](Self::spawn_blocking).
    ///
    /// # Panics
    ///
    /// Passes on a panic of `items`. A panic of `f` is the result of its item.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future lets no more calls begin. The calls that run go on to their end, and hold their permits.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let files = ["Cargo.toml", "README.md"];
    /// let lengths = pool.map_blocking(files, |path| std::fs::read(path).map(|bytes| bytes.len()));
    /// for length in lengths.await {
    ///     assert!(length.unwrap().unwrap() > 0);
    /// }
    /// # });
    /// ```
    pub async fn map_blocking<I, F, T>(&self, items: I, f: F) -> Vec<Result<T, JoinError>>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        let submit = self.line_up_blocking(f);
        self.run_all(&mut items.into_iter(), submit).await
    }

    /// Runs `f` for each item where it may block, and returns the values of all calls, in the order of the items, or
    /// the first failure.
    ///
    /// This is [`try_map`](Self::try_map) for work that blocks its thread. After the first failure no more items are
    /// pulled, and calls that wait for a permit are cancelled. Calls that run go on to their end, and this waits for
    /// them.
    ///
    /// # Errors
    ///
    /// Returns [`TryMapError::Task`] with the first `Err`, or [`TryMapError::Join`] for a call without a result.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `items`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future lets no more calls begin. The calls that run go on to their end, and hold their permits.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let files = ["Cargo.toml", "README.md"];
    /// let texts = pool.try_map_blocking(files, std::fs::read_to_string).await.unwrap();
    /// assert!(texts[0].contains("aiopool"));
    /// assert!(pool.try_map_blocking(["no such file"], std::fs::read).await.is_err());
    /// # });
    /// ```
    pub async fn try_map_blocking<I, F, T, E>(
        &self,
        items: I,
        f: F,
    ) -> Result<Vec<T>, TryMapError<E>>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let submit = self.line_up_blocking(f);
        self.try_all(&mut items.into_iter(), submit).await
    }

    /// Returns a function that submits a call of `f`, which waits even if the queue is full.
    fn line_up_blocking<A, T>(
        &self,
        f: impl Fn(A) -> T + Send + Sync + 'static,
    ) -> impl FnMut(A) -> JoinHandle<T>
    where
        A: Send + 'static,
        T: Send + 'static,
    {
        let f = Arc::new(f);
        move |item| {
            let f = f.clone();
            self.task_blocking(move || f(item))
                .line_up(Start::Announced)
        }
    }
}
