//! When a task lends its permit, when it has one again, and how it is counted meanwhile.

use aiopool::{ReturnWhen, TaskState, iterwait, wait};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::support::{Hand, Probe, on_every_runtime, yield_now};

#[test]
fn a_task_lends_while_it_waits_and_counts_as_waiting() {
    let (hand, pool) = Hand::pool(1);
    let (probe, inner_pool) = (Probe::new(), pool.clone());
    let inner = probe.task(7);
    let outer = pool.spawn_n(async move { inner_pool.exec(inner).await.unwrap() });
    hand.run();
    assert!(probe.has_started());
    assert_eq!((pool.active(), pool.waiting(), pool.len()), (1, 1, 2));
    assert_eq!(outer.state(), TaskState::Waiting);
    let states: Vec<_> = pool.tasks().iter().map(|task| task.state).collect();
    assert_eq!(states, [TaskState::Waiting, TaskState::Active]);
    probe.end();
    hand.run();
    assert!(outer.is_finished() && pool.is_empty());
}

#[test]
fn one_who_returns_goes_before_all_that_have_not_started() {
    let (hand, pool) = Hand::pool(1);
    let (probe, inner_pool) = (Probe::new(), pool.clone());
    let (inner, last) = (probe.task(()), Probe::new());
    let ended = last.task(());
    let outer = pool.spawn_n(async move {
        inner_pool.exec(inner).await.unwrap();
        ended.await;
    });
    hand.run();
    let urgent = pool.task(async {}).priority(9).spawn_n();
    probe.end();
    hand.run();
    assert!(last.has_started() && !urgent.is_finished());
    last.end();
    hand.run();
    assert!(outer.is_finished() && urgent.is_finished());
}

#[test]
fn a_task_that_does_not_wait_for_its_pool_keeps_its_permit() {
    let (hand, pool) = Hand::pool(1);
    let (other_hand, other) = Hand::pool(1);
    let elsewhere = Probe::new();
    let foreign = other.spawn_n(elsewhere.task(()));
    let outer = pool.spawn_n(async move { foreign.await.unwrap() });
    let next = pool.spawn_n(async {});
    hand.run();
    other_hand.run();
    assert_eq!((pool.active(), pool.waiting()), (1, 1));
    assert!(!next.is_finished());
    elsewhere.end();
    other_hand.run();
    hand.run();
    assert!(outer.is_finished() && next.is_finished());
}

#[test]
fn a_pause_does_not_hold_back_one_who_has_started() {
    let (hand, pool) = Hand::pool(1);
    let (inner_pool, probe) = (pool.clone(), Probe::new());
    let inner = probe.task(());
    let outer = pool.spawn_n(async move { inner_pool.exec(inner).await.unwrap() });
    hand.run();
    pool.pause();
    probe.end();
    hand.run();
    assert!(outer.is_finished());
}

#[test]
fn a_heavy_task_lends_all_its_permits_and_takes_them_again() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let inner = pool.clone();
        let heavy = pool.task(async move {
            let sum: i32 = inner
                .map(0..10, |n| async move {
                    yield_now().await;
                    n
                })
                .await
                .into_iter()
                .map(Result::unwrap)
                .sum();
            (sum, inner.active())
        });
        let handle = heavy.weight(3).spawn_n();
        assert_eq!(handle.await.unwrap(), (45, 1), "on {}", pools.runtime);
    });
}

#[test]
fn a_wait_for_several_that_has_begun_elsewhere_lends_where_it_goes_on() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        for way in 0..3 {
            pool.pause();
            // Those who wait are asked before those whom they wait for.
            let task = |n| pool.task(async move { n }).priority(-1);
            let inside = pool.clone();
            let mut waits: BoxFuture<'static, usize> = match way {
                0 => {
                    let mut results = iterwait((0..3).map(|n| task(n).spawn_n()));
                    async move {
                        let mut read = 0;
                        while results.next().await.is_some() {
                            read += 1;
                        }
                        read
                    }
                    .boxed()
                }
                1 => {
                    let handles = (0..3).map(|n| task(n).spawn_n()).collect();
                    wait(handles, ReturnWhen::AllCompleted, None)
                        .map(|waited| waited.done.len())
                        .boxed()
                }
                _ => async move {
                    let values = inside.try_map(0..3, |n| async move { Ok::<_, ()>(n) });
                    values.await.unwrap().len()
                }
                .boxed(),
            };
            assert!(futures::poll!(&mut waits).is_pending());
            let waits = pool.spawn_n(waits);
            pool.resume();
            assert_eq!(waits.await.unwrap(), 3, "on {}", pools.runtime);
        }
    });
}
