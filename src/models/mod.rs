//! Small programs of two to four threads. Each is tried in every order in which its steps may occur, and with every
//! value that the memory model allows a thread to read. They find a step that loses a wake, a task or a permit in only
//! one of these orders. `.ci/models` runs them.
//!
//! Each worker has its own thread. A model fails if no thread can go on, if a waker is leaked, or if the counters do
//! not add up in the end. A thread is interrupted at most twice where it would not wait anyway; `LOOM_MAX_PREEMPTIONS`
//! sets another number.

mod ends;
mod nested;
mod simple;
mod starts;
mod timed;
mod whole;

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::model::Builder;
use loom::thread;

use crate::lock::Lock;
use crate::wakes::wake;
use crate::{AioPool, FnSpawner, JoinError, Worker};

/// Tries a model in every order.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(model);
}

/// Makes a pool whose workers run on their own threads.
fn pool(size: usize) -> AioPool {
    let spawner = FnSpawner(|worker: Worker| {
        thread::spawn(move || block_on(worker));
    });
    AioPool::with_spawner(size, spawner)
}

/// Takes the value of a task. If there is none, asserts that the error is allowed.
fn value_or<T>(result: Result<T, JoinError>, may_be: impl FnOnce(&JoinError) -> bool) -> Option<T> {
    result
        .inspect_err(|error| assert!(may_be(error), "{error}"))
        .ok()
}

/// Waits until the pool is idle, and checks the sum of its counters.
fn settle(pool: &AioPool) {
    block_on(pool.join());
    assert_eq!((pool.active(), pool.waiting()), (0, 0));
    let stats = pool.stats();
    let ended = [
        stats.completed,
        stats.cancelled,
        stats.panicked,
        stats.timed_out,
        stats.rejected,
    ];
    assert_eq!(stats.submitted, ended.iter().sum::<u64>());
}

/// Polls a future once, with a waker that does nothing.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// An event that happens once, and that futures can wait for.
#[derive(Default)]
struct Event(Lock<(bool, Option<Waker>)>);

impl Event {
    fn happen(&self) {
        let mut state = self.0.lock();
        state.0 = true;
        let waker = state.1.take();
        drop(state);
        wake(waker);
    }

    async fn happened(&self) {
        poll_fn(|cx| {
            let mut state = self.0.lock();
            if state.0 {
                return Poll::Ready(());
            }
            state.1 = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
