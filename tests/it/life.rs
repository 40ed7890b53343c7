//! The life of a pool: join, close, pause, below, shutdown.

use std::pin::pin;
use std::time::Duration;

use aiopool::{AioPool, Shutdown};
use futures::future::join_all;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once};

async fn sleep(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[test]
fn many_may_join_at_once() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let probes = Probe::several(4);
        let handles: Vec<_> = probes
            .iter()
            .map(|probe| pool.spawn_n(probe.task(())))
            .collect();
        let mut joins = pin!(join_all((0..10).map(|_| pool.join())));
        assert_pending!(joins);
        probes.iter().for_each(Probe::end);
        joins.await;
        assert!(handles.iter().all(aiopool::JoinHandle::is_finished));
        pool.join().await;
    });
}

#[test]
fn join_waits_for_newcomers_too() {
    let (hand, pool) = Hand::pool(1);
    let (first, second) = (Probe::new(), Probe::new());
    pool.spawn_n(first.task(()));
    let mut join = pin!(pool.join());
    assert_pending!(join);
    pool.spawn_n(second.task(()));
    first.end();
    hand.run();
    assert_pending!(join);
    second.end();
    hand.run();
    assert!(poll_once(join.as_mut()).is_ready());
}

#[test]
fn closed_waits_until_the_pool_is_closed_and_drained() {
    let (hand, pool) = Hand::pool(1);
    let mut closed = pin!(pool.closed());
    assert_pending!(closed);
    let probe = Probe::new();
    pool.spawn_n(probe.task(()));
    pool.close();
    assert_pending!(closed);
    probe.end();
    hand.run();
    assert!(poll_once(closed.as_mut()).is_ready());
}

#[test]
fn closing_an_idle_pool_wakes_those_who_wait_for_it() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let closing = pool.clone();
        let close = async move { closing.close() };
        futures::join!(pool.closed(), close);
    });
}

#[test]
fn below_waits_until_fewer_wait() {
    let (hand, pool) = Hand::pool(1);
    let probes = Probe::several(4);
    for probe in &probes {
        pool.spawn_n(probe.task(()));
    }
    let mut below = [
        pin!(pool.below(2)),
        pin!(pool.below(3)),
        pin!(pool.below(4)),
    ];
    assert!(poll_once(below[2].as_mut()).is_ready());
    assert_pending!(below[0]);
    assert_pending!(below[1]);
    hand.run();
    probes[0].end();
    hand.run();
    assert!(poll_once(below[1].as_mut()).is_ready());
    assert_pending!(below[0]);
    pool.resize(2).unwrap();
    assert!(poll_once(below[0].as_mut()).is_ready());
}

#[test]
fn below_bounds_a_producer_on_every_runtime() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        for n in 0..500 {
            pool.below(5).await;
            pool.spawn_n(async move { n });
            assert!(pool.waiting() <= 5);
        }
        pool.join().await;
        assert_eq!(pool.stats().completed, 500);
    });
}

#[test]
fn a_shutdown_drains() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        pool.pause();
        let handles = pool.map_n(0..10, |n| async move { n });
        pool.resume();
        let report = pool.shutdown(Shutdown::Drain).await;
        assert_eq!(report.cancelled, 0);
        assert!(handles.iter().all(aiopool::JoinHandle::is_finished));
        assert!(pool.is_closed());
    });
}

#[test]
fn a_shutdown_that_cancels_the_waiting_lets_the_active_end() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    let active = pool.spawn_n(probe.task(1));
    let waiting = pool.map_n(0..5, |_| async {});
    hand.run();
    let mut shutdown = pin!(pool.shutdown(Shutdown::CancelWaiting));
    assert_pending!(shutdown);
    assert!(waiting.iter().all(aiopool::JoinHandle::is_finished));
    assert!(!active.is_finished());
    probe.end();
    hand.run();
    let report = futures::executor::block_on(shutdown);
    assert_eq!((report.completed, report.cancelled), (1, 5));
}

