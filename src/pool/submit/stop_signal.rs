use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::{self, Abortable};

use crate::pool::Core;
use crate::task::AbortHandle;
use crate::unwind::{caught, discard};
use crate::worker::Worker;

/// A future of the user that stops a task when it is ready.
///
/// A worker of its own polls it, since the task has none while it waits. The end of the task wakes that worker, which
/// then drops the future.
pub(crate) struct StopSignal(Abortable<Guarded>);

/// Ends the watching of a [`StopSignal`]. Its task calls this when it ends.
pub(crate) type Unwatch = future::AbortHandle;

/// A future whose panics are caught.
struct Guarded(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl StopSignal {
    pub(crate) fn new(signal: impl Future + Send + 'static) -> (Self, Unwatch) {
        let signal = Box::pin(async move {
            signal.await;
        });
        let (signal, unwatch) = future::abortable(Guarded(Some(signal)));
        (Self(signal), unwatch)
    }

    /// Stops `task` when the signal comes, unless the task has ended before.
    pub(crate) fn watch(self, core: &Core, task: AbortHandle) {
        core.launch(Worker::aside(async move {
            if self.0.await.is_ok() {
                task.abort_with("the signal to stop came");
            }
        }));
    }
}

impl Future for Guarded {
    type Output = ();

    /// A panic counts as the signal: nothing else will come from this future.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(signal) = &mut self.0 else {
            return Poll::Ready(());
        };
        caught(|| signal.as_mut().poll(cx)).unwrap_or_else(|payload| {
            discard(payload);
            Poll::Ready(())
        })
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}
