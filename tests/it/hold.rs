//! `hold`: nothing starts for a time.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use aiopool::{AioPool, lend};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::support::{Probe, Timed, on_every_runtime, on_tokio, within, yield_now};

const SECOND: Duration = Duration::from_secs(1);

async fn until_no_task_is_alive() {
    while Handle::current().metrics().num_alive_tasks() > 0 {
        yield_now().await;
    }
}

#[test]
fn nothing_starts_before_the_hold_is_over() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(4);
        pool.exec(async {}).await.unwrap();
        let begun = std::time::Instant::now();
        let time = Duration::from_millis(30);
        pool.hold(time);
        let handles = pool.map_n(0..20, |_| async { std::time::Instant::now() });
        let batch = pool.feed(0..20, |_| async {});
        for handle in handles {
            assert!(
                handle.await.unwrap() - begun >= time,
                "on {}",
                pools.runtime
            );
        }
        assert_eq!(batch.await.completed, 20);
        pool.exec(async {}).await.unwrap();
    });
}

#[test]
fn active_tasks_run_on_and_waiting_ones_start_at_its_end() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let active = pool.spawn(async { sleep(SECOND).await }).await;
        let begun = Instant::now();
        pool.hold(5 * SECOND);
        assert!(!pool.is_paused());
        let waits = pool.spawn_n(async {});
        active.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 1);
        assert_eq!((pool.active(), pool.waiting()), (0, 1));
        waits.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 5);
    });
}

#[test]
fn tasks_that_wait_already_are_held_too() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let active = pool.spawn(async { sleep(SECOND).await }).await;
        let waits = pool.spawn_n(async {});
        let begun = Instant::now();
        pool.hold(3 * SECOND);
        active.await.unwrap();
        waits.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 3);
    });
}

#[test]
fn a_later_end_lengthens_it_and_an_earlier_end_changes_nothing() {
    on_tokio(async {
        let pool = AioPool::new(1);
        for (times, expected) in [([3, 5], 5), ([5, 3], 5), ([4, 0], 4)] {
            let begun = Instant::now();
            for time in times {
                pool.hold(time * SECOND);
            }
            pool.exec(async {}).await.unwrap();
            assert_eq!(begun.elapsed().as_secs(), expected);
        }
        let begun = Instant::now();
        pool.hold(2 * SECOND);
        let waits = pool.spawn_n(async {});
        sleep(SECOND).await;
        pool.hold(4 * SECOND);
        waits.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 5);
    });
}

#[test]
fn a_held_group_holds_up_nothing_around_it_or_beside_it() {
    on_tokio(async {
        let pool = AioPool::new(4);
        let outer = pool.group("outer", 2).unwrap();
        let (inner, other) = (outer.group("inner", 1).unwrap(), pool.keyed("other", 1));
        let begun = Instant::now();
        inner.hold(4 * SECOND);
        outer.hold(2 * SECOND);
        let in_inner = inner.spawn_n(async { Instant::now() });
        let in_outer = outer.spawn_n(async { Instant::now() });
        other.exec(async {}).await.unwrap();
        pool.exec(async {}).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!((in_outer.await.unwrap() - begun).as_secs(), 2);
        assert_eq!((in_inner.await.unwrap() - begun).as_secs(), 4);
    });
}

#[test]
fn a_task_that_has_lent_its_permit_goes_on() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let lends = pool.spawn(async { lend(sleep(SECOND)).await }).await;
        let begun = Instant::now();
        pool.hold(9 * SECOND);
        let waits = pool.spawn_n(async {});
        lends.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 1);
        let task =
            pool.task_fn(|attempt| async move { if attempt < 2 { Err(()) } else { Ok(()) } });
        let retried = task.retry([SECOND]).spawn_n();
        waits.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 9);
        pool.hold(9 * SECOND);
        retried.await.unwrap().unwrap();
        assert_eq!(begun.elapsed().as_secs(), 10);
    });
}

