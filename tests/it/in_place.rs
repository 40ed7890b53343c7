//! `run` and `acquire`: permits for code that cannot be a task.

use std::cell::Cell;
use std::rc::Rc;

use aiopool::Shutdown;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, poll_once, yield_now};

#[test]
fn run_takes_futures_that_borrow_and_are_not_send() {
    let (_hand, pool) = Hand::pool(1);
    let (text, seen) = (String::from("borrowed"), Rc::new(Cell::new(0)));
    let run = pool.run(async {
        yield_now().await;
        seen.set(text.len());
        &*text
    });
    assert_eq!(futures::executor::block_on(run), "borrowed");
    assert_eq!((seen.get(), pool.len()), (8, 0));
}

#[test]
fn both_stand_in_the_queue_of_the_tasks() {
    let (hand, pool) = Hand::pool(1);
    let first = Probe::new();
    let running = pool.spawn_n(first.task(()));
    let mut asks = Box::pin(pool.acquire());
    assert_pending!(asks);
    let later = Probe::new();
    let waits = pool.spawn_n(later.task(()));
    let mut runs = Box::pin(pool.run(async { "in place" }));
    assert_pending!(runs);
    assert_eq!((pool.active(), pool.waiting(), pool.len()), (1, 3, 4));
    assert_eq!(pool.tasks().len(), 2, "they are not listed");
    first.end();
    hand.run();
    assert!(running.is_finished() && !later.has_started());
    assert_pending!(runs);
    let permit = match poll_once(asks.as_mut()) {
        std::task::Poll::Ready(permit) => permit,
        std::task::Poll::Pending => panic!("its turn has come"),
    };
    assert_eq!((pool.active(), pool.waiting()), (1, 2));
    drop(permit);
    hand.run();
    assert!(later.has_started());
    later.end();
    hand.run();
    assert!(waits.is_finished());
    assert!(poll_once(runs.as_mut()).is_ready());
    assert!(pool.is_empty() && !pool.is_full());
}

#[test]
fn dropped_while_they_wait_they_leave_nothing() {
    let (hand, pool) = Hand::pool(1);
    let group = pool.group("g", 1).unwrap();
    let permit = futures::executor::block_on(group.acquire());
    let mut asks = Box::pin(group.acquire());
    assert_pending!(asks);
    let mut runs = Box::pin(pool.run(async {}));
    assert_pending!(runs);
    let task = pool.spawn_n(async {});
    drop(runs);
    drop(asks);
    assert_eq!((pool.active(), pool.waiting()), (1, 1));
    drop(permit);
    hand.run();
    assert!(task.is_finished() && pool.is_empty() && group.is_empty());
    drop(group);
    assert!(pool.groups().is_empty());
}

#[test]
fn a_permit_that_came_to_one_who_is_gone_goes_on() {
    let (hand, pool) = Hand::pool(1);
    let first = Probe::new();
    let _running = pool.spawn_n(first.task(()));
    let mut asks = Box::pin(pool.acquire());
    assert_pending!(asks);
    let task = pool.spawn_n(async {});
    first.end();
    hand.run();
    assert!(!task.is_finished(), "the permit is with the one who asked");
    drop(asks);
    hand.run();
    assert!(task.is_finished());
}

#[test]
fn a_run_dropped_half_way_gives_its_permit_back_after_its_future() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    let mut runs = Box::pin(pool.run(probe.task(())));
    assert_pending!(runs);
    assert!(probe.has_started() && pool.is_full());
    let task = pool.spawn_n(async {});
    drop(runs);
    hand.run();
    assert!(probe.is_dropped() && task.is_finished());
}

