//! `permit`: code in place that has a weight and a priority.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use aiopool::{AioPool, Permit};
use futures::executor::block_on;

use crate::assert_pending;
use crate::support::{Hand, Probe, busy, on_every_runtime, poll_once, yield_now};

fn take(acquire: &mut std::pin::Pin<Box<impl Future<Output = Permit>>>) -> Permit {
    match poll_once(acquire.as_mut()) {
        Poll::Ready(permit) => permit,
        Poll::Pending => panic!("its turn has come"),
    }
}

#[test]
fn no_more_than_the_size_is_held_by_tasks_and_callers_of_any_weight() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(4);
        let group = pool.group("g", 3).unwrap();
        let held = Arc::new(AtomicUsize::new(0));
        let body = |weight: usize| {
            let held = held.clone();
            async move {
                assert!(held.fetch_add(weight, SeqCst) + weight <= 4);
                yield_now().await;
                held.fetch_sub(weight, SeqCst);
            }
        };
        let tasks: Vec<_> = (0..60)
            .map(|n| pool.task(body(1 + n % 4)).weight(1 + n % 4).spawn_n())
            .collect();
        let in_pool = (0..60).map(|n| pool.permit().weight(1 + n % 4).run(body(1 + n % 4)));
        let in_group = (0..60).map(|n| {
            let permit = group.permit().weight(1 + n % 3).priority(n as i32 % 2);
            permit.run(body(1 + n % 3))
        });
        let (in_pool, in_group) = (
            futures::future::join_all(in_pool),
            futures::future::join_all(in_group),
        );
        futures::join!(in_pool, in_group);
        for task in tasks {
            task.await.unwrap();
        }
        assert!(pool.is_empty() && group.is_empty(), "on {}", pools.runtime);
    });
}

#[test]
fn a_heavy_caller_is_not_overtaken() {
    let (hand, pool) = Hand::pool(3);
    let (probes, _running) = busy(&pool, 3);
    let mut heavy = Box::pin(pool.permit().weight(2).acquire());
    assert_pending!(heavy);
    let behind = pool.spawn_n(async {});
    probes[0].end();
    hand.run();
    assert!(!behind.is_finished());
    assert_pending!(heavy);
    probes[1].end();
    hand.run();
    let permit = take(&mut heavy);
    assert!(!behind.is_finished() && pool.is_full());
    assert_eq!((pool.active(), pool.waiting()), (2, 1));
    drop(permit);
    hand.run();
    assert!(behind.is_finished());
}

#[test]
fn a_caller_of_a_higher_priority_goes_first() {
    let (hand, pool) = Hand::pool(1);
    let permit = block_on(pool.acquire());
    let mut low = Box::pin(pool.permit().priority(-1).acquire());
    assert_pending!(low);
    let task = pool.spawn_n(async {});
    let mut high = Box::pin(pool.permit().priority(1).run(async {}));
    assert_pending!(high);
    drop(permit);
    hand.run();
    assert!(!task.is_finished());
    assert_pending!(low);
    assert!(poll_once(high.as_mut()).is_ready());
    hand.run();
    assert!(task.is_finished());
    drop(take(&mut low));
    assert!(pool.is_empty());
}

#[test]
fn a_caller_heavier_than_the_pool_waits_until_it_is_alone() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let group = pool.group("g", 1).unwrap();
        for weight in [3, usize::MAX] {
            let light = pool.acquire().await;
            let mut heavy = Box::pin(group.permit().weight(weight).acquire());
            assert_pending!(heavy);
            drop(light);
            let permit = heavy.await;
            assert!(pool.is_full() && group.is_full());
            assert!(pool.try_acquire().is_none());
            let next = pool.spawn_n(async { 7 });
            assert_eq!((pool.active(), pool.waiting()), (1, 1));
            drop(permit);
            assert_eq!(next.await.unwrap(), 7, "on {}", pools.runtime);
        }
        assert!(pool.is_empty() && group.is_empty());
    });
}

