use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::completion::Completion;
use crate::pool::AioPool;
use crate::task::JoinError;

impl AioPool {
    /// Runs a task for each item of a stream, and gives their results as they come.
    ///
    /// It pulls as its results are read, and is never further ahead of them than
    /// [`size`](Self::size) items. The tasks run on while nobody polls the stream.
    ///
    /// Dropping it aborts those of its tasks whose results were not read.
    ///
    /// # Panics
    ///
    /// Polling it passes on a panic of the stream or the closure.
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
            pool: self.clone(),
            items: Some(items),
            f,
            running: Completion::new(self),
        }
    }
}

pin_project! {
    struct StreamMap<S, F, T> {
        pool: AioPool,
        // `None` once it has ended.
        #[pin]
        items: Option<S>,
        f: F,
        running: Completion<T>,
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
        self.as_mut().pull(cx);
        let this = self.project();
        match this.running.poll_next(cx) {
            Poll::Ready(None) if this.items.is_some() => Poll::Pending,
            polled => polled,
        }
    }
}

impl<S, F, Fut> StreamMap<S, F, Fut::Output>
where
    S: Stream,
    F: FnMut(S::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    /// Submits what the stream has, as far as it may be ahead of the reader.
    fn pull(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let mut this = self.project();
        while this.running.len() < this.pool.size() {
            let Some(items) = this.items.as_mut().as_pin_mut() else {
                return;
            };
            match items.poll_next(cx) {
                Poll::Ready(Some(item)) => this.running.spawn(this.pool, (this.f)(item)),
                Poll::Ready(None) => this.items.set(None),
                Poll::Pending => return,
            }
        }
    }
}