#[test]
fn they_are_not_cancelled_and_the_pool_waits_for_them() {
    let (_hand, pool) = Hand::pool(1);
    let permit = futures::executor::block_on(pool.acquire());
    let mut asks = Box::pin(pool.acquire());
    assert_pending!(asks);
    assert_eq!(pool.abort_all(), 0);
    assert_eq!(futures::executor::block_on(pool.cancel_all()), 0);
    let mut drained = Box::pin(pool.shutdown(Shutdown::CancelAll));
    assert_pending!(drained);
    drop(permit);
    assert_pending!(drained);
    assert!(
        poll_once(asks.as_mut()).is_ready(),
        "a closed pool does not refuse them"
    );
    drop(asks);
    assert!(poll_once(drained.as_mut()).is_ready());
    assert_eq!(pool.stats().submitted, 0);
}

#[test]
fn never_more_than_the_size_run_in_place_and_as_tasks() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let running = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let body = |running: std::sync::Arc<std::sync::atomic::AtomicUsize>| async move {
            use std::sync::atomic::Ordering::SeqCst;
            assert!(running.fetch_add(1, SeqCst) < 2);
            yield_now().await;
            running.fetch_sub(1, SeqCst);
        };
        let tasks = pool.map_n(0..100, |_| body(running.clone()));
        let in_place = (0..100).map(|_| pool.run(body(running.clone())));
        futures::future::join_all(in_place).await;
        for task in tasks {
            task.await.unwrap();
        }
        assert!(pool.is_empty(), "on {}", pools.runtime);
    });
}

#[test]
fn a_task_that_runs_in_place_needs_no_second_permit() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let group = pool.group("g", 1).unwrap();
        let (around, inside) = (pool.clone(), group.clone());
        let in_group = group.spawn_n(async move {
            let same = inside.run(async { 1 }).await;
            same + around.run(async { 10 }).await
        });
        assert_eq!(in_group.await.unwrap(), 11, "on {}", pools.runtime);
        let beside = pool.spawn_n(async move { group.run(async { 100 }).await });
        assert_eq!(beside.await.unwrap(), 100, "on {}", pools.runtime);
        assert!(pool.is_empty());
    });
}

#[test]
fn try_acquire_takes_a_free_permit_and_gives_it_back() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let group = pool.group("group", 1).unwrap();
        let inner = group.try_acquire().unwrap();
        assert!(group.try_acquire().is_none());
        let outer = pool.try_acquire().unwrap();
        assert!(pool.try_acquire().is_none());
        assert_eq!((pool.active(), pool.len(), group.len()), (2, 2, 1));
        drop(outer);
        assert!(group.try_acquire().is_none(), "the group is full");
        drop(inner);
        assert!(group.try_acquire().is_some());
        assert_eq!((pool.len(), pool.stats().submitted), (0, 0));
        pool.close();
        assert!(pool.try_acquire().is_some(), "as `acquire` does");
        pool.pause();
        assert!(pool.try_acquire().is_none());
        assert!(pool.is_empty());
    });
}

#[test]
fn try_acquire_overtakes_nobody() {
    let (hand, pool) = Hand::pool(2);
    let busy = Probe::new();
    pool.spawn_n(busy.task(()));
    let heavy = Probe::new();
    pool.task(heavy.task(())).weight(2).spawn_n();
    assert_eq!((pool.active(), pool.waiting()), (1, 1));
    assert!(pool.try_acquire().is_none(), "the heavy task comes first");
    busy.end();
    hand.run();
    assert!(heavy.has_started());
    heavy.end();
    hand.run();
    let first = pool.try_acquire().unwrap();
    let second = pool.try_acquire().unwrap();
    let mut asks = Box::pin(pool.acquire());
    assert_pending!(asks);
    drop(first);
    assert!(pool.try_acquire().is_none(), "it is the other caller's");
    drop((asks, second));
    assert!(pool.is_empty());
}

#[test]
fn a_permit_of_try_acquire_starts_the_next_task_when_it_is_dropped() {
    let (hand, pool) = Hand::pool(1);
    let permit = pool.try_acquire().unwrap();
    let next = Probe::new();
    pool.spawn_n(next.task(()));
    hand.run();
    assert!(!next.has_started());
    drop(permit);
    hand.run();
    assert!(next.has_started());
}
