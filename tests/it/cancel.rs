//! DESIGN 3.6: a waiting task leaves at once, an active one at its next poll; before, twice, after and from inside: all fine.

use std::pin::pin;
use std::sync::Arc;

use aiopool::{AbortError, CancelCause, JoinError, JoinHandle, Shutdown, TaskState};
use futures::future::join_all;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime};

#[test]
fn a_waiting_task_leaves_the_queue_at_once_and_is_never_polled() {
    let (_hand, pool) = Hand::pool(1);
    let (busy, waiting) = (Probe::new(), Probe::new());
    pool.spawn_n(busy.task(()));
    let kept = Arc::new(());
    let (held, task) = (kept.clone(), waiting.task(()));
    let mut handle = pool.spawn_n(async move {
        task.await;
        drop(held);
    });
    assert!(handle.abort_with("no longer needed"));
    assert_eq!(
        Arc::strong_count(&kept),
        1,
        "its future is dropped right there"
    );
    assert_eq!((pool.active(), pool.waiting()), (1, 0));
    assert!(!waiting.has_started());
    let error = handle.try_join().unwrap().unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(error.reason(), Some("no longer needed"));
}

#[test]
fn an_active_task_is_dropped_by_its_worker_at_the_poll_that_the_abort_causes() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    let mut handle = pool.spawn_n(probe.task(()));
    hand.run();
    assert!(handle.abort());
    assert!(!probe.is_dropped());
    assert_eq!(handle.state(), TaskState::Active);
    hand.run();
    assert!(probe.is_dropped());
    assert!(handle.try_join().unwrap().unwrap_err().is_cancelled());
}

#[test]
fn a_started_task_may_be_cancelled_before_its_first_poll() {
    let (hand, pool) = Hand::pool(1);
    let (probe, next) = (Probe::new(), Probe::new());
    let handle = pool.spawn_n(probe.task(()));
    pool.spawn_n(next.task(()));
    assert_eq!(handle.state(), TaskState::Active);
    assert!(handle.abort());
    hand.run();
    assert!(!probe.has_started() && next.has_started());
    assert!(handle.is_finished());
}

#[test]
fn only_the_first_abort_counts() {
    let (hand, pool) = Hand::pool(1);
    let active = pool.spawn_n(Probe::new().task(()));
    let waiting = pool.spawn_n(async {});
    hand.run();
    assert!(waiting.abort() && !waiting.abort());
    assert!(active.abort_with("first") && !active.abort_with("second"));
    let other = active.abort_handle();
    assert!(!other.abort() && !other.is_finished());
    hand.run();
    assert!(!active.abort() && other.is_finished());
    assert_eq!(pool.stats().cancelled, 2);
}

#[test]
fn a_value_that_is_there_wins_over_a_late_abort() {
    let (hand, pool) = Hand::pool(1);
    let mut handle = pool.spawn_n(async { 7 });
    hand.run();
    assert!(!handle.abort());
    assert_eq!(handle.try_join().unwrap().unwrap(), 7);
}

#[test]
fn an_abort_handle_never_hits_the_next_task_in_the_same_place() {
    let (hand, pool) = Hand::pool(1);
    let old = pool.spawn_n(async {}).abort_handle();
    hand.run();
    let probe = Probe::new();
    let handle = pool.spawn_n(probe.task(()));
    hand.run();
    assert!(old.is_finished() && !old.abort());
    hand.run();
    assert!(!handle.is_finished() && !probe.is_dropped());
}

#[test]
fn cancel_waits_until_the_future_is_dropped_on_every_runtime() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (active, waiting) = (Probe::new(), Probe::new());
        let first = pool.spawn(active.task(())).await;
        let second = pool.spawn_n(waiting.task(()));
        active.started().await;
        assert!(first.cancel().await.unwrap_err().is_cancelled());
        assert!(active.is_dropped());
        waiting.started().await;
        assert!(second.cancel().await.unwrap_err().is_cancelled());
        assert!(pool.is_empty());
    });
}

#[test]
fn cancelling_right_after_spawning_leaks_nothing_on_every_runtime() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        for _ in 0..100 {
            let handle = pool.spawn(std::future::pending::<()>()).await;
            assert!(handle.cancel().await.unwrap_err().is_cancelled());
            let handles = pool.map_n(0..5, |_| std::future::pending::<()>());
            let report = pool.cancel(handles).await;
            assert_eq!(report.cancelled, 5);
        }
        pool.join().await;
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
        assert_eq!(pool.stats().cancelled, 600);
    });
}

