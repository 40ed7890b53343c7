//! A value that is ready beats a limit that has run out.

use std::future::{pending, ready};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use aiopool::{JoinError, Shutdown, current};

use crate::assert_pending;
use crate::support::{Probe, Timed, on_every_runtime, poll_once};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_task_that_is_ready_at_its_first_poll_needs_no_time() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        for _ in 0..100 {
            let task = pool.task(async { 7 }).timeout(Duration::ZERO);
            assert_eq!(task.exec().await.unwrap(), 7, "on {}", pools.runtime);
            let task = pool.task(async { 7 }).timeout(Duration::ZERO);
            let task = task.then(|seven| async move { seven.unwrap() });
            assert_eq!(task.exec().await.unwrap(), 7, "on {}", pools.runtime);
        }
        assert_eq!(pool.stats().timed_out, 0);
    });
}

#[test]
fn a_task_that_is_not_ready_at_its_first_poll_has_no_second_in_no_time() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let task = pool.task(pending::<()>()).timeout(Duration::ZERO);
        let error = task.exec().await.unwrap_err();
        assert!(error.is_run_timeout(), "on {}", pools.runtime);
    });
}

#[test]
fn a_task_with_a_grace_of_nothing_is_polled_once_more_when_it_is_aborted() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        for _ in 0..100 {
            let saves = async {
                current().unwrap().aborted().await;
                "saved"
            };
            let handle = pool.task(saves).grace(Duration::ZERO).spawn().await;
            assert!(handle.abort());
            assert_eq!(handle.await.unwrap(), "saved", "on {}", pools.runtime);
        }
    });
}

#[test]
fn a_value_that_is_ready_when_the_limit_is_seen_wins() {
    let (timed, pool) = Timed::pool(2);
    let probe = Probe::new();
    let mut plain = pool.task(probe.task("value")).timeout(SECOND).spawn_n();
    let task = pool.task(probe.task(())).timeout(SECOND);
    let mut called = task.then(|result| ready(result.is_ok())).spawn_n();
    timed.hand.run();
    probe.end();
    timed.end_all();
    timed.hand.run();
    assert_eq!(plain.try_join().unwrap().unwrap(), "value");
    assert!(called.try_join().unwrap().unwrap());
}

#[test]
fn a_value_that_is_ready_when_the_grace_is_over_wins() {
    let (timed, pool) = Timed::pool(1);
    let probe = Probe::new();
    let mut handle = pool.task(probe.task("value")).grace(SECOND).spawn_n();
    timed.hand.run();
    handle.abort();
    timed.hand.run();
    probe.end();
    timed.end_all();
    timed.hand.run();
    assert_eq!(handle.try_join().unwrap().unwrap(), "value");
}

#[test]
fn a_value_that_is_ready_for_a_task_that_lends_wins() {
    let (timed, pool) = Timed::pool(1);
    let (inside, ends_all) = (pool.clone(), timed.clone());
    let task = async move {
        let child = inside.spawn_n(async move {
            ends_all.end_all();
            "value"
        });
        child.await
    };
    let mut handle = pool.task(task).timeout(SECOND).spawn_n();
    timed.hand.run();
    let value: Result<_, JoinError> = handle.try_join().unwrap().unwrap();
    assert_eq!(value.unwrap(), "value");
}

#[test]
fn a_pool_that_is_idle_when_its_deadline_is_seen_has_drained() {
    let (timed, pool) = Timed::pool(1);
    let probe = Probe::new();
    let handle = pool.spawn_n(probe.task(()));
    timed.hand.run();
    let mut shutdown = pin!(pool.shutdown(Shutdown::Deadline(SECOND)));
    assert_pending!(shutdown);
    probe.end();
    timed.hand.run();
    timed.end_all();
    let Poll::Ready(report) = poll_once(shutdown) else {
        panic!("the pool is idle");
    };
    assert_eq!((report.completed, report.cancelled), (1, 0));
    assert!(handle.is_finished());
}

#[test]
fn work_that_blocks_has_its_value_whatever_the_time() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.builder().size(1).timed(true).build().unwrap();
        let value = pool.spawn_blocking(|| 7);
        assert_eq!(value.await.unwrap(), 7);
        let report = pool.shutdown(Shutdown::Deadline(Duration::ZERO)).await;
        assert_eq!((report.completed, report.cancelled), (0, 0));
    });
}
