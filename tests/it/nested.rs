//! DESIGN 3.8: nested use never deadlocks.

use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use aiopool::{
    AioPool, FnSpawner, ReturnWhen, Shutdown, TaskState, Worker, current, iterwait, lend, wait,
};
use futures::channel::oneshot;
use futures::future::{BoxFuture, Either, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once, yield_now};

/// Counts the bodies that run, between their awaits.
#[derive(Clone, Default)]
struct Bodies(Arc<AtomicUsize>);

impl Bodies {
    /// What a task does itself, between two waits.
    fn work(&self, most: usize) {
        assert!(self.0.fetch_add(1, SeqCst) < most, "too many bodies run");
        std::thread::yield_now();
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Counts the nodes of a binary tree, each in a task, in one of the ways in which a task can wait for others.
fn count(pool: AioPool, depth: u64, bodies: Bodies, size: usize) -> BoxFuture<'static, u64> {
    async move {
        bodies.work(size);
        if depth == 0 {
            return 1;
        }
        let below = |_: i32| count(pool.clone(), depth - 1, bodies.clone(), size);
        let counted: u64 = match depth % 6 {
            0 => pool.exec(below(0)).await.unwrap() + pool.exec(below(1)).await.unwrap(),
            1 => {
                let results = pool.map(0..2, below).await;
                results.into_iter().map(Result::unwrap).sum()
            }
            2 => {
                let fallible = |n| below(n).map(Ok::<_, ()>);
                pool.try_map(0..2, fallible).await.unwrap().iter().sum()
            }
            3 => {
                let results = pool.itermap(0..2, below).collect::<Vec<_>>().await;
                results.into_iter().map(Result::unwrap).sum()
            }
            4 => {
                let handles = pool.map_n(0..2, below);
                let results: Vec<_> = handles
                    .into_iter()
                    .collect::<FuturesUnordered<_>>()
                    .collect()
                    .await;
                results.into_iter().map(Result::unwrap).sum()
            }
            _ => {
                let (one, other) = (pool.spawn(below(0)).await, pool.spawn(below(1)).await);
                let (one, other) = futures::join!(one, other);
                one.unwrap() + other.unwrap()
            }
        };
        bodies.work(size);
        counted + 1
    }
    .boxed()
}

#[test]
fn a_small_pool_walks_a_tree_recursively_and_runs_no_more_bodies_than_its_size() {
    on_every_runtime(|pools| async move {
        for size in [1, 2, 3] {
            let pool = pools.size(size);
            let walk = count(pool.clone(), 8, Bodies::default(), size);
            assert_eq!(pool.exec(walk).await.unwrap(), 511, "{}", pools.runtime);
            pool.join().await;
            let stats = pool.stats();
            assert_eq!((stats.submitted, stats.completed), (511, 511));
        }
    });
}

#[test]
fn a_chain_of_a_thousand_tasks_fits_into_one_permit() {
    fn chain(pool: AioPool, length: u32) -> BoxFuture<'static, u32> {
        async move {
            match length {
                0 => 0,
                _ => pool.exec(chain(pool.clone(), length - 1)).await.unwrap() + 1,
            }
        }
        .boxed()
    }
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let length = pool.exec(chain(pool.clone(), 1000)).await.unwrap();
        assert_eq!(length, 1000, "on {}", pools.runtime);
    });
}

#[test]
fn groups_of_size_one_inside_of_each_other_do_not_deadlock() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let group = pool.group("g", 1).unwrap();
        let (around, inside) = (pool.clone(), group.clone());
        let handle = group.spawn_n(async move {
            let same = inside.exec(async { 1 }).await.unwrap();
            let wider = around.exec(async { 10 }).await.unwrap();
            let inner = inside.group("h", 1).unwrap();
            same + wider + inner.exec(async { 100 }).await.unwrap()
        });
        assert_eq!(handle.await.unwrap(), 111, "on {}", pools.runtime);
    });
}

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
    hand.poll_each_once();
    assert!(other.is_finished() && !lasts.has_started());
    // One has what it joined for, and joins nothing more: the late one comes before it has been polled.
    go.send(()).unwrap();
    hand.poll_each_once();
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
fn a_task_closes_and_drains_its_own_pool() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inner = pool.clone();
        let handle = pool.spawn_n(async move {
            let handles = inner.map_n(0..10, |n| async move { n });
            inner.shutdown(aiopool::Shutdown::Drain).await;
            handles.iter().all(aiopool::JoinHandle::is_finished)
        });
        assert!(handle.await.unwrap(), "on {}", pools.runtime);
    });
}

