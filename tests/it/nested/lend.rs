//! `lend`: waits for something else than the pool.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Wake;

use aiopool::lend;
use futures::StreamExt;
use futures::channel::oneshot;
use futures::future::select;
use futures::stream::FuturesUnordered;

use crate::support::{Hand, Probe, on_every_runtime, yield_now};

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
