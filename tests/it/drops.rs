//! DESIGN 3.5: what dropping each thing does.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use aiopool::AioPool;

use crate::assert_pending;
use crate::support::{Hand, Probe, poll_once};

#[test]
fn a_dropped_handle_detaches() {
    let (hand, pool) = Hand::pool(1);
    let (active, waiting) = (Probe::new(), Probe::new());
    drop(pool.spawn_n(active.task(())));
    drop(pool.spawn_n(waiting.task(())));
    hand.run();
    active.end();
    hand.run();
    assert!(waiting.has_started());
}

#[test]
fn a_result_that_nobody_can_read_is_dropped_before_its_task_counts_as_ended() {
    struct Unread(AioPool, Arc<AtomicU64>);

    impl Drop for Unread {
        fn drop(&mut self) {
            self.1.store(self.0.stats().completed, SeqCst);
        }
    }

    let (hand, pool) = Hand::pool(1);
    let completed = Arc::new(AtomicU64::new(7));
    let unread = Unread(pool.clone(), completed.clone());
    drop(pool.spawn_n(async move { unread }));
    hand.run();
    assert_eq!((completed.load(SeqCst), pool.stats().completed), (0, 1));
}

#[test]
fn a_dropped_abort_on_drop_aborts_and_detach_lets_go() {
    let (hand, pool) = Hand::pool(3);
    let probes = Probe::several(2);
    let bound = pool.spawn_n(probes[0].task(())).abort_on_drop();
    let kept = pool.spawn_n(probes[1].task(())).abort_on_drop().detach();
    hand.run();
    drop(bound);
    drop(kept);
    hand.run();
    assert!(probes[0].is_dropped() && !probes[1].is_dropped());
}

#[test]
fn a_spawn_dropped_while_it_waits_takes_its_task_along() {
    let (hand, pool) = Hand::pool(1);
    let (busy, unwanted) = (Probe::new(), Probe::new());
    pool.spawn_n(busy.task(()));
    {
        let mut spawn = pin!(pool.spawn(unwanted.task(())));
        assert_pending!(spawn);
        assert_eq!(pool.waiting(), 1);
    }
    assert_eq!(pool.waiting(), 0);
    busy.end();
    hand.run();
    assert!(!unwanted.has_started());
    assert_eq!(pool.stats().cancelled, 1);
}

#[test]
fn a_spawn_dropped_after_its_task_started_but_before_it_gave_the_handle_aborts_it() {
    let (hand, pool) = Hand::pool(1);
    let (busy, orphan) = (Probe::new(), Probe::new());
    pool.spawn_n(busy.task(()));
    {
        let mut spawn = pin!(pool.spawn(orphan.task(())));
        assert_pending!(spawn);
        busy.end();
        hand.run();
        assert!(orphan.has_started());
    }
    hand.run();
    assert!(orphan.is_dropped());
    assert!(pool.is_empty());
}

#[test]
fn a_spawn_that_was_never_polled_submits_nothing() {
    let (_hand, pool) = Hand::pool(1);
    drop(pool.spawn(async {}));
    assert_eq!(pool.stats().submitted, 0);
}

#[test]
fn a_dropped_exec_aborts_its_task() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    {
        let mut exec = pin!(pool.exec(probe.task(())));
        assert_pending!(exec);
        hand.run();
        assert_pending!(exec);
        assert!(probe.has_started());
    }
    hand.run();
    assert!(probe.is_dropped());
}

#[test]
fn a_dropped_map_aborts_its_tasks_and_pulls_no_more() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(5);
    {
        let mut map = pin!(pool.map(&probes, |probe| probe.task(())));
        assert_pending!(map);
        hand.run();
        assert_eq!((pool.active(), pool.waiting()), (2, 1));
    }
    hand.run();
    assert!(probes[0].is_dropped() && probes[1].is_dropped());
    assert!(!probes[2].has_started() && !probes[3].has_started());
    assert!(pool.is_empty());
}

#[test]
fn a_dropped_try_map_aborts_its_tasks() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(2);
    {
        let mut map = pin!(pool.try_map(&probes, |probe| probe.task(Ok::<(), ()>(()))));
        assert_pending!(map);
        hand.run();
    }
    hand.run();
    assert!(probes.iter().all(Probe::is_dropped));
}

#[test]
fn a_dropped_itermap_aborts_what_was_not_read() {
    let (hand, pool) = Hand::pool(1);
    let probes = Probe::several(3);
    let mut results = pool.itermap(probes.clone(), |probe| probe.task(()));
    {
        let mut next = pin!(results.next());
        assert_pending!(next);
        hand.run();
        probes[0].end();
        hand.run();
        assert!(poll_once(next.as_mut()).is_ready());
    }
    assert!(probes[1].has_started());
    drop(results);
    hand.run();
    assert!(probes[1].is_dropped() && !probes[2].has_started());
    assert_eq!((pool.stats().completed, pool.stats().cancelled), (1, 2));
}

#[test]
fn dropped_waits_for_the_pool_leave_nothing_behind() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    pool.spawn_n(probe.task(()));
    for _ in 0..100 {
        let mut waits = pin!(futures::future::join3(
            pool.join(),
            pool.closed(),
            pool.below(0)
        ));
        assert_pending!(waits);
    }
    probe.end();
    hand.run();
    let mut join = pin!(pool.join());
    assert!(poll_once(join.as_mut()).is_ready());
}