#[test]
fn a_task_cancels_others_and_waits_for_them() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inner = pool.clone();
        let handle = pool.spawn_n(async move {
            let endless = inner.map_n(0..3, |_| pending::<()>());
            let one = inner.spawn(pending::<()>());
            drop(one);
            inner.cancel(endless).await.cancelled
        });
        assert_eq!(handle.await.unwrap(), 3, "on {}", pools.runtime);
    });
}

#[test]
fn one_who_cancels_all_of_a_group_lends_until_they_have_stopped() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let group = pool.group("group", 1).unwrap();
        let saves = group.task(async {
            lend(current().unwrap().aborted()).await;
            "saved"
        });
        let saves = saves.grace(Duration::from_secs(3_600)).spawn_n();
        let cancels = pool.spawn_n(async move { group.cancel_all().await });
        assert_eq!(cancels.await.unwrap(), 0);
        assert_eq!(saves.await.unwrap(), "saved");
    });
}

#[test]
fn one_who_has_dropped_a_cancel_all_lends_no_longer() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let group = pool.group("group", 1).unwrap();
        let slow = group.task(pending::<()>());
        let slow = slow.grace(Duration::from_secs(3_600)).spawn().await;
        let (quick, last) = (Probe::new(), Probe::new());
        let (awake, after) = (quick.task(()).boxed(), last.task(()));
        let task = pool.spawn_n(async move {
            select(group.cancel_all().boxed(), awake).await;
            after.await;
        });
        quick.started().await;
        yield_now().await;
        assert_eq!(task.state(), TaskState::Waiting);
        quick.end();
        last.started().await;
        yield_now().await;
        assert_eq!(task.state(), TaskState::Active);
        last.end();
        task.await.unwrap();
        slow.await.unwrap_err();
    });
}

#[test]
fn a_task_ends_a_group_by_a_deadline_though_others_have_the_permits() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let group = pool.group("group", 1).unwrap();
        let how = Shutdown::Deadline(Duration::from_secs(1));
        let task = pool.spawn_n(async move {
            let endless = group.spawn_n(pending::<()>());
            let report = group.shutdown(how).await;
            (report.cancelled, endless.is_finished())
        });
        assert_eq!(task.await.unwrap(), (1, true));
    });
}

#[test]
fn a_wait_dropped_half_way_is_over_and_the_task_goes_on_with_its_permit() {
    let (hand, pool) = Hand::pool(2);
    let (inner_pool, probe, quick, last) = (pool.clone(), Probe::new(), Probe::new(), Probe::new());
    let (inner, awake, after) = (probe.task(()), quick.task(()), last.task(()));
    let outer = pool.spawn_n(async move {
        let handle = inner_pool.spawn_n(inner);
        match select(handle, Box::pin(awake)).await {
            Either::Left(_) => unreachable!("it was not told to end"),
            Either::Right((_, handle)) => drop(handle),
        }
        after.await;
    });
    let blocker = Probe::new();
    let blocking = pool.spawn_n(blocker.task(()));
    hand.run();
    // It lends while both are pending, and the inner task runs.
    assert!(probe.has_started() && blocker.has_started());
    assert_eq!((pool.active(), pool.waiting()), (2, 1));
    quick.end();
    hand.run();
    assert!(!last.has_started(), "it has no permit, and is not polled");
    blocker.end();
    hand.run();
    assert!(blocking.is_finished() && last.has_started());
    // The wait was dropped: from now on it keeps its permit.
    let next = pool.spawn_n(async {});
    hand.run();
    assert!(!next.is_finished());
    assert_eq!((pool.active(), pool.waiting()), (2, 1));
    last.end();
    hand.run();
    assert!(outer.is_finished() && next.is_finished());
    assert!(
        !probe.is_dropped(),
        "a handle that is dropped detaches its task"
    );
}

