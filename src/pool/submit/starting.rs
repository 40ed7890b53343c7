use std::pin::Pin;
use std::task::{Context, Poll};

use crate::coop;
use crate::task::JoinHandle;

/// Waits until a submitted task has started, and returns its handle. Dropped before that, it aborts the task.
pub(crate) struct Starting<T> {
    handle: Option<JoinHandle<T>>,
}

impl<T> Starting<T> {
    pub(crate) fn new(handle: JoinHandle<T>) -> Self {
        Self {
            handle: Some(handle),
        }
    }
}

impl<T> Future for Starting<T> {
    type Output = JoinHandle<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JoinHandle<T>> {
        coop::poll(cx, |cx| {
            let handle = self.handle.take().expect("polled after its end");
            if handle.poll_announced(cx).is_pending() {
                self.handle = Some(handle);
                return Poll::Pending;
            }
            Poll::Ready(handle)
        })
    }
}

impl<T> Drop for Starting<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}
