//! Groups: pools inside of a pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use aiopool::{GroupError, TaskState};

use crate::support::{Hand, Probe, busy, on_every_runtime, yield_now};

fn started(probes: &[Probe]) -> usize {
    probes.iter().filter(|probe| probe.has_started()).count()
}

#[test]
fn a_task_needs_a_permit_of_its_group_and_of_each_pool_around_it() {
    let (hand, pool) = Hand::pool(3);
    let outer = pool.group("outer", 2).unwrap();
    let inner = outer.group("inner", 1).unwrap();
    let (in_inner, _a) = busy(&inner, 2);
    let (in_outer, _b) = busy(&outer, 2);
    let (in_pool, _c) = busy(&pool, 2);
    hand.run();
    assert_eq!((started(&in_inner), started(&in_outer)), (1, 1));
    assert_eq!(started(&in_pool), 1);
    assert_eq!((pool.active(), pool.waiting()), (3, 3));
    assert_eq!((outer.active(), outer.waiting()), (2, 2));
    assert_eq!((inner.active(), inner.waiting()), (1, 1));
    in_inner[0].end();
    hand.run();
    // In the order of submission, the first who finds a permit of each.
    assert_eq!((started(&in_inner), started(&in_outer)), (2, 1));
    in_pool[0].end();
    hand.run();
    assert_eq!((started(&in_outer), started(&in_pool)), (1, 2));
}

#[test]
fn a_task_holds_no_permit_before_it_has_all() {
    let (hand, pool) = Hand::pool(3);
    let group = pool.group("g", 3).unwrap();
    let (busy_ones, _a) = busy(&pool, 3);
    let (grouped, _b) = busy(&group, 3);
    hand.run();
    assert!(!group.is_full() && group.active() == 0);
    // What changes meanwhile holds for them.
    group.resize(1).unwrap();
    busy_ones.iter().for_each(Probe::end);
    hand.run();
    assert_eq!((group.active(), started(&grouped)), (1, 1));
    group.pause();
    grouped[0].end();
    hand.run();
    assert_eq!((group.active(), started(&grouped)), (0, 1));
    group.resume();
    hand.run();
    assert_eq!(started(&grouped), 2);
}

#[test]
fn a_pause_holds_back_who_waits_for_the_pool_around() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let group = pool.group("g", 1).unwrap();
        let permit = pool.acquire().await;
        let held_back = group.spawn_n(async {});
        group.pause();
        drop(permit);
        pool.exec(async {}).await.unwrap();
        assert!(!held_back.is_finished(), "on {}", pools.runtime);
        group.resume();
        held_back.await.unwrap();
    });
}

#[test]
fn a_higher_priority_goes_first_in_a_group_whose_pool_is_full() {
    let (hand, pool) = Hand::pool(1);
    let group = pool.group("g", 1).unwrap();
    let (busy_one, _a) = busy(&pool, 1);
    let (low, high) = (Probe::new(), Probe::new());
    let _low = group.task(low.task(())).priority(1).spawn_n();
    let _high = group.task(high.task(())).priority(5).spawn_n();
    let other = pool.task(async {}).priority(3).spawn_n();
    busy_one[0].end();
    hand.run();
    assert!(high.has_started() && !other.is_finished());
    high.end();
    hand.run();
    assert!(other.is_finished() && low.has_started());
}

#[test]
fn one_who_returns_to_its_group_goes_before_newcomers_who_do_not_fit() {
    let (hand, pool) = Hand::pool(2);
    let group = pool.group("g", 2).unwrap();
    let (tell, told) = futures::channel::oneshot::channel::<()>();
    let lends = group.spawn_n(async { aiopool::lend(told).await.unwrap() });
    let (waits_for_it, _a) = busy(&pool, 1);
    hand.run();
    let heavy = group.task(async {}).weight(2).spawn_n();
    tell.send(()).unwrap();
    hand.run();
    assert!(lends.is_finished() && !heavy.is_finished());
    waits_for_it[0].end();
    hand.run();
    assert!(heavy.is_finished());
}

