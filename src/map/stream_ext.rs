use futures_core::Stream;

use super::itermap::IterMap;
use super::try_feed::TryFeed;
use super::try_itermap::TryIterMap;
use crate::input::Streamed;
use crate::pool::{AioPool, Feed};

/// The verbs of a pool as methods of streams, to be called in a chain.
///
/// Implemented for every stream.
///
/// | to | use | for a stream of results |
/// |---|---|---|
/// | read the results of the tasks | [`map_on`](Self::map_on) | [`try_map_on`](Self::try_map_on) |
/// | only count them | [`for_each_on`](Self::for_each_on) | [`try_for_each_on`](Self::try_for_each_on) |
pub trait PoolStreamExt: Stream {
    /// Runs a task of `pool` for each item, and returns a stream of the results as the tasks end.
    ///
    /// The same as [`AioPool::itermap_stream`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, PoolStreamExt};
    /// use futures::{StreamExt, stream};
    ///
    /// let pool = AioPool::new(4);
    /// let words = stream::iter(["a", "bb"]);
    /// let lengths = words.map_on(&pool, |word| async move { word.len() });
    /// let lengths: Vec<_> = lengths.ordered().buffer(64).collect().await;
    /// assert_eq!(lengths.len(), 2);
    /// # });
    /// ```
    fn map_on<F, Fut>(self, pool: &AioPool, f: F) -> IterMap<Streamed<Self>, F, Fut::Output>
    where
        Self: Sized,
        F: FnMut(Self::Item) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        pool.itermap_stream(self, f)
    }

    /// Runs a task of `pool` for each item of a stream that may fail, and returns a stream of the values.
    ///
    /// The first error of this stream ends it. The tasks that were started run to their end and their values are given,
    /// then the error as [`TryMapError::Input`](crate::TryMapError::Input). An error of a task ends nothing: to stop at
    /// the first error of either, stop reading there. Dropping the returned stream aborts the tasks that are left.
    ///
    /// The limit on the items that are pulled is that of [`itermap`](AioPool::itermap).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, PoolStreamExt, TryMapError};
    /// use futures::{TryStreamExt, stream};
    ///
    /// let pool = AioPool::new(4);
    /// let lines = stream::iter([Ok("1"), Ok("2"), Err("the connection is lost")]);
    /// let parse = |line: &'static str| async move { line.parse::<u8>().map_err(|_| "no number") };
    /// let mut numbers = lines.try_map_on(&pool, parse).ordered();
    /// assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
    /// assert_eq!(numbers.next().await.unwrap().unwrap(), 2);
    /// let failed = numbers.next().await.unwrap().unwrap_err();
    /// assert!(matches!(failed, TryMapError::Input("the connection is lost")));
    /// assert!(numbers.next().await.is_none());
    ///
    /// let lines = stream::iter([Ok("1"), Ok("x"), Ok("3")]);
    /// let numbers = lines.try_map_on(&pool, parse).ordered().try_collect::<Vec<_>>();
    /// assert!(matches!(numbers.await, Err(TryMapError::Task("no number"))));
    /// # });
    /// ```
    fn try_map_on<F, Fut, I, T, E>(self, pool: &AioPool, f: F) -> TryIterMap<Self, F, T, E>
    where
        Self: Stream<Item = Result<I, E>> + Sized,
        F: FnMut(I) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        TryIterMap::new(pool, self, f)
    }

    /// Feeds `pool` with tasks made of the items. Returns at once.
    ///
    /// The same as [`AioPool::feed_stream`].
    ///
    /// # Panics
    ///
    /// Panics if the pool has no runtime yet, and none is found.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, PoolStreamExt};
    /// use futures::stream;
    ///
    /// let pool = AioPool::new(4);
    /// let report = stream::iter(0..100).for_each_on(&pool, |n: u64| async move { n * n }).await;
    /// assert_eq!(report.completed, 100);
    /// # });
    /// ```
    #[track_caller]
    fn for_each_on<F, Fut>(self, pool: &AioPool, f: F) -> Feed
    where
        Self: Sized + Send + 'static,
        F: FnMut(Self::Item) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        pool.feed_stream(self, f)
    }

    /// Feeds `pool` with tasks made of the items of a stream that may fail. Returns at once.
    ///
    /// The first error of this stream ends the feed. The tasks that were started run to their end. Then the feed gives
    /// the error in place of its report. All else is as for [`AioPool::feed_stream`]: the results of the tasks are
    /// dropped, and only counted, so a task that returns an `Err` ends nothing.
    ///
    /// # Panics
    ///
    /// Panics if the pool has no runtime yet, and none is found.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, PoolStreamExt};
    /// use futures::stream;
    ///
    /// let pool = AioPool::new(4);
    /// let lines = stream::iter([Ok("1"), Ok("2"), Err("the connection is lost")]);
    /// let mut feed = lines.try_for_each_on(&pool, |line| async move { line.len() });
    /// assert_eq!((&mut feed).await, Err("the connection is lost"));
    /// assert_eq!(feed.progress().completed, 2);
    /// # });
    /// ```
    #[track_caller]
    fn try_for_each_on<F, Fut, I, E>(self, pool: &AioPool, f: F) -> TryFeed<E>
    where
        Self: Stream<Item = Result<I, E>> + Sized + Send + 'static,
        F: FnMut(I) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
        E: Send + 'static,
    {
        TryFeed::new(pool, self, f)
    }
}

impl<S: Stream + ?Sized> PoolStreamExt for S {}