#[test]
fn try_acquire_takes_all_of_its_weight_or_nothing() {
    let (hand, pool) = Hand::pool(3);
    let two = pool.permit().weight(2).try_acquire().unwrap();
    assert!(pool.permit().weight(2).try_acquire().is_none());
    let one = pool.try_acquire().unwrap();
    drop(two);
    assert!(pool.permit().weight(3).try_acquire().is_none());
    drop(one);
    let all = pool.permit().weight(9).try_acquire().unwrap();
    assert!(pool.try_acquire().is_none());
    drop(all);
    // One that waits is overtaken by a higher priority only.
    let (probes, _running) = busy(&pool, 2);
    let mut heavy = Box::pin(pool.permit().weight(2).acquire());
    assert_pending!(heavy);
    assert!(pool.try_acquire().is_none());
    assert!(pool.permit().priority(1).try_acquire().is_some());
    probes.iter().for_each(Probe::end);
    hand.run();
    drop(take(&mut heavy));
    assert!(pool.is_empty());
}

#[test]
fn a_heavy_caller_that_goes_away_lets_the_next_start() {
    let (hand, pool) = Hand::pool(2);
    let (_probes, _running) = busy(&pool, 1);
    let mut waits = Box::pin(pool.permit().weight(2).priority(3).acquire());
    assert_pending!(waits);
    let task = pool.spawn_n(async {});
    hand.run();
    assert!(!task.is_finished());
    drop(waits);
    hand.run();
    assert!(task.is_finished());
    pool.abort_all();
    hand.run();
    let mut unseen = Box::pin(pool.permit().weight(2).acquire());
    let (probes, _running) = busy(&pool, 1);
    assert_pending!(unseen);
    probes[0].end();
    hand.run();
    assert!(pool.is_full(), "the permits are with the caller");
    drop(unseen);
    assert!(pool.is_empty());
}

#[test]
fn a_task_runs_in_place_under_the_permits_that_it_has_or_lends_them() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let inner = pool.clone();
        let task = pool.task(async move {
            let covered = inner.permit().weight(2).run(async { inner.active() }).await;
            let heavier = inner
                .permit()
                .weight(3)
                .run(async { (inner.active(), inner.waiting(), inner.is_full()) });
            (covered, heavier.await)
        });
        let seen = task.weight(2).spawn_n().await.unwrap();
        assert_eq!(seen, (1, (1, 1, true)), "on {}", pools.runtime);
        let inner = pool.clone();
        let light = pool.spawn_n(async move { inner.permit().weight(2).run(async { 5 }).await });
        assert_eq!(light.await.unwrap(), 5, "on {}", pools.runtime);
        assert!(pool.is_empty());
    });
}

#[test]
fn a_builder_that_is_dropped_asks_for_nothing() {
    let (_hand, pool) = Hand::pool(1);
    let builder = pool.permit().weight(1).priority(2);
    drop(builder.acquire());
    drop(builder.run(async {}));
    assert!(pool.is_empty());
    drop(builder.try_acquire());
    assert!(pool.is_empty());
}

#[test]
#[should_panic(expected = "the least weight is 1")]
fn a_permit_of_weight_zero_is_refused_at_once() {
    let (_hand, pool) = Hand::pool(1);
    _ = pool.permit().weight(0);
}

#[test]
fn a_run_that_panics_gives_all_its_permits_back() {
    let (_hand, pool) = Hand::pool(3);
    let run = || block_on(pool.permit().weight(3).run(async { panic!("on purpose") }));
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    assert!(pool.is_empty() && pool.permit().weight(3).try_acquire().is_some());
}

fn asking(pool: &AioPool, weight: usize) -> std::pin::Pin<Box<impl Future<Output = Permit>>> {
    let mut acquire = Box::pin(pool.permit().weight(weight).acquire());
    assert_pending!(acquire);
    acquire
}

#[test]
fn callers_take_turns_by_share_with_their_weight() {
    let hand = Hand::default();
    let pool = hand.builder().size(2).fair_share(true).build().unwrap();
    let heavy = pool.group("heavy", 2).unwrap();
    let light = pool.group("light", 2).unwrap();
    let all = block_on(pool.permit().weight(2).acquire());
    let mut first = asking(&heavy, 2);
    let mut second = asking(&heavy, 2);
    let mut others = [1, 1].map(|weight| asking(&light, weight));
    drop(all);
    drop(take(&mut first));
    assert_pending!(second);
    let held: Vec<_> = others.iter_mut().map(take).collect();
    assert_pending!(second);
    drop(held);
    drop(take(&mut second));
    assert!(pool.is_empty());
}
