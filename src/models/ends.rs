//! How tasks end, and how their end becomes known.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::join;

use super::{Event, block_on, check, poll_once, pool, settle, value_or, yield_once};
use crate::sync::thread;
use crate::{AioPool, FnSpawner, JoinError, JoinHandle, Worker};

#[test]
fn whoever_sees_the_result_sees_the_counters() {
    check(|| {
        let pool = pool(1);
        let mut handle = pool.spawn_n(async { 1 });
        if let Some(result) = handle.try_join() {
            assert_eq!(result.unwrap(), 1);
            assert_eq!((pool.active(), pool.stats().completed), (0, 1));
        } else {
            assert_eq!(block_on(handle).unwrap(), 1);
        }
        settle(&pool);
    });
}

#[test]
fn whoever_has_joined_finds_every_result() {
    check(|| {
        let pool = pool(1);
        let mut handle = pool.spawn_n(yield_once());
        block_on(pool.join());
        assert!(handle.try_join().is_some_and(|result| result.is_ok()));
        settle(&pool);
    });
}

#[test]
fn an_abort_comes_before_the_end_or_after_it() {
    check(|| {
        let pool = pool(1);
        let handle = pool.spawn_n(yield_once());
        let asked = handle.abort();
        value_or(block_on(handle), |error| asked && error.is_cancelled());
        settle(&pool);
    });
}

#[test]
fn a_task_that_waits_for_ever_hears_the_abort() {
    check(|| {
        let pool = pool(1);
        let handle = pool.spawn_n(pending::<()>());
        let stopper = handle.abort_handle();
        let other = thread::spawn(move || stopper.abort());
        let asked = handle.abort();
        assert!(block_on(handle).unwrap_err().is_cancelled());
        assert!(asked ^ other.join().unwrap(), "it is asked once");
        settle(&pool);
    });
}

#[test]
fn an_abort_hits_the_task_and_not_its_successor() {
    check(|| {
        let pool = pool(1);
        let first = pool.spawn_n(async {});
        let second = pool.spawn_n(yield_once());
        first.abort();
        block_on(second).expect("nobody has asked it");
        drop(block_on(first));
        settle(&pool);
    });
}

#[test]
fn cancel_all_waits_for_the_active_and_the_waiting() {
    check(|| {
        let pool = pool(1);
        let handles = [pool.spawn_n(yield_once()), pool.spawn_n(yield_once())];
        let cancelled = block_on(pool.cancel_all());
        assert!(handles.iter().all(JoinHandle::is_finished));
        assert_eq!(pool.stats().cancelled, cancelled as u64);
        settle(&pool);
    });
}

/// Makes a pool whose runtime polls each worker once, and then drops it.
pub(super) fn dropping_pool() -> AioPool {
    let spawner = FnSpawner(|mut worker: Worker| {
        thread::spawn(move || poll_once(Pin::new(&mut worker)));
    });
    AioPool::with_spawner(1, spawner)
}

#[test]
fn a_worker_that_is_dropped_leaves_no_handle_alone() {
    check(|| {
        let pool = dropping_pool();
        let (first, second) = (pool.spawn_n(yield_once()), pool.spawn_n(async {}));
        block_on(async {
            assert!(first.await.unwrap_err().is_cancelled());
            value_or(second.await, JoinError::is_cancelled);
        });
        settle(&pool);
    });
}

#[test]
fn a_worker_that_is_dropped_while_it_lingers_leaves_what_it_was_handed() {
    check(|| {
        let pool = dropping_pool();
        let exec = || async { pool.exec(async {}).await };
        let ended = block_on(async {
            let (first, second) = join(exec(), exec()).await;
            [first, second, exec().await]
        });
        for result in ended {
            value_or(result, JoinError::is_rejected);
        }
        settle(&pool);
    });
}

#[test]
fn a_handle_wakes_the_one_who_polled_it_last() {
    check(|| {
        let pool = pool(1);
        let (event, mut handle) = (Arc::new(Event::default()), pool.spawn_n(async {}));
        if poll_once(&mut handle).is_pending() {
            let awaited = event.clone();
            let other = thread::spawn(move || {
                let result = block_on(handle);
                awaited.happen();
                result
            });
            block_on(event.happened());
            other.join().unwrap().unwrap();
        }
        settle(&pool);
    });
}

#[test]
fn what_a_task_wakes_from_elsewhere_is_polled_again() {
    check(|| {
        let pool = pool(1);
        let event = Arc::new(Event::default());
        let awaited = event.clone();
        let handle = pool.spawn_n(async move { awaited.happened().await });
        event.happen();
        block_on(handle).unwrap();
        settle(&pool);
    });
}

#[test]
fn a_result_that_nobody_can_read_is_dropped_before_the_end() {
    check(|| {
        let pool = pool(1);
        let (event, kept) = (Arc::new(Event::default()), Arc::new(()));
        let (awaited, result) = (event.clone(), kept.clone());
        let mut handle = pool.spawn_n(async move {
            awaited.happened().await;
            result
        });
        assert!(poll_once(&mut handle).is_pending());
        drop(handle);
        event.happen();
        settle(&pool);
        assert_eq!(Arc::strong_count(&kept), 1);
    });
}
