//! Tasks that stop others, or are stopped, while they wait for their own pool.

use std::future::pending;
use std::time::Duration;

use aiopool::{AioPool, Shutdown, TaskState, current, lend};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::select;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once, yield_now};

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
fn a_task_that_awaits_shutdown_on_lends_and_needs_no_permit_when_the_signal_comes() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let (group, probe) = (pool.group("group", 1).unwrap(), Probe::new());
        let (signal, signalled) = oneshot::channel::<()>();
        let ended = group.clone();
        let stops = pool.spawn_n(async move {
            let patience = Duration::from_millis(1);
            ended.shutdown_on(signalled, patience).await.cancelled
        });
        let endless = group.spawn_n(probe.task(()));
        probe.started().await;
        signal.send(()).unwrap();
        assert_eq!(stops.await.unwrap(), 1, "on {}", pools.runtime);
        assert!(endless.is_finished());
    });
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
