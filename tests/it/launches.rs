//! Many tasks that may start at once: one call starts some of them, and new workers the rest.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use aiopool::{AioPool, JoinHandle};
use tokio::sync::Barrier;
use tokio::time::advance;

use crate::support::{Hand, on_every_runtime, on_tokio};

const MANY: usize = 10_000;

/// Number of workers that one call may give to the runtime.
const AT_ONCE: usize = 1024;

fn paused() -> (Hand, AioPool) {
    let (hand, pool) = Hand::pool(AioPool::UNBOUNDED);
    pool.pause();
    (hand, pool)
}

#[test]
fn a_call_that_lets_many_tasks_start_is_short_and_all_start() {
    let start: [fn(&AioPool); 2] = [AioPool::resume, |pool| {
        pool.resize(1).unwrap();
        pool.resume();
        pool.resize(AioPool::UNBOUNDED).unwrap();
    }];
    for start in start {
        let (hand, pool) = paused();
        pool.map_n(0..MANY, |_| pending::<()>());
        start(&pool);
        assert!((1..=AT_ONCE + 1).contains(&hand.workers()));
        hand.run();
        assert_eq!((pool.active(), pool.waiting()), (MANY, 0));
        pool.abort_all();
        hand.run();
        assert_eq!(pool.stats().cancelled, MANY as u64);
    }
}

#[test]
fn those_that_wait_start_though_the_first_are_aborted_before_their_poll() {
    let (hand, pool) = paused();
    let handles = pool.map_n(0..MANY, |_| pending::<()>());
    pool.resume();
    let started = pool.active();
    assert!(started <= AT_ONCE);
    for handle in &handles[..started] {
        handle.abort();
    }
    hand.run();
    assert_eq!((pool.active(), pool.waiting()), (MANY - started, 0));
    pool.abort_all();
    hand.run();
}

#[test]
fn those_that_wait_start_though_the_first_workers_are_dropped() {
    let (hand, pool) = paused();
    let handles = pool.map_n(0..MANY, |_| pending::<()>());
    pool.resume();
    hand.drop_workers();
    assert!(handles.iter().all(JoinHandle::is_finished));
    assert_eq!((pool.active(), pool.waiting()), (0, 0));
}

#[test]
fn tasks_that_need_each_other_all_start() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(AioPool::UNBOUNDED);
        pool.pause();
        let all = Arc::new(Barrier::new(MANY));
        let handles = pool.map_n(0..MANY, |_| {
            let all = all.clone();
            async move {
                all.wait().await;
            }
        });
        pool.resume();
        for handle in handles {
            handle.await.unwrap();
        }
    });
}

#[test]
fn a_limit_of_the_wait_does_not_end_a_task_that_may_start() {
    on_tokio(async {
        let pool = AioPool::new(AioPool::UNBOUNDED);
        pool.pause();
        let second = Duration::from_secs(1);
        let wait = |_| pool.task(async {}).wait_timeout(second).spawn_n();
        let handles: Vec<_> = (0..MANY).map(wait).collect();
        tokio::task::yield_now().await;
        pool.resume();
        advance(2 * second).await;
        for handle in handles {
            handle.await.unwrap();
        }
    });
}
