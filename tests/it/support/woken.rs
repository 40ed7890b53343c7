use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use futures::Stream;

/// A reader that polls only when it is woken, as a runtime does.
#[derive(Clone)]
pub(crate) struct Reader(Arc<Flag>);

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

impl Reader {
    /// One that has yet to poll for the first time.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Flag(AtomicBool::new(true))))
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.0.0.load(SeqCst)
    }

    pub(crate) fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        self.0.0.store(false, SeqCst);
        let waker = Waker::from(self.0.clone());
        future.poll(&mut Context::from_waker(&waker))
    }

    pub(crate) fn poll_next<S: Stream + ?Sized>(
        &self,
        mut stream: Pin<&mut S>,
    ) -> Poll<Option<S::Item>> {
        self.poll(Pin::new(&mut std::future::poll_fn(|cx| {
            stream.as_mut().poll_next(cx)
        })))
    }

    /// Polls as often as it is woken, until something is there.
    pub(crate) fn poll_while_woken<S: Stream + ?Sized>(
        &self,
        mut stream: Pin<&mut S>,
    ) -> Poll<Option<S::Item>> {
        while self.is_woken() {
            let next = self.poll_next(stream.as_mut());
            if next.is_ready() {
                // Whoever has got something comes back for more.
                self.0.0.store(true, SeqCst);
                return next;
            }
        }
        Poll::Pending
    }
}
