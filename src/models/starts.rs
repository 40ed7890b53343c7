//! How tasks get to their workers.

use super::{block_on, check, pool, settle};
use crate::sync::thread;
use futures_util::future::join;

#[test]
fn one_task_after_the_other_gives_its_result() {
    check(|| {
        let pool = pool(1);
        let (first, second) = (pool.spawn_n(async { 1 }), pool.spawn_n(async { 2 }));
        block_on(async {
            assert_eq!(second.await.unwrap(), 2);
            assert_eq!(first.await.unwrap(), 1);
        });
        settle(&pool);
    });
}

#[test]
fn two_threads_submit_to_one_permit() {
    check(|| {
        let pool = pool(1);
        let other = pool.clone();
        let there = thread::spawn(move || block_on(other.spawn_n(async { 1 })).unwrap());
        let here = block_on(pool.spawn_n(async { 2 })).unwrap();
        assert_eq!((there.join().unwrap(), here), (1, 2));
        settle(&pool);
    });
}

#[test]
fn a_worker_that_lingers_is_handed_the_next_task_or_ends() {
    check(|| {
        let pool = pool(1);
        let exec = |n| pool.exec(async move { n });
        block_on(async {
            // The second task waits, which tells the pool that more tasks may come. The third finds an idle worker, or
            // a worker that has just ended.
            let (first, second) = join(exec(1), exec(2)).await;
            let third = exec(3).await;
            let sum: i32 = [first, second, third].map(Result::unwrap).iter().sum();
            assert_eq!(sum, 6);
        });
        settle(&pool);
    });
}

#[test]
fn spawn_returns_when_its_task_has_started() {
    check(|| {
        let pool = pool(1);
        let first = pool.spawn_n(async {});
        let second = block_on(pool.spawn(async { 2 }));
        assert!(first.is_finished());
        assert_eq!(block_on(second).unwrap(), 2);
        settle(&pool);
    });
}

#[test]
fn a_pause_holds_back_what_has_not_started() {
    check(|| {
        let pool = pool(1);
        let first = pool.spawn_n(async {});
        let second = pool.spawn_n(async {});
        pool.pause();
        let held_back = pool.waiting() == 1;
        block_on(first).unwrap();
        assert!(!held_back || !second.is_finished());
        pool.resume();
        block_on(second).unwrap();
        settle(&pool);
    });
}

#[test]
fn a_larger_size_starts_who_waits() {
    check(|| {
        let pool = pool(1);
        let first = pool.spawn_n(async {});
        let second = pool.spawn_n(async {});
        pool.resize(2).unwrap();
        block_on(async {
            first.await.unwrap();
            second.await.unwrap();
        });
        settle(&pool);
    });
}