#[test]
fn a_wait_dropped_on_another_thread_is_over_when_the_task_is_woken() {
    let (hand, pool) = Hand::pool(2);
    let (inner_pool, inner, awake, last) = (pool.clone(), Probe::new(), Probe::new(), Probe::new());
    let (long, woken, after) = (inner.task(()), awake.task(()), last.task(()));
    let (give, taken) = std::sync::mpsc::channel();
    let outer = pool.spawn_n(async move {
        let mut handle = inner_pool.spawn_n(long);
        assert!(futures::poll!(&mut handle).is_pending());
        give.send(handle).unwrap();
        woken.await;
        after.await;
    });
    hand.run();
    assert_eq!((pool.active(), pool.waiting()), (1, 1), "it lends");
    let handle = taken.recv().unwrap();
    std::thread::spawn(move || drop(handle)).join().unwrap();
    awake.end();
    hand.run();
    // It waits for nobody of its pool any more, and keeps its permit.
    let next = pool.spawn_n(async {});
    hand.run();
    assert!(last.has_started() && !next.is_finished());
    assert_eq!((pool.active(), pool.waiting()), (2, 1));
    last.end();
    hand.run();
    assert!(outer.is_finished() && next.is_finished());
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
fn a_task_that_lends_is_aborted_like_any_other() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (inner_pool, probe) = (pool.clone(), Probe::new());
        let inner = probe.task(());
        let outer = pool.spawn_n(async move { inner_pool.exec(inner).await.is_ok() });
        probe.started().await;
        assert!(outer.abort());
        assert!(outer.await.unwrap_err().is_cancelled());
        // `exec` aborts its own task when it is dropped.
        pool.join().await;
        assert!(probe.is_dropped());
        assert_eq!(pool.stats().cancelled, 2, "on {}", pools.runtime);
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn cancelling_all_stops_those_that_lend_and_those_that_return() {
    let (hand, pool) = Hand::pool(1);
    let (inner_pool, probe) = (pool.clone(), Probe::new());
    let inner = probe.task(());
    let outer = pool.spawn_n(async move {
        inner_pool.exec(inner).await.unwrap();
    });
    hand.run();
    let mut cancelled = Box::pin(pool.cancel_all());
    assert_pending!(cancelled);
    hand.run();
    assert_eq!(poll_once(cancelled.as_mut()), std::task::Poll::Ready(2));
    assert!(outer.is_finished() && pool.is_empty() && !pool.is_full());
}

#[test]
fn a_runtime_that_ends_settles_those_that_lend() {
    let (hand, pool) = Hand::pool(1);
    let (inner_pool, probe) = (pool.clone(), Probe::new());
    let inner = probe.task(());
    let outer = pool.spawn_n(async move { inner_pool.exec(inner).await.is_ok() });
    hand.run();
    hand.drop_workers();
    assert!(outer.is_finished() && pool.is_empty() && !pool.is_full());
    let stats = pool.stats();
    assert_eq!((stats.submitted, stats.cancelled), (2, 2));
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
fn lend_gives_the_permit_to_others_and_comes_back_with_one() {
    let (hand, pool) = Hand::pool(1);
    let (tell, told) = oneshot::channel();
    let last = Probe::new();
    let after = last.task(());
    let waits = pool.spawn_n(async move {
        lend(told).await.unwrap();
        after.await;
    });
    let probe = Probe::new();
    let other = pool.spawn_n(probe.task(()));
    hand.run();
    assert!(probe.has_started());
    assert_eq!((pool.active(), pool.waiting()), (1, 1));
    tell.send(()).unwrap();
    hand.run();
    assert!(!last.has_started(), "the other has the permit");
    probe.end();
    hand.run();
    assert!(other.is_finished() && last.has_started());
    last.end();
    hand.run();
    assert!(waits.is_finished());
}

#[test]
fn what_is_inside_of_lend_goes_on_without_a_permit() {
    let (hand, pool) = Hand::pool(1);
    let (ask, asked) = oneshot::channel::<oneshot::Sender<()>>();
    let first = pool.spawn_n(async move {
        // Between the two awaits the permit is with the other task, which waits for this step.
        lend(async { asked.await.unwrap().send(()) }).await.unwrap();
    });
    let second = pool.spawn_n(async move {
        let (answer, answered) = oneshot::channel();
        ask.send(answer).unwrap();
        answered.await.unwrap();
    });
    hand.run();
    assert!(first.is_finished() && second.is_finished());
}

#[test]
fn a_lend_dropped_half_way_takes_a_permit_again_before_the_next_poll() {
    let (hand, pool) = Hand::pool(1);
    let (quick, last) = (Probe::new(), Probe::new());
    let (awake, after) = (quick.task(()), last.task(()));
    let outer = pool.spawn_n(async move {
        let lent = Box::pin(lend(pending::<()>()));
        select(lent, Box::pin(awake)).await.factor_first();
        yield_now().await;
        after.await;
    });
    let probe = Probe::new();
    let other = pool.spawn_n(probe.task(()));
    hand.run();
    assert!(probe.has_started());
    quick.end();
    hand.run();
    assert!(!last.has_started());
    probe.end();
    hand.run();
    assert!(other.is_finished() && last.has_started());
    last.end();
    hand.run();
    assert!(outer.is_finished());
}

#[test]
fn lend_among_others_in_one_task_ends_though_nobody_polls_it_by_chance() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inner = pool.clone();
        let handle = pool.spawn_n(async move {
            let lent = (0..3).map(|n| {
                let inner = inner.clone();
                lend(async move { inner.exec(async move { n }).await.unwrap() })
            });
            let mut sum = 0;
            let mut lent: FuturesUnordered<_> = lent.collect();
            while let Some(n) = lent.next().await {
                sum += n;
            }
            sum
        });
        assert_eq!(handle.await.unwrap(), 3, "on {}", pools.runtime);
    });
}

