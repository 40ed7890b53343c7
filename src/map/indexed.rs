use std::pin::Pin;
use std::task::{Context, Poll};

/// A future with its index. The future can be taken back before its end.
pub(super) struct Indexed<F> {
    pub(super) index: usize,
    pub(super) future: F,
}

impl<F: Future + Unpin> Future for Indexed<F> {
    type Output = (usize, F::Output);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let index = self.index;
        Pin::new(&mut self.future)
            .poll(cx)
            .map(|output| (index, output))
    }
}
