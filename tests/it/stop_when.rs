//! `TaskBuilder::stop_when`: a future stops a task, whether it waits or runs.

use std::sync::Arc;

use aiopool::{CancelCause, JoinError};
use futures::channel::oneshot;

use crate::support::{Hand, Probe, on_every_runtime};

fn assert_stopped(error: &JoinError) {
    assert_eq!(error.cancel_cause(), Some(CancelCause::Aborted));
    assert!(error.reason().unwrap().contains("signal"));
}

#[test]
fn the_signal_stops_the_task_whether_it_waits_or_runs() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let never = || pool.task(std::future::pending::<()>());
        let (stop_active, active_stops) = oneshot::channel::<()>();
        let (stop_waiting, waiting_stops) = oneshot::channel::<()>();
        let active = never().stop_when(active_stops).spawn().await;
        let waiting = never().stop_when(waiting_stops).spawn_n();
        stop_waiting.send(()).unwrap();
        assert_stopped(&waiting.await.unwrap_err());
        assert_eq!((pool.active(), pool.waiting()), (1, 0));
        drop(stop_active);
        assert_stopped(&active.await.unwrap_err());
        assert!(pool.is_empty());
    });
}

#[test]
fn a_signal_that_is_ready_at_the_submission_stops_a_task_that_waits() {
    let (hand, pool) = Hand::pool(1);
    pool.spawn_n(Probe::new().task(()));
    let probe = Probe::new();
    let mut handle = pool.task(probe.task(())).stop_when(async {}).spawn_n();
    hand.run();
    assert_stopped(&handle.try_join().unwrap().unwrap_err());
    assert!(!probe.has_started() && pool.waiting() == 0);
}

#[test]
fn the_signal_is_dropped_when_the_task_has_ended_in_any_way() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).max_waiting(1).build().unwrap();
    let kept = Arc::new(());
    let held = || {
        let kept = kept.clone();
        async move {
            let _kept = kept;
            std::future::pending::<()>().await;
        }
    };
    let probe = Probe::new();
    let mut ends = pool.task(probe.task(7)).stop_when(held()).spawn_n();
    let aborted = pool.task(async {}).stop_when(held()).spawn_n();
    hand.run();
    assert_eq!(Arc::strong_count(&kept), 3);

    let rejected = pool.task(async {}).stop_when(held()).spawn_n();
    assert!(rejected.is_finished());
    let refused = pool.task(async {}).stop_when(held()).try_spawn();
    drop(refused.unwrap_err());
    drop(pool.task(async {}).stop_when(held()).stop_when(held()));
    hand.run();
    assert_eq!(Arc::strong_count(&kept), 3);

    assert!(aborted.abort());
    hand.run();
    assert_eq!(Arc::strong_count(&kept), 2);
    probe.end();
    hand.run();
    assert_eq!(ends.try_join().unwrap().unwrap(), 7);
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn a_signal_that_comes_after_the_end_does_nothing() {
    let (hand, pool) = Hand::pool(1);
    let (stop, stops) = oneshot::channel::<()>();
    let mut handle = pool.task(async { 1 }).stop_when(stops).spawn_n();
    hand.run();
    let next = Probe::new();
    pool.spawn_n(next.task(()));
    assert!(stop.send(()).is_err(), "nobody listens");
    hand.run();
    assert_eq!(handle.try_join().unwrap().unwrap(), 1);
    assert!(next.has_started() && !next.is_dropped());
}

#[test]
fn a_panic_in_the_signal_or_its_destructor_is_caught() {
    struct Rude;
    impl Drop for Rude {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let (hand, pool) = Hand::pool(1);
    let signal = async { panic!("on purpose") };
    let never = std::future::pending::<()>();
    let mut handle = pool.task(never).stop_when(signal).spawn_n();
    hand.run();
    assert_stopped(&handle.try_join().unwrap().unwrap_err());

    let rude = Rude;
    let signal = async move {
        let _rude = rude;
        std::future::pending::<()>().await;
    };
    let mut handle = pool.task(async { 1 }).stop_when(signal).spawn_n();
    hand.run();
    assert_eq!(handle.try_join().unwrap().unwrap(), 1);
    assert!(pool.is_empty());
}
