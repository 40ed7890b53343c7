use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::BoxError;

/// The response of a [`PoolLimit`](super::PoolLimit).
///
/// The call enters the queue of the pool when this is first polled. Like the permit of
/// [`run`](crate::AioPool::run), that of the call is given to a future that has to be polled: do not hold it without
/// polling it.
///
/// # Cancel safety
///
/// Dropping this while the call waits takes the call out of the queue, and the inner service is not called. Dropping it
/// later drops the future of the inner service, then gives the permit back.
#[must_use = "it does nothing unless it is polled"]
pub struct ResponseFuture<T> {
    call: Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>,
}

impl<T> ResponseFuture<T> {
    pub(super) fn new(call: impl Future<Output = Result<T, BoxError>> + Send + 'static) -> Self {
        Self {
            call: Box::pin(call),
        }
    }
}

impl<T> Future for ResponseFuture<T> {
    type Output = Result<T, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.call.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for ResponseFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