#[test]
fn what_runs_in_place_inside_of_lend_has_a_permit_of_its_own() {
    let (hand, pool) = Hand::pool(1);
    let probes = [Probe::new(), Probe::new()];
    let (inner, in_place) = (pool.clone(), probes[0].task(1));
    let lends = pool.spawn_n(async move { lend(inner.run(in_place)).await });
    let other = pool.spawn_n(probes[1].task(2));
    hand.run();
    assert!(!probes[0].has_started() && probes[1].has_started());
    probes[1].end();
    hand.run();
    assert!(other.is_finished() && probes[0].has_started());
    assert_eq!(pool.active(), 1);
    probes[0].end();
    hand.run();
    assert!(lends.is_finished() && pool.is_empty());
}

#[test]
fn lend_outside_of_a_task_is_just_the_future() {
    assert_eq!(futures::executor::block_on(lend(async { 7 })), 7);
}

#[test]
fn a_task_knows_who_it_is() {
    on_every_runtime(|pools| async move {
        let pool = pools.builder().name("p").size(2).build().unwrap();
        let group = pool.group("g", 1).unwrap();
        let me = || async {
            yield_now().await;
            let me = current().unwrap();
            (
                me.id(),
                me.name().into_owned(),
                me.pool().name().to_owned(),
                me.is_aborted(),
            )
        };
        let plain = pool.spawn_n(me());
        let id = plain.id();
        assert_eq!(
            plain.await.unwrap(),
            (id, format!("p-{id}"), "p".into(), false)
        );
        let named = group.task(me()).name("own").spawn_n();
        let id = named.id();
        assert_eq!(named.await.unwrap(), (id, "own".into(), "g".into(), false));
        assert!(current().is_none(), "on {}", pools.runtime);
    });
}

#[test]
fn a_current_that_is_kept_knows_the_end_of_its_task() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    let wait = probe.task(());
    let (tell, mut told) = oneshot::channel();
    let handle = pool.spawn_n(async move {
        tell.send(current().unwrap()).unwrap();
        wait.await;
    });
    hand.run();
    let kept = told.try_recv().unwrap().unwrap();
    let mut over = Box::pin(kept.aborted());
    assert_pending!(over);
    probe.end();
    hand.run();
    assert!(handle.is_finished() && kept.is_aborted());
    assert!(poll_once(over.as_mut()).is_ready());
}

