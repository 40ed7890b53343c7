use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A closure as a future that is polled once, and blocks. Made by
/// [`AioPool::task_blocking`](crate::AioPool::task_blocking).
#[must_use = "futures do nothing unless polled"]
pub struct BlockingWork<F>(Option<F>);

impl<F> BlockingWork<F> {
    pub(crate) fn new(work: F) -> Self {
        Self(Some(work))
    }
}

impl<F> Unpin for BlockingWork<F> {}

impl<F: FnOnce() -> T, T> Future for BlockingWork<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let work = self.0.take().expect("it is polled once");
        Poll::Ready(work())
    }
}

impl<F> fmt::Debug for BlockingWork<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingWork").finish_non_exhaustive()
    }
}
