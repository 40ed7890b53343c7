use futures_core::Stream;

use super::input::Streamed;
use super::itermap::IterMap;
use crate::pool::AioPool;

/// The verbs of a pool as methods of streams, to be called in a chain.
///
/// Implemented for every stream.
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
}

impl<S: Stream + ?Sized> PoolStreamExt for S {}
