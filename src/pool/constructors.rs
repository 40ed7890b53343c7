use crate::pool::{AioPool, Builder};
use crate::spawner::Spawner;

/// Making a pool.
impl AioPool {
    /// A size without a bound: every task starts at once.
    pub const UNBOUNDED: usize = usize::MAX;

    /// Makes a pool that runs up to `size` tasks at once.
    ///
    /// A task starts on the runtime that it is submitted from: tokio inside a tokio context, otherwise smol, otherwise
    /// async-std, as the enabled features allow. So the pool may be made before its runtime, in a `static` for example,
    /// and may serve any number of runtimes that come and go: the end of a runtime ends the tasks that were submitted
    /// from it, and no others. A task that is submitted where there is no runtime starts on a runtime that the pool has
    /// used before.
    ///
    /// # Panics
    ///
    /// Panics if `size` is 0. To hold tasks back, [`pause`](Self::pause) the pool.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = aiopool::AioPool::new(8);
    /// assert_eq!(pool.size(), 8);
    /// ```
    #[track_caller]
    pub fn new(size: usize) -> Self {
        Self::built(Self::builder().size(size))
    }

    /// Makes a pool whose workers run on `spawner`.
    ///
    /// # Panics
    ///
    /// Panics if `size` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::{AioPool, Tokio};
    ///
    /// let runtime = tokio::runtime::Runtime::new().unwrap();
    /// let pool = AioPool::with_spawner(8, Tokio::handle(runtime.handle().clone()));
    /// let handle = pool.spawn_n(async { 1 }); // outside of the runtime
    /// assert_eq!(runtime.block_on(handle).unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn with_spawner(size: usize, spawner: impl Spawner) -> Self {
        Self::built(Self::builder().size(size).spawner(spawner))
    }

    /// Returns a [`Builder`], which makes a pool with more settings than a size.
    pub fn builder() -> Builder {
        Builder::new()
    }

    #[track_caller]
    fn built(builder: Builder) -> Self {
        match builder.build() {
            Ok(pool) => pool,
            Err(error) => panic!("{error}"),
        }
    }
}
