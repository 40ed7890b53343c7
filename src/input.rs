use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

/// The input of a stream of results or of a feed: any iterator, or a stream in [`Streamed`].
///
/// This trait is sealed: it is implemented for these two, and cannot be implemented for other types.
pub trait Input: sealed::Sealed {
    /// The type of the items.
    type Item;

    /// Polls for the next item. An iterator always has it ready.
    #[doc(hidden)]
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Item>>;

    /// Returns the bounds on the number of items that are left.
    #[doc(hidden)]
    fn items_left(&self) -> (usize, Option<usize>);
}

impl<I: Iterator> Input for I {
    type Item = I::Item;

    fn poll_item(&mut self, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.next())
    }

    fn items_left(&self) -> (usize, Option<usize>) {
        self.size_hint()
    }
}

/// A stream as an [`Input`].
///
/// The stream is in a box, so that the [`IterMap`](crate::IterMap) can be moved while it is read.
///
/// Made by [`AioPool::itermap_stream`](crate::AioPool::itermap_stream) and
/// [`PoolStreamExt::map_on`](crate::PoolStreamExt::map_on).
pub struct Streamed<S>(Pin<Box<S>>);

impl<S> Streamed<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(Box::pin(stream))
    }
}

impl<S: Stream> Input for Streamed<S> {
    type Item = S::Item;

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.0.as_mut().poll_next(cx)
    }

    fn items_left(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<S> fmt::Debug for Streamed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").finish_non_exhaustive()
    }
}

mod sealed {
    use futures_core::Stream;

    pub trait Sealed {}

    impl<I: Iterator> Sealed for I {}

    impl<S: Stream> Sealed for super::Streamed<S> {}
}
