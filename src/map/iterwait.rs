use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};

use super::batches::Batches;
use super::gathers::Gathers;
use super::members::Members;
use super::return_when::ReturnWhen;
use super::shed::Shed;
use crate::coop;
use crate::task::{JoinError, JoinHandle};

/// Returns a stream of the results of these handles, in the order in which their tasks end.
///
/// Each result costs the same for any number of handles. The handles may belong to different pools.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = aiopool::AioPool::new(2);
/// let never = pool.spawn_n(std::future::pending::<i32>());
/// let soon = pool.spawn_n(async { 1 });
/// let mut results = aiopool::iterwait([never, soon]);
/// assert_eq!(results.next().await.unwrap().unwrap(), 1);
/// # });
/// ```
pub fn iterwait<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> IterWait<T> {
    let mut members = Members::new();
    for handle in handles {
        let pool_ref = handle.pool_ref();
        members.push(handle, pool_ref);
    }
    IterWait {
        handles: members,
        gathered: Shed::new(),
    }
}

/// The results of handles, as a stream. Made by [`iterwait`].
///
/// Dropping it detaches the tasks whose results were not read: they run on.
#[must_use = "streams do nothing unless polled"]
pub struct IterWait<T> {
    handles: Members<JoinHandle<T>>,
    /// The results of the next batch.
    gathered: Shed<Result<T, JoinError>>,
}

impl<T> IterWait<T> {
    /// Gives the results in batches. A batch consists of the results that are there when `until` is fulfilled. See
    /// [`IterMap::batches`](crate::IterMap::batches).
    pub fn batches(self, until: ReturnWhen) -> Batches<Self> {
        let pool_ref = self.handles.pool_ref();
        Batches::new(self, until, pool_ref)
    }

    /// Waits for the next result. Returns `None` when all results have been read.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time. No result is lost.
    pub async fn next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T> Unpin for IterWait<T> {}

impl<T> Stream for IterWait<T> {
    type Item = Result<T, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        coop::poll(cx, |cx| self.poll_result(cx))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.handles.len(), Some(self.handles.len()))
    }
}

impl<T> FusedStream for IterWait<T> {
    fn is_terminated(&self) -> bool {
        self.handles.len() == 0
    }
}

impl<T> Gathers for IterWait<T> {
    type Value = T;

    fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.handles.poll_next(cx)
    }

    fn gathered(&mut self) -> &mut Vec<Result<T, JoinError>> {
        self.gathered.list()
    }

    fn gathered_len(&self) -> usize {
        self.gathered.len()
    }
}

impl<T> Stream for Batches<IterWait<T>> {
    type Item = Vec<Result<T, JoinError>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_batch(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.batches_left()
    }
}

impl<T> FusedStream for Batches<IterWait<T>> {
    fn is_terminated(&self) -> bool {
        self.is_over()
    }
}

impl<T> fmt::Debug for IterWait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IterWait")
            .field("unread", &self.handles.len())
            .finish_non_exhaustive()
    }
}