#[test]
fn cancel_reports_truly_in_the_order_of_the_handles() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let done = pool.spawn(async { 1 }).await;
        pool.join().await;
        let probe = Probe::new();
        let active = pool.spawn(probe.task(2)).await;
        let waiting = pool.map_n(0..2, |_| std::future::pending::<i32>());
        let report = pool.cancel([done, active].into_iter().chain(waiting)).await;
        assert_eq!(report.cancelled, 3);
        assert_eq!(*report.results[0].as_ref().unwrap(), 1);
        assert!(report.results[1..].iter().all(Result::is_err));
        assert!(probe.is_dropped());
    });
}

#[test]
fn cancel_all_waits_for_every_one() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let probes = Probe::several(3);
        for probe in &probes {
            pool.spawn(probe.task(())).await;
            probe.started().await;
        }
        let waiting = pool.map_n(0..1000, |_| async {});
        assert_eq!(pool.cancel_all().await, 1003);
        assert!(probes.iter().all(Probe::is_dropped));
        assert!(waiting.iter().all(aiopool::JoinHandle::is_finished));
        assert!(pool.is_empty());
        assert_eq!(pool.cancel_all().await, 0);
        assert_eq!(
            pool.exec(async { 1 }).await.unwrap(),
            1,
            "it takes newcomers"
        );
    });
}

#[test]
fn several_cancel_alls_at_once_all_return_and_count_each_task_once() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(2);
    for probe in &probes {
        pool.spawn_n(probe.task(()));
    }
    hand.run();
    let mut first = pin!(pool.cancel_all());
    let mut second = pin!(pool.cancel_all());
    assert_pending!(first);
    assert_pending!(second);
    hand.run();
    let counted = futures::executor::block_on(async { (first.await, second.await) });
    assert_eq!(counted, (2, 0));
}

#[test]
fn abort_all_asks_and_returns() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    let active = pool.spawn_n(probe.task(()));
    let waiting = pool.spawn_n(async {});
    hand.run();
    assert_eq!(pool.abort_all(), 2);
    assert!(waiting.is_finished() && !active.is_finished());
    assert_eq!(pool.abort_all(), 0);
    hand.run();
    assert!(active.is_finished());
}

#[test]
fn abort_by_id_is_all_or_none() {
    let (hand, pool) = Hand::pool(1);
    let finished = pool.spawn_n(async {}).id();
    hand.run();
    let active = pool.spawn_n(Probe::new().task(()));
    let waiting = pool.spawn_n(async {});
    hand.run();
    let unknown = 99.into();
    let none = [
        (vec![active.id(), unknown], AbortError::NotFound(unknown)),
        (
            vec![waiting.id(), finished],
            AbortError::AlreadyFinished(finished),
        ),
    ];
    for (ids, error) in none {
        assert_eq!(pool.abort(ids), Err(error));
        assert!(!waiting.is_finished());
    }
    assert_eq!(pool.abort([active.id(), waiting.id(), active.id()]), Ok(2));
    assert_eq!(
        pool.abort([active.id()]),
        Err(AbortError::AlreadyAborted(active.id()))
    );
    hand.run();
    assert_eq!(
        pool.abort([active.id()]),
        Err(AbortError::AlreadyFinished(active.id()))
    );
    assert_eq!(pool.abort([]), Ok(0));
}

#[test]
fn a_task_may_abort_itself() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (send, receive) = futures::channel::oneshot::channel::<aiopool::AbortHandle>();
        let handle = pool.spawn_n(async move {
            let me = receive.await.unwrap();
            assert!(me.abort_with("by itself"));
            std::future::pending::<()>().await;
        });
        send.send(handle.abort_handle()).unwrap();
        assert_eq!(handle.await.unwrap_err().reason(), Some("by itself"));
    });
}

#[test]
fn a_task_may_cancel_all_of_them() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let others = pool.map_n(0..5, |_| std::future::pending::<()>());
        let inside = pool.clone();
        let tyrant = pool
            .task(async move { inside.cancel_all().await })
            .priority(1)
            .spawn_n();
        pool.resize(3).unwrap();
        assert!(tyrant.await.unwrap_err().is_cancelled());
        for other in join_all(others).await {
            assert!(other.unwrap_err().is_cancelled());
        }
        assert_eq!(pool.stats().cancelled, 6);
    });
}

