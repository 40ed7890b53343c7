//! Operations on a pool as a whole.

use super::{block_on, check, poll_once, pool, settle, value_or};
use crate::JoinError;
use crate::sync::thread;

#[test]
fn a_pool_that_is_closed_meanwhile_takes_a_task_or_rejects_it() {
    check(|| {
        let pool = pool(1);
        let other = pool.clone();
        let closer = thread::spawn(move || {
            other.close();
            block_on(other.closed());
        });
        value_or(block_on(pool.spawn_n(async {})), JoinError::is_rejected);
        closer.join().unwrap();
        settle(&pool);
    });
}

#[test]
fn below_hears_that_a_task_has_left_the_queue() {
    check(|| {
        let pool = pool(1);
        let handles = [pool.spawn_n(async {}), pool.spawn_n(async {})];
        block_on(pool.below(1));
        assert_eq!(pool.waiting(), 0);
        drop(handles);
        settle(&pool);
    });
}

#[test]
fn two_threads_share_a_permit() {
    check(|| {
        let pool = pool(1);
        let other = pool.clone();
        let there = thread::spawn(move || {
            let permit = block_on(other.acquire());
            assert_eq!(other.active(), 1);
            drop(permit);
        });
        let permit = block_on(pool.acquire());
        assert_eq!(pool.active(), 1);
        drop(permit);
        there.join().unwrap();
        settle(&pool);
    });
}

#[test]
fn a_permit_that_is_given_up_while_it_comes_is_not_lost() {
    check(|| {
        let pool = pool(1);
        let handle = pool.spawn_n(async {});
        drop(poll_once(pool.acquire()));
        drop(block_on(pool.acquire()));
        block_on(handle).unwrap();
        settle(&pool);
    });
}

#[test]
fn a_group_ends_with_its_last_task_or_handle() {
    check(|| {
        let pool = pool(1);
        let group = pool.keyed("group", 1);
        let handle = group.spawn_n(async {});
        drop(group);
        block_on(handle).unwrap();
        settle(&pool);
        assert!(pool.find_group("group").is_none());
    });
}

#[test]
fn two_threads_meet_in_a_group_that_ends_with_them() {
    check(|| {
        let pool = pool(1);
        let other = pool.clone();
        let there = thread::spawn(move || block_on(other.keyed("key", 1).exec(async {})).unwrap());
        block_on(pool.keyed("key", 1).exec(async {})).unwrap();
        there.join().unwrap();
        settle(&pool);
        assert!(pool.groups().is_empty());
    });
}

#[test]
fn who_comes_while_all_are_cancelled_is_cancelled_or_stays() {
    check(|| {
        let pool = pool(1);
        let other = pool.clone();
        let there = thread::spawn(move || block_on(other.spawn_n(async {})));
        let cancelled = block_on(pool.cancel_all());
        let result = there.join().unwrap();
        assert_eq!(result.is_err(), cancelled == 1);
        settle(&pool);
    });
}

#[test]
fn a_stream_of_results_ends_with_the_last() {
    check(|| {
        let pool = pool(2);
        let mut results = pool.itermap(0..2, |n| async move { n });
        let mut sum = 0;
        block_on(async {
            while let Some(result) = results.next().await {
                sum += result.unwrap();
            }
        });
        assert_eq!(sum, 1);
        drop(results);
        settle(&pool);
    });
}