#[test]
fn code_in_place_is_held_too() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let begun = Instant::now();
        pool.hold(SECOND);
        pool.run(async {}).await;
        assert_eq!(begun.elapsed().as_secs(), 1);
        pool.hold(SECOND);
        drop(pool.acquire().await);
        assert_eq!(begun.elapsed().as_secs(), 2);
    });
}

#[test]
fn a_pause_and_a_hold_are_independent() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        pool.hold(2 * SECOND);
        pool.pause();
        let waits = pool.spawn_n(async {});
        sleep(SECOND).await;
        pool.resume();
        assert!(!waits.is_finished() && !pool.is_paused());
        pool.pause();
        sleep(4 * SECOND).await;
        assert!(!waits.is_finished());
        pool.resume();
        waits.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 5);
    });
}

#[test]
fn a_sweep_meanwhile_leaves_the_hold_as_it_is() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        pool.hold(3 * SECOND);
        let swept = pool.map_n(0..1000, |_| async {});
        assert_eq!(pool.cancel_all().await, 1000);
        assert!(swept.iter().all(aiopool::JoinHandle::is_finished));
        pool.exec(async {}).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 3);
    });
}

#[test]
fn the_timer_runs_as_long_as_something_waits_for_the_end() {
    let (timed, pool) = Timed::pool(1);
    pool.hold(SECOND);
    timed.hand.run();
    assert_eq!(timed.hand.workers(), 0);
    let waits = pool.map_n(0..3, |_| async {});
    timed.hand.run();
    assert_eq!(timed.hand.workers(), 1);
    waits.iter().for_each(|handle| assert!(handle.abort()));
    timed.hand.run();
    assert_eq!(timed.hand.workers(), 0);

    let waits = pool.spawn_n(async {});
    timed.hand.run();
    // The clock of this runtime stands still: its time is what its timers say.
    timed.end_all();
    timed.hand.run();
    assert!(waits.is_finished());
    assert_eq!(timed.hand.workers(), 0);
}

#[test]
fn pools_that_are_gone_leave_no_timer_of_a_hold() {
    on_tokio(async {
        for is_group in [false, true] {
            let pool = AioPool::new(1);
            let held = if is_group {
                pool.keyed("held", 1)
            } else {
                pool.clone()
            };
            held.hold(3600 * SECOND);
            let waits = held.spawn_n(async {});
            yield_now().await;
            assert!(waits.abort());
            held.hold(7200 * SECOND);
        }
        let begun = Instant::now();
        until_no_task_is_alive().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    });
}

#[test]
fn after_its_end_all_is_as_before() {
    on_tokio(async {
        let pool = AioPool::builder().size(1).max_waiting(0).build().unwrap();
        let unbounded = AioPool::new(1);
        for _ in 0..3 {
            pool.hold(SECOND);
            unbounded.hold(SECOND);
            assert!(pool.try_spawn(async {}).is_err());
            assert!(unbounded.try_spawn(async {}).is_err());
            assert!(pool.spawn_n(async {}).await.unwrap_err().is_rejected());
            sleep(2 * SECOND).await;
            let active = pool.try_spawn(pending::<()>()).unwrap();
            let started = unbounded.try_spawn(async { 7 }).unwrap();
            assert_eq!((pool.active(), unbounded.active()), (1, 1));
            assert_eq!(started.await.unwrap(), 7);
            active.cancel().await.unwrap_err();
            assert!(pool.spawn_n(async {}).await.is_ok());
        }
        until_no_task_is_alive().await;
    });
}

#[test]
fn what_waits_starts_at_the_end_though_the_last_handle_is_dropped() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        let group = pool.keyed("held", 1);
        group.hold(3 * SECOND);
        let in_group = group.spawn_n(async { Instant::now() });
        drop(group);
        pool.hold(2 * SECOND);
        let waits = pool.spawn_n(async { Instant::now() });
        drop(pool);
        assert_eq!((waits.await.unwrap() - begun).as_secs(), 2);
        assert_eq!((in_group.await.unwrap() - begun).as_secs(), 3);
        until_no_task_is_alive().await;
    });
}

