//! DESIGN 3.3: with work waiting and not paused, exactly `size` are active, at every moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use aiopool::{AioPool, TaskState};

use crate::support::{Hand, Probe, busy, on_every_runtime, yield_now};

#[track_caller]
fn assert_counts(pool: &AioPool, active: usize, waiting: usize) {
    assert_eq!((pool.active(), pool.waiting()), (active, waiting));
    assert_eq!(pool.len(), active + waiting);
    assert_eq!(pool.is_full(), active >= pool.size());
}

#[test]
fn a_task_that_ends_makes_room_for_the_next_at_once() {
    let (hand, pool) = Hand::pool(2);
    let (probes, _handles) = busy(&pool, 4);
    assert_counts(&pool, 2, 2);
    hand.run();
    probes[0].end();
    hand.run();
    assert_counts(&pool, 2, 1);
    assert!(probes[2].has_started() && !probes[3].has_started());
}

#[test]
fn an_aborted_task_makes_room_when_its_future_is_gone() {
    let (hand, pool) = Hand::pool(1);
    let (probes, handles) = busy(&pool, 2);
    hand.run();
    assert!(handles[0].abort());
    assert_counts(&pool, 1, 1);
    assert!(!probes[1].has_started());
    hand.run();
    assert!(probes[0].is_dropped() && probes[1].has_started());
    assert_counts(&pool, 1, 0);
}

#[test]
fn a_panic_makes_room() {
    let (hand, pool) = Hand::pool(1);
    let failing = pool.spawn_n(async { panic!("on purpose") });
    let (probes, _handles) = busy(&pool, 1);
    hand.run();
    assert!(failing.is_finished());
    assert!(probes[0].has_started());
}

#[test]
fn growing_starts_waiting_tasks_now() {
    let (hand, pool) = Hand::pool(1);
    let (probes, _handles) = busy(&pool, 4);
    pool.resize(3).unwrap();
    assert_counts(&pool, 3, 1);
    hand.run();
    assert!(probes[2].has_started());
}

#[test]
fn shrinking_takes_effect_as_tasks_end() {
    let (hand, pool) = Hand::pool(3);
    let (probes, _handles) = busy(&pool, 5);
    hand.run();
    pool.resize(1).unwrap();
    assert_counts(&pool, 3, 2);
    probes[0].end();
    probes[1].end();
    hand.run();
    assert_counts(&pool, 1, 2);
    probes[2].end();
    hand.run();
    assert_counts(&pool, 1, 1);
    assert!(probes[3].has_started());
}

#[test]
fn a_size_of_zero_is_refused_and_changes_nothing() {
    let (_hand, pool) = Hand::pool(2);
    assert!(pool.resize(0).unwrap_err().to_string().contains("pause"));
    assert_eq!(pool.size(), 2);
}

#[test]
fn a_paused_pool_starts_nothing_and_resumes_with_as_many_as_fit() {
    let (hand, pool) = Hand::pool(2);
    let (probes, _handles) = busy(&pool, 1);
    pool.pause();
    let (late, _late_handles) = busy(&pool, 3);
    hand.run();
    assert!(pool.is_paused() && probes[0].has_started());
    assert_counts(&pool, 1, 3);
    probes[0].end();
    hand.run();
    assert_counts(&pool, 0, 3);
    pool.resume();
    assert_counts(&pool, 2, 1);
    hand.run();
    assert!(late[1].has_started() && !late[2].has_started());
}

#[test]
fn an_unbounded_pool_starts_everything() {
    let (_hand, pool) = Hand::pool(AioPool::UNBOUNDED);
    let (_probes, _handles) = busy(&pool, 1000);
    assert_counts(&pool, 1000, 0);
}

#[test]
fn never_more_than_size_run_and_never_fewer_while_some_wait() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(4);
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        for _ in 0..500 {
            let (running, most, pool_inside) = (running.clone(), most.clone(), pool.clone());
            pool.spawn_n(async move {
                most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                yield_now().await;
                // One look at both: a moment later they may have changed.
                let states: Vec<_> = pool_inside.tasks().iter().map(|task| task.state).collect();
                let active = states.iter().filter(|is| **is == TaskState::Active).count();
                assert!(active == 4 || active == states.len());
                running.fetch_sub(1, SeqCst);
            });
        }
        pool.join().await;
        assert!(most.load(SeqCst) <= 4, "{most:?} on {}", pools.runtime);
        assert_eq!(pool.stats().completed, 500);
    });
}
#[test]
fn a_task_too_heavy_for_the_pool_is_rejected_at_once() {
    let (_hand, pool) = Hand::pool(2);
    let mut heavy = pool.task(async {}).weight(3).spawn_n();
    let error = heavy.try_join().unwrap().unwrap_err();
    assert!(error.is_rejected() && error.reason().unwrap().contains("weighs"));
}

#[test]
fn a_task_made_too_heavy_by_a_resize_runs_alone() {
    let (hand, pool) = Hand::pool(3);
    let (probes, _handles) = busy(&pool, 1);
    let heavy = Probe::new();
    pool.task(heavy.task(())).weight(3).spawn_n();
    let (after, _after_handles) = busy(&pool, 1);
    pool.resize(2).unwrap();
    hand.run();
    assert!(!heavy.has_started());
    probes[0].end();
    hand.run();
    assert!(heavy.has_started() && !after[0].has_started());
    assert!(pool.is_full());
    heavy.end();
    hand.run();
    assert!(after[0].has_started());
}

#[test]
fn those_behind_a_heavy_task_start_when_it_is_aborted() {
    let (hand, pool) = Hand::pool(2);
    let (_probes, _handles) = busy(&pool, 1);
    let heavy = pool.task(async {}).weight(2).spawn_n();
    let (after, _after_handles) = busy(&pool, 1);
    hand.run();
    assert!(!after[0].has_started());
    assert!(heavy.abort());
    hand.run();
    assert!(after[0].has_started());
}

#[test]
fn a_busy_worker_gives_others_a_turn() {
    let (hand, pool) = Hand::pool(1);
    let ended = Arc::new(AtomicUsize::new(0));
    for _ in 0..10_000 {
        let ended = ended.clone();
        pool.spawn_n(async move { _ = ended.fetch_add(1, SeqCst) });
    }
    hand.step();
    let after_one_poll = ended.load(SeqCst);
    assert!(
        after_one_poll > 0 && after_one_poll < 1000,
        "{after_one_poll} tasks within one poll"
    );
    hand.run();
    assert_eq!(ended.load(SeqCst), 10_000);
    assert_eq!(hand.workers(), 0, "an idle pool keeps no worker");
}
