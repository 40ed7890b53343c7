use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::BoxFuture;

use crate::lock::Lock;
use crate::unwind::discard;
use crate::waker_slot::WakerSlot;
use crate::wakes::wake;

/// Callbacks of tasks that have ended. The server takes and runs them, as long as it serves.
#[derive(Clone, Default)]
pub(crate) struct CallbackQueue(Arc<Lock<Todo>>);

#[derive(Default)]
struct Todo {
    callbacks: Vec<BoxFuture<'static, ()>>,
    waker: WakerSlot,
    over: bool,
}

impl CallbackQueue {
    /// Adds a callback and wakes the server. Drops the callback if the server has ended.
    pub(crate) fn add(&self, callback: BoxFuture<'static, ()>) {
        let mut todo = self.0.lock();
        let late = if todo.over {
            Some(callback)
        } else {
            todo.callbacks.push(callback);
            None
        };
        let waker = todo.waker.take();
        drop(todo);
        discard(late);
        wake(waker);
    }

    /// Waits until there are callbacks, and takes all of them.
    pub(crate) async fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        poll_fn(|cx| {
            let fresh = cx.waker().clone();
            let mut todo = self.0.lock();
            if !todo.callbacks.is_empty() {
                return Poll::Ready(std::mem::take(&mut todo.callbacks));
            }
            WakerSlot::leave(todo, |todo| &mut todo.waker, fresh);
            Poll::Pending
        })
        .await
    }

    /// Closes the queue: later callbacks are dropped. Returns the callbacks that are left.
    #[must_use = "to be done, or dropped"]
    pub(crate) fn end(&self) -> Vec<BoxFuture<'static, ()>> {
        let mut todo = self.0.lock();
        todo.over = true;
        std::mem::take(&mut todo.callbacks)
    }
}
