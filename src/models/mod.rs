//! Programs of several threads that use a pool, tried in many orders of their steps. They find a step that loses a wake,
//! a task or a permit in only one of these orders. In all of them, each worker has its own thread. A model fails if no
//! thread can go on, or if the counters do not add up in the end.
//!
//! - Under loom (`.ci/models`, [`in_every_order`]) the small programs of two to four threads are tried in every order in
//!   which their steps may occur, and with every value that the memory model allows a thread to read.
//! - Under shuttle (`.ci/schedules`, [`in_random_orders`]) these and the larger programs in `large` are tried in random
//!   orders. Shuttle lets each thread read the last value that was written: it finds no ordering of an atomic that is
//!   too weak.

#[cfg(feature = "control")]
mod control;
mod ends;
mod feeds;
#[cfg(aiopool_loom)]
mod in_every_order;
#[cfg(aiopool_shuttle)]
mod in_random_orders;
#[cfg(aiopool_shuttle)]
mod large;
mod nested;
mod simple;
mod starts;
mod timed;
mod whole;

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

#[cfg(aiopool_loom)]
use self::in_every_order::{block_on, check};
#[cfg(aiopool_shuttle)]
use self::in_random_orders::{block_on, check};
use crate::coop::yield_once;
use crate::lock::Lock;
use crate::sync::thread;
use crate::wakes::wake;
use crate::{AioPool, FnSpawner, JoinError, Worker};

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
struct Event(Lock<(bool, Vec<Waker>)>);

impl Event {
    fn happen(&self) {
        let mut state = self.0.lock();
        state.0 = true;
        let wakers = std::mem::take(&mut state.1);
        drop(state);
        wakers.into_iter().map(Some).for_each(wake);
    }

    async fn happened(&self) {
        poll_fn(|cx| {
            let mut state = self.0.lock();
            if state.0 {
                return Poll::Ready(());
            }
            state.1.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