/// A worker that is polled by whoever wakes it, inside of that.
struct Inline {
    worker: Mutex<Option<Worker>>,
    again: AtomicBool,
}

impl Inline {
    fn pool(size: usize) -> AioPool {
        let spawn = |worker: Worker| {
            let (worker, again) = (Mutex::new(Some(worker)), AtomicBool::new(false));
            Arc::new(Self { worker, again }).wake();
        };
        AioPool::with_spawner(size, FnSpawner(spawn))
    }
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        self.again.store(true, SeqCst);
        let Ok(mut worker) = self.worker.try_lock() else {
            return;
        };
        while self.again.swap(false, SeqCst) {
            let waker = Waker::from(self.clone());
            let mut cx = Context::from_waker(&waker);
            let poll = |worker: &mut Worker| Pin::new(worker).poll(&mut cx).is_ready();
            if worker.as_mut().is_some_and(poll) {
                *worker = None;
            }
        }
    }
}

#[test]
fn a_wait_is_over_before_the_task_is_woken() {
    let pool = Inline::pool(2);
    let (inner_pool, last) = (pool.clone(), Probe::new());
    let after = last.task(());
    let (end, ends) = oneshot::channel::<()>();
    let task = pool.spawn_n(async move {
        inner_pool.exec(ends).await.unwrap().unwrap();
        after.await;
    });
    assert_eq!(task.state(), TaskState::Waiting);
    end.send(()).unwrap();
    assert!(last.has_started());
    assert_eq!((task.state(), pool.active()), (TaskState::Active, 1));
    last.end();
    assert!(task.is_finished());
}

#[test]
fn who_waits_no_longer_for_an_abort_leaves_no_waker() {
    let (hand, pool) = Hand::pool(1);
    let (tell, mut told) = oneshot::channel();
    let task = pool.spawn_n(async move {
        tell.send(current().unwrap()).unwrap();
        pending::<()>().await;
    });
    hand.run();
    let kept = told.try_recv().unwrap().unwrap();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    let mut waits = Box::pin(kept.aborted());
    assert!(waits.as_mut().poll(&mut cx).is_pending());
    assert!(waits.as_mut().poll(&mut cx).is_pending());
    assert_eq!(Arc::strong_count(&woken), 3);
    drop(waits);
    assert_eq!(Arc::strong_count(&woken), 2);
    let mut waits = Box::pin(kept.aborted());
    assert!(waits.as_mut().poll(&mut cx).is_pending());
    task.abort();
    assert_eq!(woken.0.load(SeqCst), 1);
    assert!(waits.as_mut().poll(&mut cx).is_ready());
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn what_is_no_task_is_not_the_current_one() {
    let (hand, pool) = Hand::pool(1);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let closure = seen.clone();
    let feed = pool.feed(0..2, move |_| {
        let in_closure = current().map(|task| task.id().get());
        let seen = closure.clone();
        async move {
            let in_task = current().map(|task| task.id().get());
            seen.lock().unwrap().push((in_closure, in_task));
        }
    });
    hand.run();
    drop(feed);
    assert_eq!(*seen.lock().unwrap(), [(None, Some(0)), (None, Some(1))]);
}

#[test]
fn a_lend_that_is_ready_does_not_hold_up_the_others_of_its_task() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (feed, fed) = oneshot::channel();
        let (go, gone) = oneshot::channel();
        let feeds = async move {
            for _ in 0..20 {
                yield_now().await;
            }
            feed.send(()).unwrap();
        };
        let lends = pool.spawn_n(async move {
            let (gone, ()) = futures::join!(lend(gone), lend(feeds));
            gone.unwrap();
        });
        // It has the permit, and is fed by the one who wants it back.
        let holds = pool.spawn_n(async move {
            go.send(()).unwrap();
            fed.await.unwrap();
        });
        holds.await.unwrap();
        lends.await.unwrap();
        pool.exec(async {}).await.unwrap();
        assert!(pool.is_empty(), "on {}", pools.runtime);
    });
}