#[test]
fn a_million_waiting_tasks_are_cancelled_at_once() {
    let (hand, pool) = Hand::pool(1);
    pool.spawn_n(Probe::new().task(()));
    let handles = pool.map_n(0..1_000_000, |n| async move { n });
    assert_eq!(pool.abort_all(), 1_000_001);
    hand.run();
    assert!(handles.iter().all(aiopool::JoinHandle::is_finished));
    assert!(pool.is_empty());
    assert_eq!(pool.stats().cancelled, 1_000_001);
}

#[test]
fn a_feed_is_no_task_that_is_asked_to_stop() {
    let (_hand, pool) = Hand::pool(1);
    let running = pool.spawn_n(std::future::pending::<()>());
    let waiting = pool.spawn_n(async {});
    let feed = pool.feed(0.., |_: u32| async {});
    assert_eq!(pool.abort_all(), 2);
    assert!(waiting.is_finished() && !running.is_finished());
    drop(feed);
}

/// Makes an active and a waiting task, stops both, and returns what they say.
async fn both<F: Future>(
    pool: &aiopool::AioPool,
    stop: impl FnOnce([aiopool::AbortHandle; 2]) -> F,
) -> [JoinError; 2] {
    let never = || pool.task(std::future::pending::<()>()).name("never");
    let tasks = [never().spawn().await, never().spawn_n()];
    stop(tasks.each_ref().map(JoinHandle::abort_handle)).await;
    let [active, waiting] = tasks;
    [active.await.unwrap_err(), waiting.await.unwrap_err()]
}

#[test]
fn a_cancelled_task_says_what_cancelled_it() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let assert = |errors: [JoinError; 2], cause: CancelCause, text: &str| {
            for error in errors {
                assert_eq!(error.cancel_cause(), Some(cause));
                assert_eq!(error.to_string(), format!("task never was cancelled{text}"));
            }
        };
        let aborted = both(&pool, async |tasks| {
            tasks.iter().rev().for_each(|task| _ = task.abort());
        });
        assert(aborted.await, CancelCause::Aborted, "");
        let explained = both(&pool, async |tasks| {
            tasks
                .iter()
                .rev()
                .for_each(|task| _ = task.abort_with("late"));
        });
        assert(explained.await, CancelCause::Aborted, ": late");
        let by_id = both(&pool, async |tasks| {
            assert_eq!(pool.abort(tasks.map(|task| task.id())), Ok(2));
        });
        assert(by_id.await, CancelCause::Aborted, "");

        let with_pool = " with its pool or group";
        let all = both(&pool, async |_| assert_eq!(pool.cancel_all().await, 2));
        assert(all.await, CancelCause::Stopped, with_pool);
        let all = both(&pool, async |_| assert_eq!(pool.abort_all(), 2));
        assert(all.await, CancelCause::Stopped, with_pool);
        let shut = both(&pool, async |_| {
            assert_eq!(pool.shutdown(Shutdown::CancelAll).await.cancelled, 2);
        });
        assert(shut.await, CancelCause::Stopped, with_pool);
    });
}

#[test]
fn the_first_request_to_stop_is_the_cause() {
    let (hand, pool) = Hand::pool(1);
    let mut handle = pool.spawn_n(std::future::pending::<()>());
    hand.run();
    assert!(handle.abort_with("first"));
    assert_eq!(pool.abort_all(), 0);
    hand.run();
    let error = handle.try_join().unwrap().unwrap_err();
    assert_eq!(error.cancel_cause(), Some(CancelCause::Aborted));
    assert_eq!(error.reason(), Some("first"));
}

#[test]
fn a_task_whose_worker_is_dropped_says_that_its_runtime_ended_unless_it_was_asked_before() {
    for asked in [false, true] {
        let (hand, pool) = Hand::pool(1);
        let mut handle = pool.spawn_n(std::future::pending::<()>());
        hand.run();
        assert!(!asked || handle.abort());
        hand.drop_worker();
        let error = handle.try_join().unwrap().unwrap_err();
        let cause = if asked {
            CancelCause::Aborted
        } else {
            CancelCause::RuntimeEnded
        };
        assert_eq!(error.cancel_cause(), Some(cause));
    }
}
