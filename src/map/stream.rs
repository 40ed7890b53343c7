use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::ahead::{Pull, Pulled};
use super::flow::Flow;
use crate::coop;
use crate::pool::AioPool;
use crate::task::JoinError;

impl AioPool {
    /// Runs a task for each item of a stream, and returns a stream of the results as the tasks end.
    ///
    /// Items are pulled as results are read. The tasks whose results are not read yet are never more than the pool can
    /// run at once. In a group or a [`scope`](Self::scope), that is the smallest [`size`](Self::size) among itself and
    /// the pools around it. Where none of them has a size, it is 1024. A [`resize`](Self::resize) takes effect at once.
    /// The tasks run on while the returned stream is not polled.
    ///
    /// In a pool whose queue has a bound, no item is refused for want of room: see [`itermap`](Self::itermap).
    ///
    /// Dropping the returned stream aborts the tasks whose results were not read.
    ///
    /// # Panics
    ///
    /// Polling the returned stream passes on a panic of `items` or `f`.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::pin::pin;
    ///
    /// use futures::{StreamExt, stream};
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let words = stream::iter(["a", "bb"]);
    /// let mut lengths = pin!(pool.itermap_stream(words, |word| async move { word.len() }));
    /// let mut sum = 0;
    /// while let Some(length) = lengths.next().await {
    ///     sum += length.unwrap();
    /// }
    /// assert_eq!(sum, 3);
    /// # });
    /// ```
    pub fn itermap_stream<S, F, Fut>(
        &self,
        items: S,
        f: F,
    ) -> impl Stream<Item = Result<Fut::Output, JoinError>> + use<S, F, Fut>
    where
        S: Stream,
        F: FnMut(S::Item) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        StreamMap {
            flow: Flow::new(self, 0),
            items: Some(items),
            f,
        }
    }
}

pin_project! {
    struct StreamMap<S, F, T> {
        flow: Flow<T>,
        // `None` once the stream of items has ended.
        #[pin]
        items: Option<S>,
        f: F,
    }
}

impl<S, F, Fut> Stream for StreamMap<S, F, Fut::Output>
where
    S: Stream,
    F: FnMut(S::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    type Item = Result<Fut::Output, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        coop::poll(cx, |cx| {
            let pulled = self.as_mut().pull(cx);
            self.project().flow.poll_result(cx, pulled)
        })
    }
}

impl<S, F, Fut> StreamMap<S, F, Fut::Output>
where
    S: Stream,
    F: FnMut(S::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    /// Pulls and submits items, up to the limit of unread results and the limit of one poll.
    fn pull(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Pulled {
        let (mut this, mut pull) = (self.project(), Pull::new(cx));
        while let Some(items) = this.items.as_mut().as_pin_mut() {
            if !this.flow.wants_item() {
                return Pulled::Enough;
            }
            if pull.is_over() {
                return Pulled::Some;
            }
            match items.poll_next(cx) {
                Poll::Ready(Some(item)) => this.flow.spawn((this.f)(item)),
                Poll::Ready(None) => this.items.set(None),
                Poll::Pending => return Pulled::Enough,
            }
        }
        Pulled::All
    }
}
