//! A `join` from inside of the pool.

use futures::FutureExt;
use futures::channel::oneshot;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, poll_once, yield_now};

#[test]
fn tasks_that_join_do_not_wait_for_each_other() {
    on_every_runtime(|pools| async move {
        for size in [1, 3] {
            let pool = pools.size(size);
            let probe = Probe::new();
            // None of them joins before all are there.
            pool.pause();
            let joiners: Vec<_> = (0..3)
                .map(|_| {
                    let pool = pool.clone();
                    pool.clone().spawn_n(async move {
                        pool.join().await;
                        pool.stats().completed
                    })
                })
                .collect();
            let other = pool.spawn_n(probe.task(()));
            pool.resume();
            probe.started().await;
            assert!(joiners.iter().all(|joiner| !joiner.is_finished()));
            probe.end();
            other.await.unwrap();
            for joiner in joiners {
                assert!(joiner.await.unwrap() >= 1, "on {}", pools.runtime);
            }
            pool.join().await;
        }
    });
}

#[test]
fn a_task_alone_joins_at_once_and_one_outside_waits_for_it() {
    let (hand, pool) = Hand::pool(1);
    let (inner_pool, probe) = (pool.clone(), Probe::new());
    let after = probe.task(());
    let joiner = pool.spawn_n(async move {
        inner_pool.join().await;
        after.await;
    });
    let mut outside = Box::pin(pool.join());
    assert_pending!(outside);
    hand.run();
    assert!(probe.has_started());
    assert_pending!(outside);
    probe.end();
    hand.run();
    assert!(joiner.is_finished() && poll_once(outside.as_mut()).is_ready());
}

#[test]
fn a_task_in_several_joins_at_once_is_one_that_joins() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let (other, waits) = (Probe::new(), Probe::new());
        let running = pool.spawn(other.task(())).await;
        let inner = pool.clone();
        let waiting = waits.task(());
        let joiner = pool.spawn_n(async move {
            inner.close();
            let seen = async {
                yield_now().await;
                waiting.await;
            };
            futures::join!(inner.join(), inner.join(), inner.closed(), seen);
            inner.stats().completed
        });
        waits.started().await;
        waits.end();
        yield_now().await;
        assert!(!joiner.is_finished());
        other.end();
        assert_eq!(joiner.await.unwrap(), 1, "on {}", pools.runtime);
        running.await.unwrap();
    });
}

#[test]
fn a_join_waits_for_all_who_do_not_join_though_another_joins_twice() {
    let (hand, pool) = Hand::pool(8);
    let groups = ["one", "other"].map(|name| pool.group(name, 1).unwrap());
    let probes = [Probe::new(), Probe::new()];
    for (group, probe) in groups.iter().zip(&probes) {
        drop(group.spawn_n(probe.task(())));
    }
    let twice = pool.spawn_n(async move { futures::join!(groups[0].join(), groups[1].join()) });
    let inner = pool.clone();
    let joiner = pool.spawn_n(async move { inner.join().await });
    hand.run();
    probes[1].end();
    hand.run();
    assert!(!joiner.is_finished() && !twice.is_finished());
    probes[0].end();
    hand.run();
    assert!(joiner.is_finished() && twice.is_finished());
}

#[test]
fn a_task_whose_join_is_over_is_waited_for_before_it_is_polled() {
    let (hand, pool) = Hand::pool(3);
    let group = pool.group("group", 2).unwrap();
    let (go, gone) = oneshot::channel::<()>();
    let (around, inner) = (pool.clone(), group.clone());
    let late = pool.spawn_n(async move {
        gone.await.unwrap();
        around.join().await;
    });
    let (ends, lasts) = (Probe::new(), Probe::new());
    let after = lasts.task(());
    let early = group.spawn_n(async move {
        inner.join().await;
        after.await;
    });
    let other = group.spawn_n(ends.task(()));
    hand.run();
    ends.end();
    hand.step();
    assert!(other.is_finished() && !lasts.has_started());
    // One has what it joined for, and joins nothing more: the late one comes before it has been polled.
    go.send(()).unwrap();
    hand.step();
    assert!(lasts.has_started() && !late.is_finished());
    hand.run();
    assert!(!late.is_finished() && !early.is_finished());
    lasts.end();
    hand.run();
    assert!(late.is_finished() && early.is_finished());
}

#[test]
fn a_join_that_outlives_its_task_joins_for_nobody() {
    let (hand, pool) = Hand::pool(4);
    let probe = Probe::new();
    let other = pool.spawn_n(probe.task(()));
    let (hand_over, mut handed) = oneshot::channel();
    let inner = pool.clone();
    let task = pool.spawn_n(async move {
        let mut join = async move { inner.join().await }.boxed();
        assert!(futures::poll!(&mut join).is_pending());
        hand_over.send(join).ok().unwrap();
    });
    hand.run();
    assert!(task.is_finished());
    let mut moved = handed.try_recv().unwrap().unwrap();
    let inner = pool.clone();
    let joiner = pool.spawn_n(async move { inner.join().await });
    hand.run();
    assert!(!joiner.is_finished());
    assert_pending!(moved);
    probe.end();
    hand.run();
    assert!(other.is_finished() && joiner.is_finished());
    assert!(poll_once(moved.as_mut()).is_ready());
}

#[test]
fn one_who_joins_a_group_that_it_is_not_in_waits_for_all_of_it() {
    let (hand, pool) = Hand::pool(2);
    let group = pool.group("group", 1).unwrap();
    let (inner, lasts) = (group.clone(), Probe::new());
    let after = lasts.task(());
    let member = group.spawn_n(async move {
        inner.join().await;
        after.await;
    });
    let other = pool.spawn_n(async move { group.join().await });
    hand.run();
    assert!(lasts.has_started() && !other.is_finished());
    lasts.end();
    hand.run();
    assert!(member.is_finished() && other.is_finished());
}

#[test]
fn tasks_of_two_groups_that_join_each_others_group_do_not_wait_for_each_other() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let groups = [pool.group("a", 1).unwrap(), pool.group("b", 1).unwrap()];
        pool.pause();
        let handles = [0, 1].map(|n| {
            let other = groups[1 - n].clone();
            groups[n].spawn_n(async move { other.join().await })
        });
        pool.resume();
        for handle in handles {
            handle.await.unwrap();
        }
        assert!(pool.is_empty(), "on {}", pools.runtime);
    });
}
