use crate::coop;
use crate::gate::Demand;
use crate::pool::core::order::Patience;
use crate::pool::permit::{Acquire, Permit};
use crate::pool::{AioPool, lend};

/// Runs code in place with a weight and a priority. Returned by [`AioPool::permit`].
///
/// Dropping it has no effect: the caller enters the queue when the future of [`acquire`](Self::acquire) or
/// [`run`](Self::run) is first polled.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let megabytes = aiopool::AioPool::new(100);
/// let image = megabytes.permit().weight(60).acquire().await;
/// assert!(megabytes.permit().weight(50).try_acquire().is_none());
/// drop(image);
/// assert!(megabytes.permit().weight(50).try_acquire().is_some());
/// # });
/// ```
#[must_use = "it does nothing before `acquire`, `run` or `try_acquire` is called"]
#[derive(Clone, Copy, Debug)]
pub struct PermitBuilder<'p> {
    pool: &'p AioPool,
    demand: Demand,
}

impl<'p> PermitBuilder<'p> {
    pub(super) fn new(pool: &'p AioPool) -> Self {
        Self {
            pool,
            demand: Demand::DEFAULT,
        }
    }

    /// Sets how many permits the caller takes, of the pool and of each pool around it. The default is 1.
    ///
    /// No task or caller of the same priority overtakes the caller while it waits for its permits. The caller is never
    /// refused: if it is heavier than a pool, it waits until nothing else holds a permit of that pool, then has the pool
    /// for itself. A [task](crate::TaskBuilder::weight) of that weight is rejected.
    ///
    /// # Panics
    ///
    /// Panics if `permits` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(3);
    /// let all = pool.permit().weight(100).acquire().await;
    /// assert!(pool.is_full() && pool.try_acquire().is_none());
    /// drop(all);
    /// let _light = pool.acquire().await;
    /// assert!(pool.permit().weight(100).try_acquire().is_none());
    /// # });
    /// ```
    #[track_caller]
    pub fn weight(mut self, permits: usize) -> Self {
        assert!(
            permits > 0,
            "code of weight 0 would run without a permit: the least weight is 1"
        );
        self.demand.weight = permits;
        self
    }

    /// Sets the priority in the queue, among callers and [tasks](crate::TaskBuilder::priority) alike: a higher one goes
    /// first. The default is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let permit = pool.acquire().await;
    /// let batch = pool.spawn_n(async {});
    /// let urgent = pool.permit().priority(1).run(async { batch.is_finished() });
    /// let release = async { drop(permit) };
    /// let (batch_was_first, ()) = futures::join!(urgent, release);
    /// assert!(!batch_was_first);
    /// # });
    /// ```
    pub fn priority(mut self, priority: i32) -> Self {
        self.demand.priority = priority;
        self
    }

    /// Waits for the permits, and holds them until the [`Permit`] is dropped. See [`AioPool::acquire`].
    ///
    /// A task of this pool that calls this holds its own permits too. If both together are more than the pool has, it
    /// waits forever.
    ///
    /// # Cancel safety
    ///
    /// If this is dropped while it waits, it leaves the queue, and nothing of it is left.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(2);
    /// let both = pool.permit().weight(2).acquire().await;
    /// let task = pool.spawn_n(async { "after" });
    /// assert_eq!((pool.active(), pool.waiting()), (1, 1));
    /// drop(both);
    /// assert_eq!(task.await.unwrap(), "after");
    /// # });
    /// ```
    pub async fn acquire(self) -> Permit {
        self.waiter().await
    }

    /// Runs `future` under the permits, in the caller's own task. See [`AioPool::run`].
    ///
    /// In a task of this pool that has at least so many permits, the future just runs, and the priority has no meaning. A
    /// lighter task lends its own permits meanwhile, and waits in the queue for those of the future.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped while it waits, it leaves the queue, and nothing of it is left. If it is dropped later, it drops
    /// the future, then gives the permits back.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let words = vec!["borrowed".to_owned()];
    /// let length = pool.permit().weight(3).run(async { words[0].len() }).await;
    /// assert_eq!(length, 8);
    /// # });
    /// ```
    pub async fn run<F: Future>(self, future: F) -> F::Output {
        let (core, node) = (self.pool.core(), self.pool.node());
        match core.covers_here(node, self.demand.weight) {
            Some(true) => {
                coop::proceed().await;
                future.await
            }
            Some(false) => lend(self.waiter().run(future)).await,
            None => self.waiter().run(future).await,
        }
    }

    /// Returns the permits if they are free now, and `None` otherwise. See [`AioPool::try_acquire`].
    ///
    /// It overtakes no task or caller that waits with the same priority or a higher one.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(3);
    /// let two = pool.permit().weight(2).try_acquire().expect("they are free");
    /// assert!(pool.permit().weight(2).try_acquire().is_none());
    /// assert!(pool.try_acquire().is_some());
    /// # });
    /// ```
    pub fn try_acquire(self) -> Option<Permit> {
        self.pool.refresh_room(Patience::Try);
        self.waiter().attempt()
    }

    fn waiter(self) -> Acquire<'p> {
        Acquire::new(self.pool, self.demand)
    }
}
