//! A size that follows what the tasks run into.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use aiopool::{Adaptive, AioPool, BuildError, current};

use crate::support::{Hand, Probe, on_every_runtime};

fn adaptive(hand: &Hand, size: usize, adaptive: Adaptive) -> AioPool {
    let builder = hand.builder().size(size).adaptive(adaptive);
    builder.build().unwrap()
}

#[test]
fn bounds_without_a_size_are_an_error_at_once() {
    #[expect(clippy::reversed_empty_ranges, reason = "that is the mistake")]
    for bounds in [0..=3, 0..=0, 4..=3] {
        for rule in [Adaptive::aimd(bounds.clone()), Adaptive::gradient(bounds)] {
            let error = AioPool::builder().adaptive(rule).build().unwrap_err();
            assert!(matches!(error, BuildError::NoAdaptiveSize), "{error}");
            assert!(error.to_string().contains("1..=100"), "{error}");
        }
    }
}

#[test]
fn it_begins_with_the_size_of_the_builder_within_the_bounds() {
    for (size, begins) in [(1, 3), (5, 5), (9, 7)] {
        let pool = adaptive(&Hand::default(), size, Adaptive::aimd(3..=7));
        assert_eq!(pool.size(), begins);
    }
}

#[test]
fn it_grows_while_all_permits_are_in_use_and_never_runs_more_tasks_than_its_size() {
    on_every_runtime(|pools| async move {
        let rule = Adaptive::aimd(1..=10);
        let pool = pools.builder().size(2).adaptive(rule).build().unwrap();
        let (active, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let results = pool.map_n(0..2_000, |_| {
            let (active, most) = (active.clone(), most.clone());
            async move {
                most.fetch_max(active.fetch_add(1, SeqCst) + 1, SeqCst);
                smol::future::yield_now().await;
                active.fetch_sub(1, SeqCst);
            }
        });
        for result in results {
            result.await.unwrap();
        }
        let most = most.load(SeqCst);
        assert!(
            pool.size() == 10 && most <= 10,
            "on {}: {most}",
            pools.runtime
        );
        let stats = pool.stats().adaptive.unwrap();
        assert!(stats.rounds >= 8 && stats.decreases == 0, "{stats:?}");
        assert!(stats.latency.is_some() && stats.baseline.is_none());
    });
}

#[test]
fn a_pool_that_shrinks_starts_nothing_until_fewer_are_active_than_its_size() {
    let hand = Hand::default();
    let pool = adaptive(&hand, 4, Adaptive::aimd(1..=4).backoff(0.5));
    let probes = Probe::several(6);
    let overloaded = Probe::new();
    let task = overloaded.task(());
    pool.spawn_n(async move {
        task.await;
        current().unwrap().report_overload();
    });
    probes
        .iter()
        .for_each(|probe| drop(pool.spawn_n(probe.task(()))));
    hand.run();
    assert_eq!((pool.active(), pool.waiting()), (4, 3));
    overloaded.end();
    hand.run();
    assert_eq!((pool.size(), pool.active(), pool.waiting()), (2, 3, 3));
    for (ended, (active, waiting)) in [(0, (2, 3)), (1, (2, 2)), (2, (2, 1))] {
        probes[ended].end();
        hand.run();
        assert_eq!((pool.active(), pool.waiting()), (active, waiting));
    }
}

#[test]
fn panics_and_timeouts_are_failures_and_cancelled_tasks_are_none() {
    on_every_runtime(|pools| async move {
        let rule = Adaptive::gradient(1..=100);
        let builder = || pools.builder().size(100).adaptive(rule.clone());
        let pool = builder().build().unwrap();
        pool.spawn_n(async { panic!("on purpose") })
            .await
            .unwrap_err();
        assert_eq!(pool.size(), 90, "on {}", pools.runtime);
        if pools.timer {
            let pool = builder().build().unwrap();
            let late = pool.task(std::future::pending::<()>());
            late.timeout(Duration::from_millis(1))
                .exec()
                .await
                .unwrap_err();
            assert_eq!(pool.size(), 90);
        }
        let pool = builder().build().unwrap();
        let handle = pool.spawn(std::future::pending::<()>()).await;
        handle.cancel().await.unwrap_err();
        assert_eq!(pool.size(), 100);
    });
}

#[test]
fn a_resize_is_where_it_goes_on_from() {
    let hand = Hand::default();
    let pool = adaptive(&hand, 10, Adaptive::aimd(1..=100));
    pool.resize(50).unwrap();
    assert_eq!(pool.size(), 50);
    pool.spawn_n(async { panic!("on purpose") });
    hand.run();
    assert_eq!(pool.size(), 45);
}

#[test]
fn only_an_adaptive_pool_has_measured_something_and_its_groups_keep_their_sizes() {
    let hand = Hand::default();
    assert!(hand.builder().build().unwrap().stats().adaptive.is_none());
    let pool = adaptive(&hand, 10, Adaptive::aimd(1..=100));
    let group = pool.group("group", 7).unwrap();
    group.spawn_n(async { panic!("on purpose") });
    hand.run();
    assert_eq!((pool.size(), group.size()), (9, 7));
    assert_eq!(pool.stats().adaptive.unwrap().decreases, 1);
    assert!(group.stats().adaptive.is_none());
}

#[test]
#[should_panic(expected = "between 0 and 1")]
fn a_backoff_that_does_not_shrink_is_an_error_at_once() {
    let _ = Adaptive::aimd(1..=2).backoff(1.0);
}

#[test]
#[should_panic(expected = "at least 1")]
fn a_tolerance_of_less_than_the_baseline_is_an_error_at_once() {
    let _ = Adaptive::gradient(1..=2).tolerance(f64::NAN);
}
