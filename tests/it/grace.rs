//! `grace`: an abort is seen inside before the future is dropped.

use std::future::pending;
use std::time::Duration;

use aiopool::{AioPool, current};
use tokio::time::{Instant, sleep};

use crate::support::{Hand, Probe, on_every_runtime, on_tokio};

const SECOND: Duration = Duration::from_secs(1);

async fn saves() -> &'static str {
    current().unwrap().aborted().await;
    "saved"
}

#[test]
fn a_task_that_ends_in_time_gives_its_value() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let handle = pool.task(saves()).grace(60 * SECOND).spawn().await;
        assert!(handle.abort_with("enough") && !handle.abort());
        assert_eq!(handle.await.unwrap(), "saved", "on {}", pools.runtime);
        assert_eq!(pool.stats().completed, 1);
    });
}

#[test]
fn a_task_that_goes_on_is_dropped_when_the_time_is_over() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let probe = Probe::new();
        let stubborn = pool.task(probe.task(())).grace(3 * SECOND).spawn_n();
        let next = pool.spawn_n(async {});
        probe.started().await;
        let begun = Instant::now();
        stubborn.abort_with("enough");
        sleep(SECOND).await;
        assert!(!probe.is_dropped() && !next.is_finished());
        let error = stubborn.await.unwrap_err();
        assert!(error.is_cancelled() && probe.is_dropped());
        assert_eq!(error.reason(), Some("enough"));
        assert_eq!(begun.elapsed().as_secs(), 3);
        next.await.unwrap();
    });
}

#[test]
fn cancelling_all_waits_for_the_grace_and_counts_who_was_cancelled() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let saved = pool.task(saves()).grace(SECOND).spawn().await;
        let stubborn = pool.task(pending::<()>()).grace(SECOND).spawn().await;
        sleep(SECOND).await;
        assert_eq!(pool.cancel_all().await, 1);
        assert_eq!(saved.await.unwrap(), "saved");
        assert!(stubborn.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn a_task_that_waits_leaves_the_queue_at_once() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let busy = pool.spawn_n(pending::<()>());
        let waits = pool.task(saves()).grace(SECOND).spawn_n();
        assert!(waits.abort() && waits.is_finished());
        busy.cancel().await.unwrap_err();
    });
}

#[test]
fn a_task_may_select_on_it() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let task = async {
            let me = current().unwrap();
            tokio::select! {
                () = me.aborted() => "stopped",
                () = pending() => "never",
            }
        };
        let handle = pool.task(task).grace(SECOND).spawn().await;
        sleep(SECOND).await;
        assert_eq!(handle.cancel().await.unwrap(), "stopped");
    });
}

#[test]
fn a_task_that_lends_its_permit_has_its_grace_too() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let (inner, probe) = (pool.clone(), Probe::new());
        let child = probe.task(());
        let outer = async move {
            let me = current().unwrap();
            let child = inner.spawn_n(child);
            me.aborted().await;
            child.cancel().await.unwrap_err();
            "saved"
        };
        let handle = pool.task(outer).grace(SECOND).spawn().await;
        sleep(SECOND).await;
        assert_eq!(handle.cancel().await.unwrap(), "saved");
        assert!(pool.is_empty());
    });
}

#[test]
#[should_panic(expected = "has no timer")]
fn a_runtime_without_a_timer_is_told_at_once() {
    let pool = AioPool::with_spawner(1, Hand::without_timer());
    pool.task(async {}).grace(SECOND).spawn_n();
}
