use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

/// What a task reports while it runs. Made by [`JobHandle::progress`](super::JobHandle::progress).
#[must_use = "a stream does nothing unless it is polled"]
pub struct Progress<P> {
    values: mpsc::Receiver<Vec<u8>>,
    of: PhantomData<fn() -> P>,
}

impl<P> Progress<P> {
    pub(super) fn new(values: mpsc::Receiver<Vec<u8>>) -> Self {
        Self {
            values,
            of: PhantomData,
        }
    }
}

impl<P: DeserializeOwned> Progress<P> {
    /// Returns the next value, or `None` after the last one.
    ///
    /// # Cancel safety
    ///
    /// A value is not lost if the future is dropped.
    pub async fn next(&mut self) -> Option<P> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<P: DeserializeOwned> Stream for Progress<P> {
    type Item = P;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<P>> {
        loop {
            match self.values.poll_recv(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(value)) => {
                    if let Ok(value) = serde_json::from_slice(&value) {
                        return Poll::Ready(Some(value));
                    }
                }
            }
        }
    }
}

impl<P> fmt::Debug for Progress<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}