#[test]
fn a_group_that_ends_takes_its_hold_along() {
    on_tokio(async {
        let pool = AioPool::new(1);
        pool.keyed("held", 1).hold(2 * SECOND);
        assert!(pool.groups().is_empty());
        let begun = Instant::now();
        // The next group is at the same place.
        let other = pool.keyed("other", 1);
        other.exec(async {}).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        other.hold(3 * SECOND);
        other.exec(async {}).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 3);
        until_no_task_is_alive().await;
    });
}

#[test]
fn a_runtime_that_ends_rejects_what_is_held() {
    within("a runtime that ends", || {
        let (timed, pool) = Timed::pool(1);
        pool.hold(3600 * SECOND);
        let handles = pool.map_n(0..100, |_| async {});
        let group = pool.group("g", 1).unwrap();
        group.hold(3600 * SECOND);
        let in_group = group.spawn_n(async {});
        timed.hand.run();
        timed.hand.drop_workers();
        assert!(pool.is_empty() && in_group.is_finished());
        assert!(handles.iter().all(aiopool::JoinHandle::is_finished));
        assert_eq!(pool.stats().rejected, 101);
    });
}

#[test]
fn a_timer_that_is_lost_is_replaced_while_a_task_is_active() {
    let (timed, pool) = Timed::pool(2);
    let group = pool.group("held", 1).unwrap();
    group.hold(SECOND);
    let waits = group.spawn_n(async {});
    let probe = Probe::new();
    let active = pool.spawn_n(probe.task(()));
    timed.hand.run();
    timed.take();
    // The timer is the older of the two workers.
    timed.hand.drop_worker();
    timed.hand.run();
    assert!(!waits.is_finished());
    assert_eq!((timed.hand.workers(), pool.active()), (2, 1));
    timed.end_all();
    timed.hand.run();
    assert!(waits.is_finished() && !active.is_finished());
    probe.end();
    timed.hand.run();
    assert!(active.is_finished());
    assert_eq!(timed.hand.workers(), 0);
}

#[test]
fn a_time_without_end_is_a_hold_without_end() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        pool.hold(Duration::MAX);
        pool.hold(Duration::from_millis(1));
        let waits = pool.spawn_n(async {});
        assert_eq!((pool.active(), pool.waiting()), (0, 1));
        waits.cancel().await.unwrap_err();
    });
}

#[test]
fn a_runtime_without_a_timer_cannot_hold() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let held = catch_unwind(AssertUnwindSafe(|| pool.hold(Duration::from_millis(1))));
        assert_eq!(held.is_ok(), pools.timer, "on {}", pools.runtime);
        pool.exec(async {}).await.unwrap();
    });
}

#[test]
fn the_rate_goes_on_after_a_hold() {
    on_tokio(async {
        let pool = AioPool::builder().size(9).rate(2, SECOND).build().unwrap();
        let begun = Instant::now();
        pool.hold(SECOND / 2);
        let starts = pool.map(0..6, |_| async { Instant::now() }).await;
        let starts = starts.into_iter().map(|at| at.unwrap() - begun);
        let tenths: Vec<u128> = starts.map(|at| at.as_millis() / 100).collect();
        assert_eq!(tenths, [5, 5, 15, 15, 25, 25]);
        until_no_task_is_alive().await;
    });
}

#[test]
fn very_many_held_groups_all_go_on() {
    on_tokio(async {
        let pool = AioPool::new(AioPool::UNBOUNDED);
        let groups: Vec<_> = (0..3000).map(|n| pool.keyed(n.to_string(), 1)).collect();
        let begun = Instant::now();
        groups.iter().for_each(|group| group.hold(SECOND));
        let handles: Vec<_> = groups.iter().map(|group| group.spawn_n(async {})).collect();
        for handle in handles {
            handle.await.unwrap();
        }
        assert_eq!(begun.elapsed().as_secs(), 1);
    });
}
