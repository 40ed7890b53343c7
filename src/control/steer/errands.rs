use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use futures_util::future::BoxFuture;

/// What is to be done because tasks have ended: the server does it, as long as it serves.
#[derive(Clone, Default)]
pub(in crate::control) struct Errands(Arc<Mutex<Todo>>);

#[derive(Default)]
struct Todo {
    errands: Vec<BoxFuture<'static, ()>>,
    waker: Option<Waker>,
    over: bool,
}

impl Errands {
    /// Asks for one. It is dropped if nobody serves any more.
    pub(super) fn add(&self, errand: BoxFuture<'static, ()>) {
        let mut todo = self.lock();
        if !todo.over {
            todo.errands.push(errand);
        }
        let waker = todo.waker.take();
        drop(todo);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Waits until there are some, and takes them.
    pub(in crate::control) async fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        poll_fn(|cx| {
            let mut todo = self.lock();
            if todo.errands.is_empty() {
                todo.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(std::mem::take(&mut todo.errands))
        })
        .await
    }

    /// Takes no more of them.
    pub(in crate::control) fn end(&self) {
        let mut todo = self.lock();
        todo.over = true;
        let left = std::mem::take(&mut todo.errands);
        drop(todo);
        drop(left);
    }

    fn lock(&self) -> MutexGuard<'_, Todo> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