#[test]
fn a_shutdown_that_cancels_all_waits_for_the_active() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    pool.spawn_n(probe.task(1));
    pool.spawn_n(async { 2 });
    hand.run();
    let mut shutdown = pin!(pool.shutdown(Shutdown::CancelAll));
    assert_pending!(shutdown);
    hand.run();
    assert!(probe.is_dropped());
    let report = futures::executor::block_on(shutdown);
    assert_eq!((report.completed, report.cancelled), (0, 2));
}

#[test]
fn a_deadline_lets_tasks_end_and_then_cancels_the_rest() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let handles = pool.map_n([1, 100, 2, 50], sleep);
        let begun = tokio::time::Instant::now();
        let report = pool
            .shutdown(Shutdown::Deadline(Duration::from_secs(10)))
            .await;
        assert_eq!((report.completed, report.cancelled), (2, 2));
        assert_eq!(begun.elapsed().as_secs(), 10);
        let cancelled = join_all(handles)
            .await
            .into_iter()
            .filter(Result::is_err)
            .count();
        assert_eq!(cancelled, 2);

        let quick = AioPool::new(1);
        quick.spawn_n(sleep(1));
        quick
            .shutdown(Shutdown::Deadline(Duration::from_secs(10)))
            .await;
        assert_eq!(
            begun.elapsed().as_secs(),
            11,
            "it does not wait for the deadline"
        );
    });
}

#[test]
fn shutdown_on_cancels_what_waits_and_gives_what_runs_the_patience_counted_from_the_signal() {
    on_tokio(async {
        let (pool, begun) = (AioPool::new(3), tokio::time::Instant::now());
        let active = pool.map_n([1, 12, 100], sleep);
        let waiting = pool.spawn_n(sleep(1));
        let late = pool.task(sleep(1)).priority(-1).spawn_n();
        let patience = Duration::from_secs(10);
        let report = pool.shutdown_on(sleep(0), patience).await;
        assert_eq!((report.completed, report.cancelled), (1, 4));
        assert_eq!(begun.elapsed().as_secs(), 10);
        assert!(pool.is_closed() && waiting.is_finished() && late.is_finished());
        let ended = join_all(active).await;
        assert_eq!(ended.iter().filter(|result| result.is_ok()).count(), 1);
    });
}

#[test]
fn shutdown_on_leaves_the_pool_as_it_was_until_the_signal_and_if_it_is_dropped_before() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let mut ending = Box::pin(pool.shutdown_on(std::future::pending::<()>(), Duration::ZERO));
        assert_pending!(ending);
        let task = pool.spawn_n(sleep(5));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_pending!(ending);
        drop(ending);
        assert!(!pool.is_closed());
        task.await.unwrap();
    });
}

#[test]
fn with_grace_a_quick_pool_does_not_wait_for_the_end_of_it() {
    on_tokio(async {
        let (pool, begun) = (AioPool::new(1), tokio::time::Instant::now());
        let tasks = pool.map_n([1, 1], sleep);
        let grace = Shutdown::Grace(Duration::from_secs(10));
        let report = pool.shutdown(grace).await;
        assert_eq!((report.completed, report.cancelled), (1, 1));
        assert_eq!(begun.elapsed().as_secs(), 1);
        assert!(join_all(tasks).await[1].is_err());
    });
}

#[test]
fn without_a_timer_shutdown_on_panics_before_it_waits() {
    let pool = AioPool::with_spawner(1, aiopool::FnSpawner(drop::<aiopool::Worker>));
    let mut ending = Box::pin(pool.shutdown_on(std::future::pending::<()>(), Duration::ZERO));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert_pending!(ending);
    }));
    let message = panicked.unwrap_err();
    let message = message.downcast_ref::<String>().cloned().or_else(|| {
        message
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    });
    assert!(message.unwrap().contains("timer"));
    assert!(!pool.is_closed());
}