#[test]
fn a_full_group_holds_up_nobody_else() {
    let (hand, pool) = Hand::pool(2);
    let group = pool.group("slow", 1).unwrap();
    let (slow, _a) = busy(&group, 100);
    let (other, _b) = busy(&pool, 2);
    hand.run();
    assert_eq!((started(&slow), started(&other)), (1, 1));
    other[0].end();
    hand.run();
    assert_eq!((started(&slow), started(&other)), (1, 2));
    assert_eq!((group.is_full(), pool.is_full()), (true, true));
}

#[test]
fn order_holds_within_a_group() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(4);
        let group = pool.group("one by one", 1).unwrap();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let handles: Vec<_> = (0..100)
            .map(|n| {
                let order = order.clone();
                group.spawn_n(async move { order.lock().unwrap().push(n) })
            })
            .collect();
        for handle in handles {
            handle.await.unwrap();
        }
        let order = order.lock().unwrap();
        assert_eq!(*order, (0..100).collect::<Vec<_>>(), "{}", pools.runtime);
    });
}

#[test]
fn never_more_than_its_size_run_in_a_group_and_in_its_pool() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let in_small = Arc::new(AtomicUsize::new(0));
        let in_all = Arc::new(AtomicUsize::new(0));
        for n in 0..300 {
            let size = 1 + n % 2;
            let group = pool.keyed(format!("{size}"), size);
            let (small, all) = (in_small.clone(), in_all.clone());
            group.spawn_n(async move {
                let is_small = usize::from(size == 1);
                let others = small.fetch_add(is_small, SeqCst);
                assert!(is_small == 0 || others == 0);
                assert!(all.fetch_add(1, SeqCst) < 3);
                yield_now().await;
                all.fetch_sub(1, SeqCst);
                small.fetch_sub(is_small, SeqCst);
            });
        }
        pool.join().await;
        assert_eq!(pool.stats().completed, 300, "on {}", pools.runtime);
        assert!(pool.groups().is_empty(), "on {}", pools.runtime);
    });
}

#[test]
fn the_pool_counts_and_lists_what_its_groups_do() {
    let (hand, pool) = Hand::pool(2);
    let group = pool.group("g", 1).unwrap();
    let inner = group.group("h", 1).unwrap();
    let first = pool.spawn_n(async { 1 });
    let second = group.spawn_n(async { 2 });
    let third = inner.spawn_n(std::future::pending::<()>());
    let ids = [first.id().get(), second.id().get(), third.id().get()];
    assert_eq!(ids, [0, 1, 2]);
    assert_eq!((second.name(), third.name()), ("g-1".into(), "h-2".into()));
    hand.run();
    let stats = [pool.stats(), group.stats(), inner.stats()];
    assert_eq!(stats.map(|stats| stats.submitted), [3, 2, 1]);
    assert_eq!(stats.map(|stats| stats.completed), [2, 1, 0]);
    assert_eq!(stats.map(|stats| stats.started), [3, 2, 1]);
    let task = &pool.tasks()[0];
    assert_eq!((task.id, task.state), (third.id(), TaskState::Active));
    assert_eq!(
        (task.name.as_str(), task.group.as_deref()),
        ("h-2", Some("h"))
    );
    assert_eq!((group.tasks().len(), inner.tasks().len()), (1, 1));
    third.abort();
    hand.run();
    assert_eq!(pool.stats().cancelled, 1);
    assert!(pool.tasks().is_empty());
}

