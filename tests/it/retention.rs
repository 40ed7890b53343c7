//! DESIGN 3.9: after its end a task leaves nothing in the pool but counters.

use std::sync::Arc;

use aiopool::JoinHandle;

use crate::support::{Hand, Probe, on_every_runtime};
#[cfg(target_os = "linux")]
use crate::support::{alone, resident};

#[test]
fn the_future_is_gone_when_the_handle_settles() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        for _ in 0..100 {
            let held = Arc::new(());
            let inside = held.clone();
            pool.spawn_n(async move { drop(inside) }).await.unwrap();
            assert_eq!(Arc::strong_count(&held), 1);
        }
    });
}

#[test]
fn a_result_is_kept_by_its_handle_alone() {
    let (hand, pool) = Hand::pool(1);
    let held = Arc::new(());
    let inside = held.clone();
    let handle = pool.spawn_n(async move { inside });
    let stop = handle.abort_handle();
    hand.run();
    assert_eq!(Arc::strong_count(&held), 2);
    drop(handle);
    assert_eq!(
        Arc::strong_count(&held),
        1,
        "an abort handle keeps no result"
    );
    assert!(stop.is_finished());

    let inside = held.clone();
    drop(pool.spawn_n(async move { inside }));
    hand.run();
    assert_eq!(
        Arc::strong_count(&held),
        1,
        "without a handle, the result goes at once"
    );
}

#[test]
fn callbacks_go_with_their_task() {
    let (hand, pool) = Hand::pool(1);
    let held = Arc::new(());
    let (first, second) = (held.clone(), held.clone());
    let task = pool
        .task(async {})
        .on_cancel(move |_| drop(first))
        .on_end(move |_| drop(second));
    let handle = task.spawn_n();
    hand.run();
    assert!(handle.is_finished());
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn an_idle_pool_keeps_no_worker_and_lists_no_task() {
    let (hand, pool) = Hand::pool(8);
    let handles: Vec<JoinHandle<()>> = (0..1000)
        .map(|n| pool.task(async {}).name(format!("{n}")).spawn_n())
        .collect();
    hand.run();
    assert!(handles.iter().all(JoinHandle::is_finished));
    assert_eq!(hand.workers(), 0);
    assert!(pool.tasks().is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_million_finished_tasks_leave_no_memory_behind() {
    alone(
        "retention::a_million_finished_tasks_leave_no_memory_behind",
        || {
            let (hand, pool) = Hand::pool(4);
            let lasting = Probe::new();
            pool.spawn_n(lasting.task(()));
            let million = || {
                for _ in 0..10 {
                    drop(pool.map_n(0..100_000, |n| async move { [n; 8] }));
                    hand.run();
                }
                resident()
            };
            let once = million();
            let twice = million();
            // A leak of a pointer each would be as much.
            let slack = (8 << 20) / 4096;
            assert!(
                twice <= once + slack,
                "{once} pages after a million tasks, {twice} after two"
            );
            assert_eq!(pool.stats().completed, 2_000_000);
        },
    );
}
