use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};

use super::ahead::Pulled;
use super::flow::Flow;
use super::itermap::assert_is_buffer;
use crate::coop;
use crate::error::TryMapError;
use crate::input::{Input, Streamed};
use crate::pool::AioPool;

/// The values of the tasks of [`PoolStreamExt::try_map_on`](crate::PoolStreamExt::try_map_on), as a stream in the order
/// in which the tasks end.
///
/// The first error of the input ends the input: no more items are pulled, and the input is dropped. The tasks that were
/// started run to their end, and their values are given. The error of the input is given after them, as
/// [`TryMapError::Input`], and is the last. An error of a task is given in its place, and ends nothing.
///
/// Dropping it aborts the tasks whose values were not read.
///
/// # Panics
///
/// Polling it passes on a panic of the input or the closure. It may be polled again after that.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::{AioPool, PoolStreamExt, TryMapError};
/// use futures::stream;
///
/// let pool = AioPool::new(4);
/// let sizes = stream::iter([Ok(1), Ok(2), Err("lost"), Ok(3)]);
/// let mut doubled = sizes.try_map_on(&pool, |size| async move { Ok(size * 2) });
/// let mut sum = 0;
/// let error = loop {
///     match doubled.next().await.unwrap() {
///         Ok(size) => sum += size,
///         Err(error) => break error,
///     }
/// };
/// assert_eq!(sum, 6);
/// assert!(matches!(error, TryMapError::Input("lost")));
/// # });
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct TryIterMap<S, F, T, E> {
    flow: Flow<Result<T, E>>,
    /// `None` once the input has ended.
    items: Option<Streamed<S>>,
    f: F,
    /// The error that has ended the input.
    error: Option<E>,
}

impl<S, F, T, E> TryIterMap<S, F, T, E> {
    pub(super) fn new(pool: &AioPool, items: S, f: F) -> Self {
        Self {
            flow: Flow::new(pool),
            items: Some(Streamed::new(items)),
            f,
            error: None,
        }
    }

    /// Gives the values in the order of the items, the error of the input last. See
    /// [`IterMap::ordered`](crate::IterMap::ordered).
    pub fn ordered(mut self) -> Self {
        self.flow.put_in_order();
        self
    }

    /// Limits the items that are pulled and whose values are not read to `items`. See
    /// [`IterMap::buffer`](crate::IterMap::buffer).
    ///
    /// # Panics
    ///
    /// Panics if `items` is 0: no item would ever be pulled.
    #[track_caller]
    pub fn buffer(mut self, items: usize) -> Self {
        assert_is_buffer(items);
        self.flow.fix(items);
        self
    }
}

impl<S, F, Fut, I, T, E> TryIterMap<S, F, T, E>
where
    S: Stream<Item = Result<I, E>>,
    F: FnMut(I) -> Fut,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// Waits for the next value. Returns `None` when all values, and the error of the input if there is one, have been
    /// read.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time. No value is lost.
    pub async fn next(&mut self) -> Option<Result<T, TryMapError<E>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    fn pull(&mut self, cx: &mut Context<'_>) -> Pulled {
        let Some(items) = &mut self.items else {
            return Pulled::All;
        };
        let next = |cx: &mut Context<'_>| {
            let item = ready!(items.poll_item(cx)).transpose();
            Poll::Ready(item.unwrap_or_else(|error| {
                self.error = Some(error);
                None
            }))
            .map(|item| item.map(&mut self.f))
        };
        let pulled = self.flow.pull(cx, next);
        if pulled == Pulled::All {
            self.items = None;
        }
        pulled
    }

    fn poll_value(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, TryMapError<E>>>> {
        let pulled = self.pull(cx);
        Poll::Ready(match ready!(self.flow.poll_result(cx, pulled)) {
            Some(result) => Some(TryMapError::flatten(result)),
            None => self
                .error
                .take()
                .map(|error| Err(TryMapError::Input(error))),
        })
    }
}

impl<S, F, T, E> Unpin for TryIterMap<S, F, T, E> {}

impl<S, F, Fut, I, T, E> Stream for TryIterMap<S, F, T, E>
where
    S: Stream<Item = Result<I, E>>,
    F: FnMut(I) -> Fut,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    type Item = Result<T, TryMapError<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        coop::poll(cx, |cx| self.poll_value(cx))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let error = usize::from(self.error.is_some());
        // The next item may be an error, after which no more items are pulled.
        let (least, most) = match &self.items {
            Some(items) => (items.items_left().0.min(1), items.items_left().1),
            None => (error, Some(error)),
        };
        self.flow.results_left((least, most))
    }
}

impl<S, F, Fut, I, T, E> FusedStream for TryIterMap<S, F, T, E>
where
    S: Stream<Item = Result<I, E>>,
    F: FnMut(I) -> Fut,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    fn is_terminated(&self) -> bool {
        self.items.is_none() && self.error.is_none() && self.flow.unread() == 0
    }
}

impl<S, F, T, E> fmt::Debug for TryIterMap<S, F, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryIterMap")
            .field("pool", &self.flow.pool().name())
            .field("unread", &self.flow.unread())
            .finish_non_exhaustive()
    }
}