#[test]
fn cancelling_a_group_stops_it_and_what_is_below_and_nothing_else() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(4);
        let group = pool.group("g", 2).unwrap();
        let inner = group.group("h", 2).unwrap();
        let outside = Probe::new();
        let other = pool.spawn_n(outside.task(7));
        let (probes, _a) = busy(&group, 3);
        let (inner_probes, _b) = busy(&inner, 3);
        assert_eq!(group.cancel_all().await, 6, "on {}", pools.runtime);
        assert!(probes.iter().all(Probe::is_dropped));
        assert!(inner_probes.iter().all(Probe::is_dropped));
        assert!(group.is_empty() && inner.is_empty());
        assert!(!outside.is_dropped() && pool.len() == 1);
        outside.end();
        assert_eq!(other.await.unwrap(), 7);
        assert_eq!(pool.stats().cancelled, 6);
    });
}

#[test]
fn joining_a_group_waits_for_its_own_tasks_alone() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(4);
        let group = pool.group("g", 2).unwrap();
        let endless = pool.spawn_n(std::future::pending::<()>());
        let done = group.spawn_n(async {});
        group.join().await;
        assert!(done.is_finished() && !endless.is_finished());
        endless.cancel().await.unwrap_err();
        pool.join().await;
    });
}

#[test]
fn a_group_is_paused_closed_and_resized_by_itself() {
    let (hand, pool) = Hand::pool(4);
    let group = pool.group("g", 1).unwrap();
    group.pause();
    let (probes, _handles) = busy(&group, 3);
    let free = pool.spawn_n(async {});
    hand.run();
    assert!(free.is_finished() && started(&probes) == 0);
    assert!(group.is_paused() && !pool.is_paused());
    group.resume();
    group.resize(2).unwrap();
    group.resize(0).unwrap_err();
    hand.run();
    assert_eq!((started(&probes), group.size(), pool.size()), (2, 2, 4));
    group.close();
    assert!(group.is_closed() && !pool.is_closed());
    let refused = group.spawn_n(async {});
    assert!(refused.is_finished());
    let taken = pool.spawn_n(async {});
    hand.run();
    assert!(taken.is_finished());
    assert_eq!((pool.stats().rejected, group.stats().rejected), (1, 1));
}

#[test]
fn what_is_closed_or_paused_around_a_group_holds_for_it() {
    let (hand, pool) = Hand::pool(4);
    let group = pool.group("g", 1).unwrap();
    pool.pause();
    let waits = group.spawn_n(async {});
    hand.run();
    assert!(group.is_paused() && !waits.is_finished());
    pool.close();
    assert!(group.is_closed());
    assert!(group.try_spawn(async {}).is_err());
    let mut closed = Box::pin(group.closed());
    crate::assert_pending!(closed);
    pool.resume();
    hand.run();
    assert!(crate::support::poll_once(closed.as_mut()).is_ready());
    pool.reopen();
    assert!(!group.is_closed());
}

#[test]
fn a_closed_group_that_is_empty_tells_those_who_wait_for_that() {
    let (_hand, pool) = Hand::pool(1);
    let group = pool.group("g", 1).unwrap();
    let mut closed = Box::pin(group.closed());
    crate::assert_pending!(closed);
    pool.close();
    assert!(crate::support::poll_once(closed.as_mut()).is_ready());
}

#[test]
fn a_name_is_taken_as_long_as_somebody_holds_the_group_or_a_task_is_in_it() {
    let (hand, pool) = Hand::pool(2);
    let group = pool.group("g", 1).unwrap();
    let taken = pool.group("g", 5).unwrap_err();
    assert_eq!(taken, GroupError::AlreadyExists("g".into()));
    assert_eq!(taken.to_string(), "there is a group named \"g\" already");
    assert_eq!(pool.keyed("g", 5).size(), 1, "it is returned as it is");
    assert_eq!(pool.find_group("g").unwrap().name(), "g");
    let probe = Probe::new();
    let task = group.spawn_n(probe.task(()));
    drop(group);
    hand.run();
    assert_eq!(pool.find_group("g").unwrap().active(), 1);
    assert_eq!(pool.groups().len(), 1);
    probe.end();
    hand.run();
    assert!(task.is_finished());
    assert!(pool.find_group("g").is_none() && pool.groups().is_empty());
    assert_eq!(pool.group("g", 5).unwrap().size(), 5);
}