#[test]
fn a_task_lends_again_for_those_of_its_lends_that_are_not_ready() {
    let (hand, pool) = Hand::pool(1);
    let (soon, is_soon) = oneshot::channel();
    let (late, is_late) = oneshot::channel();
    let seen = Arc::new(AtomicUsize::new(0));
    let sees = seen.clone();
    let first = async move {
        lend(is_soon).await.unwrap();
        sees.fetch_add(1, SeqCst);
    };
    let lends = pool.spawn_n(async move { futures::join!(first, lend(is_late)).1.unwrap() });
    let probe = Probe::new();
    pool.spawn_n(probe.task(()));
    hand.run();
    soon.send(()).unwrap();
    hand.run();
    assert_eq!(seen.load(SeqCst), 0, "it went on without a permit");
    probe.end();
    hand.run();
    assert_eq!((seen.load(SeqCst), pool.active()), (1, 0));
    late.send(()).unwrap();
    hand.run();
    assert!(lends.is_finished() && pool.is_empty());
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

/// Writes down which task runs where it is woken, and where it is dropped.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Option<u64>>>>);

impl Notes {
    fn note(&self) {
        let id = current().map(|task| task.id().get());
        self.0.lock().unwrap().push(id);
    }
}

struct Noting(Notes);

impl Wake for Noting {
    fn wake(self: Arc<Self>) {
        self.0.note();
    }
}

struct Left(Notes);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.note();
    }
}

#[test]
fn what_a_task_leaves_behind_does_not_run_as_the_next_one() {
    let (hand, pool) = Hand::pool(1);
    let notes = Notes::default();
    let (result, inside) = (notes.clone(), notes.clone());
    drop(pool.spawn_n(async move {
        inside.note();
        Left(result)
    }));
    let mut awaited = pool.spawn_n(async {});
    pool.spawn_n(async {});
    let waker = Waker::from(Arc::new(Noting(notes.clone())));
    let polled = Pin::new(&mut awaited).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    hand.run();
    // Its result, which nobody can read, is dropped while it is still the one that runs.
    assert_eq!(*notes.0.lock().unwrap(), [Some(0), Some(0), None]);
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

#[test]
fn iterwait_holds_on_to_no_wait_that_is_over() {
    let (hand, pool) = Hand::pool(2);
    let (probe, after) = (Probe::new(), Probe::new());
    let mut results = iterwait([pool.spawn_n(probe.task(1))]);
    let mut begun = Box::pin(results.next());
    assert_pending!(begun);
    drop(begun);
    let then = after.task(());
    let reads = pool.spawn_n(async move {
        let read = results.next().await.unwrap().unwrap();
        then.await;
        drop(results);
        read
    });
    hand.run();
    assert_eq!(reads.state(), TaskState::Waiting);
    probe.end();
    hand.run();
    assert_eq!(reads.state(), TaskState::Active);
    after.end();
    hand.run();
    assert!(reads.is_finished());
}

/// A waker that is counted as long as it is kept.
struct Kept;

impl Wake for Kept {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_lend_that_waits_for_its_permit_keeps_one_waker_however_often_it_is_polled() {
    let (hand, pool) = Hand::pool(1);
    let kept = Arc::new(Kept);
    let waker = std::task::Waker::from(kept.clone());
    let busy = Probe::new();
    let (told, task) = (busy.clone(), busy.task(()));
    let handle = pool.spawn_n(async move {
        let lend = || aiopool::lend(std::future::ready(()));
        let mut ready = Box::pin(lend());
        let mut lent = Box::pin(aiopool::lend(task));
        std::future::poll_fn(move |cx| {
            let mut counted = std::task::Context::from_waker(&waker);
            let over = lent.as_mut().poll(cx);
            for _ in 0..100 {
                if ready.as_mut().poll(&mut counted).is_ready() {
                    ready = Box::pin(lend());
                }
            }
            over
        })
        .await;
    });
    let next = Probe::new();
    pool.spawn_n(next.task(()));
    hand.run();
    assert!(next.has_started());
    assert!(
        Arc::strong_count(&kept) <= 3,
        "{}",
        Arc::strong_count(&kept)
    );
    told.end();
    next.end();
    hand.run();
    assert!(handle.is_finished());
}