#[test]
fn names_are_unique_in_one_pool_and_not_in_all() {
    let (_hand, pool) = Hand::pool(2);
    let outer = pool.group("same", 1).unwrap();
    let inner = outer.group("same", 2).unwrap();
    assert_eq!((outer.size(), inner.size()), (1, 2));
    let other = pool.group("another", 1).unwrap();
    let names: Vec<String> = pool
        .groups()
        .iter()
        .map(|group| group.name().into())
        .collect();
    assert_eq!(names, ["another", "same"]);
    assert!(other.find_group("same").is_none());
    drop(outer);
    assert!(pool.find_group("same").is_some(), "a group is in it");
    drop(inner);
    assert!(pool.find_group("same").is_none());
}

#[test]
fn a_group_of_size_zero_is_an_error_at_once() {
    let (_hand, pool) = Hand::pool(2);
    assert_eq!(pool.group("g", 0).unwrap_err(), GroupError::ZeroSize);
    let keyed = std::panic::catch_unwind(|| pool.keyed("g", 0));
    assert!(keyed.is_err() && pool.groups().is_empty());
}

#[test]
fn a_task_too_heavy_for_a_group_on_its_way_is_rejected_at_once() {
    let (_hand, pool) = Hand::pool(4);
    let outer = pool.group("outer", 2).unwrap();
    let inner = outer.group("inner", 3).unwrap();
    let handle = inner.task(async {}).weight(3).spawn_n();
    assert!(handle.is_finished());
    assert_eq!(pool.stats().rejected, 1);
    assert!(!inner.task(async {}).weight(2).spawn_n().is_finished());
}

#[test]
fn numbers_stop_the_tasks_of_the_group_alone() {
    let (hand, pool) = Hand::pool(4);
    let group = pool.group("g", 2).unwrap();
    let outside = pool.spawn_n(std::future::pending::<()>());
    let inside = group.spawn_n(std::future::pending::<()>());
    let unknown = aiopool::AbortError::NotFound(outside.id());
    assert_eq!(group.abort([outside.id()]), Err(unknown));
    assert_eq!(group.abort([inside.id()]), Ok(1));
    assert_eq!(pool.abort([outside.id()]), Ok(1));
    hand.run();
    assert!(pool.is_empty());
}

#[test]
fn the_last_handle_of_a_paused_group_resumes_it() {
    let (hand, pool) = Hand::pool(1);
    let group = pool.group("g", 1).unwrap();
    group.pause();
    let task = group.spawn_n(async {});
    hand.run();
    assert!(!task.is_finished());
    drop(group);
    hand.run();
    assert!(task.is_finished());
}

#[test]
#[cfg(target_os = "linux")]
fn a_hundred_thousand_keys_over_time_take_no_more_memory_than_a_thousand() {
    crate::support::alone(
        "groups::a_hundred_thousand_keys_over_time_take_no_more_memory_than_a_thousand",
        || {
            let (hand, pool) = Hand::pool(8);
            let mut next = 0;
            let mut keys = |count| {
                for _ in 0..count {
                    next += 1;
                    pool.keyed(format!("tenant {next}"), 2).spawn_n(async {});
                    hand.run();
                }
                crate::support::resident()
            };
            let (few, many) = (keys(1000), keys(100_000));
            let slack = 32;
            assert!(many <= few + slack, "{few} pages, then {many}");
            assert!(pool.groups().is_empty());
        },
    );
}

#[test]
fn keys_that_come_and_go_leave_nothing() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(8);
        for key in 0..20_000 {
            let group = pool.keyed(format!("host-{key}"), 2);
            group.spawn(async move { key }).await;
        }
        pool.join().await;
        assert!(pool.groups().is_empty());
        assert_eq!(pool.stats().completed, 20_000, "on {}", pools.runtime);
    });
}
