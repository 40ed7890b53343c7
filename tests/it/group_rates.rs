//! `GroupBuilder::rate`: a rate for each group, in the rates around it.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiopool::{AioPool, GroupError};
use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

use crate::assert_pending;
use crate::support::{Hand, Probe, Reader, Timed, on_every_runtime, on_tokio, within, yield_now};

const SECOND: Duration = Duration::from_secs(1);

fn limited(pool: &AioPool, name: &str, starts: u32) -> AioPool {
    pool.keyed_with(name, |group| group.rate(starts, SECOND))
}

/// Submits so many tasks. Returns the tenths of a second, from now on, in which they started.
async fn starts(pool: &AioPool, count: usize) -> Vec<u128> {
    let begun = Instant::now();
    let at = pool.map(
        0..count,
        |_| async move { begun.elapsed().as_millis() / 100 },
    );
    at.await.into_iter().map(Result::unwrap).collect()
}

#[test]
fn each_group_keeps_its_own_rate_and_holds_up_no_other() {
    on_tokio(async {
        let pool = AioPool::new(100);
        let (slow, fast) = (limited(&pool, "slow", 1), limited(&pool, "fast", 3));
        let (slow, fast, free) =
            futures::join!(starts(&slow, 3), starts(&fast, 7), starts(&pool, 100));
        assert_eq!(slow, [0, 10, 20]);
        assert_eq!(fast, [0, 0, 0, 10, 10, 10, 20]);
        assert_eq!(free, [0; 100]);
    });
}

#[test]
fn a_start_counts_in_the_rate_of_each_pool_around_it() {
    on_tokio(async {
        let pool = AioPool::builder().size(100).rate(4, SECOND);
        let pool = pool.build().unwrap();
        let outer = limited(&pool, "outer", 3);
        let inner = limited(&outer, "inner", 2);
        let (inner, outer) = (starts(&inner, 3), starts(&outer, 3));
        let (inner, outer, pool) = futures::join!(inner, outer, starts(&pool, 2));
        assert_eq!(inner, [0, 0, 10]);
        assert_eq!(outer, [0, 10, 10]);
        assert_eq!(pool, [0, 10]);
    });
}

#[test]
fn a_group_without_a_rate_shares_that_of_the_group_around_it() {
    on_tokio(async {
        let pool = AioPool::new(100);
        let host = limited(&pool, "host", 2);
        let path = host.group("path", 2).unwrap();
        let (path, host) = futures::join!(starts(&path, 2), starts(&host, 2));
        assert_eq!((path, host), (vec![0, 0], vec![10, 10]));
    });
}

#[test]
fn a_rate_of_a_group_may_be_spread() {
    on_tokio(async {
        let pool = AioPool::new(100);
        let set = |group: aiopool::GroupBuilder| group.spread(true).rate(5, SECOND);
        let group = pool.group_with("g", set).unwrap();
        assert_eq!(starts(&group, 6).await, [0, 2, 4, 6, 8, 10]);
    });
}

#[test]
fn a_task_that_waits_for_the_rate_of_its_group_holds_no_permit() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let group = limited(&pool, "g", 1);
        group.exec(async {}).await.unwrap();
        let waits = group.spawn_n(async {});
        assert_eq!((pool.active(), group.active(), group.waiting()), (0, 0, 1));
        assert!(group.try_spawn(async {}).is_err() && group.try_acquire().is_none());
        assert_eq!(pool.exec(async { 7 }).await.unwrap(), 7);
        assert!(!waits.is_finished());
        waits.await.unwrap();
        sleep(SECOND).await;
        assert!(group.try_acquire().is_some(), "its time is over");
    });
}

#[test]
fn all_ways_to_start_count_in_the_rate_of_the_group() {
    on_tokio(async {
        let pool = AioPool::new(100);
        let group = limited(&pool, "g", 1);
        let begun = Instant::now();
        group.exec(async {}).await.unwrap();
        group.run(async {}).await;
        drop(group.permit().weight(2).acquire().await);
        assert_eq!(group.feed(0..2, |_| async {}).await.completed, 2);
        group.throttle().await;
        group.task(async {}).name("n").exec().await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 6);
        let tries = group.task_fn(|_| async { Err::<(), ()>(()) });
        tries
            .retry([Duration::ZERO; 2])
            .exec()
            .await
            .unwrap()
            .unwrap_err();
        assert_eq!(begun.elapsed().as_secs(), 9);
    });
}

#[test]
fn throttle_takes_a_start_of_each_rate_around_it() {
    on_tokio(async {
        let pool = AioPool::builder().size(100).rate(3, SECOND);
        let pool = pool.build().unwrap();
        let (a, b) = (limited(&pool, "a", 1), limited(&pool, "b", 9));
        let begun = Instant::now();
        let call = async |pool: &AioPool| {
            pool.throttle().await;
            begun.elapsed().as_secs()
        };
        let of_a = join_all((0..3).map(|_| call(&a)));
        let of_b = join_all((0..4).map(|_| call(&b)));
        let (of_a, of_b, of_pool) = futures::join!(of_a, of_b, call(&pool));
        assert_eq!(of_a, [0, 1, 2], "it is held up by no other");
        assert_eq!(of_b, [0, 0, 1, 1]);
        assert_eq!(of_pool, 2);
    });
}

#[test]
fn a_caller_of_throttle_comes_before_the_tasks_of_its_group() {
    on_tokio(async {
        let pool = AioPool::new(100);
        let group = limited(&pool, "g", 1);
        let begun = Instant::now();
        group.exec(async {}).await.unwrap();
        let task = group.spawn_n(async move { begun.elapsed().as_secs() });
        group.throttle().await;
        assert_eq!(begun.elapsed().as_secs(), 1);
        assert_eq!(task.await.unwrap(), 2);
    });
}

#[test]
fn a_caller_that_goes_away_gives_back_the_starts_that_it_has_got() {
    let timed = Timed::default();
    let pool = timed.builder().size(9).rate(1, SECOND).build().unwrap();
    let group = limited(&pool, "g", 1);
    pool.spawn_n(async {});
    timed.hand.run();
    // It has the start of the group, and waits for that of the pool.
    let mut first = Box::pin(group.throttle());
    assert_pending!(first);
    let (reader, mut second) = (Reader::new(), Box::pin(group.throttle()));
    assert!(reader.poll(second.as_mut()).is_pending());
    drop(first);
    timed.hand.run();
    timed.end_all();
    timed.hand.run();
    assert!(reader.is_woken());
    assert!(reader.poll(second.as_mut()).is_ready());
}

#[test]
fn a_start_that_is_not_made_comes_back_at_once() {
    let (timed, pool) = Timed::pool(9);
    let group = limited(&pool, "g", 1);
    let unpolled = group.spawn_n(async {});
    let next = group.spawn_n(async {});
    assert_eq!((group.active(), group.waiting()), (1, 1));
    assert!(unpolled.abort());
    timed.hand.run();
    assert!(next.is_finished());
}

#[test]
fn a_permit_that_was_not_seen_gives_its_start_back() {
    let timed = Timed::default();
    let pool = timed.builder().size(1).build().unwrap();
    let group = limited(&pool, "g", 1);
    let permit = pool.try_acquire().unwrap();
    let mut unseen = Box::pin(group.acquire());
    assert_pending!(unseen);
    let next = group.spawn_n(async {});
    drop(permit);
    assert_eq!((group.active(), group.waiting()), (1, 1));
    drop(unseen);
    timed.hand.run();
    assert!(next.is_finished());
}

#[test]
fn a_name_that_comes_back_has_no_more_starts() {
    let timed = Timed::default();
    let pool = timed.builder().size(9).build().unwrap();
    let host = || limited(&pool, "a", 2);
    timed.take();
    let first = host().map_n(0..2, |_| async {});
    timed.hand.run();
    assert!(first.iter().all(aiopool::JoinHandle::is_finished));
    assert_eq!(pool.groups().len(), 1, "its interval goes on");
    let third = host().spawn_n(async {});
    timed.hand.run();
    assert!(!third.is_finished());
    assert_eq!(timed.hand.workers(), 1, "the timer");
    timed.end_all();
    timed.hand.run();
    assert!(third.is_finished());
}

#[test]
fn the_timer_ends_a_group_whose_last_interval_is_over() {
    let timed = Timed::default();
    let pool = timed.builder().size(9).build().unwrap();
    for starts in [1, 5] {
        for round in 0..3 {
            timed.take();
            let outer = limited(&pool, "outer", starts);
            let task = limited(&outer, "inner", 1).spawn_n(async {});
            drop(outer);
            timed.hand.run();
            assert!(task.is_finished());
            assert_eq!(
                (pool.groups().len(), timed.hand.workers()),
                (1, 1),
                "{round}"
            );
            for _ in 0..3 {
                timed.end_all();
                timed.hand.run();
            }
            assert_eq!(
                (pool.groups().len(), timed.hand.workers()),
                (0, 0),
                "{round}"
            );
        }
    }
    // Without a start there is no interval.
    drop(limited(&pool, "unused", 1));
    assert!(pool.groups().is_empty());
}

#[test]
fn very_many_hosts_that_come_and_go_leave_nothing() {
    on_tokio(async {
        let pool = AioPool::new(10);
        let begun = Instant::now();
        for host in 0..5000 {
            limited(&pool, &format!("{host}"), 1 + host % 2).spawn_n(async {});
        }
        pool.join().await;
        assert_eq!(pool.groups().len(), 5000);
        assert!(begun.elapsed() < SECOND);
        while Handle::current().metrics().num_alive_tasks() > 0 {
            sleep(SECOND / 10).await;
        }
        assert!(pool.groups().is_empty());
        assert!(begun.elapsed() < 3 * SECOND);
    });
}

#[test]
fn a_runtime_that_ends_rejects_the_tasks_that_wait_and_ends_the_groups() {
    within("a runtime that ends", || {
        let timed = Timed::default();
        let pool = timed.builder().size(9).build().unwrap();
        let group = limited(&pool, "g", 1);
        let tasks = group.map_n(0..10, |_| async {});
        timed.hand.run();
        let mut waits = Box::pin(group.throttle());
        assert_pending!(waits);
        timed.hand.drop_workers();
        drop(waits);
        timed.hand.drop_workers();
        assert!(tasks.iter().all(aiopool::JoinHandle::is_finished));
        assert!(pool.is_empty());
    });
}

#[test]
fn a_rate_of_nothing_or_without_a_timer_is_told_at_once() {
    let timed = Timed::default();
    let pool = timed.builder().size(1).build().unwrap();
    for (starts, per) in [(0, SECOND), (1, Duration::ZERO)] {
        let error = pool.group_with("g", |group| group.rate(starts, per));
        assert_eq!(error.unwrap_err(), GroupError::ZeroRate);
    }
    let pool = AioPool::with_spawner(1, Hand::without_timer());
    let error = pool.group_with("g", |group| group.rate(1, SECOND));
    let error = error.unwrap_err();
    assert_eq!(error, GroupError::NoTimer);
    assert!(error.to_string().contains("timer"));
    let keyed = || limited(&pool, "g", 1);
    assert!(catch_unwind(AssertUnwindSafe(keyed)).is_err());
    assert!(pool.groups().is_empty());
}

#[test]
fn the_timer_of_the_runtime_is_looked_for_once() {
    let (timed, pool) = Timed::pool(1);
    for n in 0..100 {
        drop(limited(&pool, ["a", "b"][n % 2], 1000));
        pool.task(async {}).timeout(SECOND).spawn_n();
        pool.hold(Duration::ZERO);
        timed.hand.run();
    }
    drop(pool.shutdown_on(std::future::pending::<()>(), SECOND));
    assert_eq!(timed.take().len(), 1);
}

#[test]
fn fair_share_and_pauses_go_together_with_rates() {
    on_tokio(async {
        let pool = AioPool::builder().size(1).fair_share(true).build().unwrap();
        let (a, b) = (limited(&pool, "a", 2), limited(&pool, "b", 2));
        a.pause();
        let (of_a, of_b) = (starts(&a, 3), starts(&b, 3));
        let resume = async {
            sleep(SECOND / 2).await;
            a.resume();
        };
        let (of_a, of_b, ()) = futures::join!(of_a, of_b, resume);
        assert_eq!(of_a, [5, 5, 15]);
        assert_eq!(of_b, [0, 0, 10]);
    });
}

#[test]
fn no_interval_of_any_group_on_any_runtime_sees_more_starts() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(8);
        let per = Duration::from_millis(15);
        let groups: Vec<AioPool> = (1..4)
            .map(|starts| pool.group_with(format!("{starts}"), |group| group.rate(starts, per)))
            .map(Result::unwrap)
            .collect();
        let all = groups.iter().zip(1..).map(|(group, starts)| async move {
            let times = Arc::new(Mutex::new(Vec::new()));
            let noted = times.clone();
            let note = move |_| {
                let times = noted.clone();
                async move {
                    times.lock().unwrap().push(std::time::Instant::now());
                    yield_now().await;
                }
            };
            group.map(0..20, note).await;
            let times = std::mem::take(&mut *times.lock().unwrap());
            for (first, beyond) in times.iter().zip(&times[starts..]) {
                assert!(*beyond - *first >= per, "{starts} on {}", pools.runtime);
            }
        });
        join_all(all).await;
        pool.join().await;
        assert!(pool.is_empty(), "on {}", pools.runtime);
    });
}

#[test]
fn a_task_of_a_group_with_a_rate_is_cancelled_while_it_waits() {
    on_tokio(async {
        let pool = AioPool::new(9);
        let group = limited(&pool, "g", 1);
        let probe = Probe::new();
        group.spawn(probe.task(())).await;
        while !probe.has_started() {
            yield_now().await;
        }
        let tasks = group.map_n(0..3, |_| async {});
        assert_eq!(group.cancel_all().await, 4);
        assert!(tasks.iter().all(aiopool::JoinHandle::is_finished));
        assert_eq!(starts(&group, 1).await, [10]);
    });
}

#[test]
fn no_start_is_lost_whatever_becomes_of_tasks_and_callers() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let per = Duration::from_millis(5);
        let pool = pools.size(3);
        let outer = pool.group_with("outer", |group| group.rate(6, per));
        let outer = outer.unwrap();
        let inner = outer.group_with("inner", |group| group.rate(4, per));
        let inner = inner.unwrap();
        for round in 0..60 {
            let group = if round % 3 == 0 { &outer } else { &inner };
            let aborted = group.spawn_n(yield_now());
            let mut unseen = Box::pin(group.permit().weight(1 + round % 4).acquire());
            let mut caller = Box::pin(group.throttle());
            let _ = crate::support::poll_once(unseen.as_mut());
            let _ = crate::support::poll_once(caller.as_mut());
            group.spawn_n(yield_now());
            if round % 4 == 0 {
                yield_now().await;
            }
            aborted.abort();
            drop((caller, unseen));
            if round % 5 == 0 {
                group.run(yield_now()).await;
                group.throttle().await;
            }
        }
        pool.join().await;
        pool.resize(100).unwrap();
        // Once no interval goes on, each start is there again.
        for (group, starts) in [(&inner, 4), (&outer, 6)] {
            let begun = std::time::Instant::now();
            while begun.elapsed() < 2 * per {
                yield_now().await;
            }
            let permits: Vec<_> = (0..starts).map_while(|_| group.try_acquire()).collect();
            assert_eq!(permits.len(), starts, "on {}", pools.runtime);
        }
    });
}

/// What holds the only start of a group, and does not use it.
type Holder = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Takes the start of a group, which is given back when the returned future is polled. Each is one way to do so.
async fn hold_the_start(group: &AioPool, pool: &AioPool, way: usize) -> Option<Holder> {
    let (group, pool) = (group.clone(), pool.clone());
    match way {
        0 => {
            let granted = group.spawn_n(async {});
            Some(Box::pin(async move { assert!(granted.abort()) }))
        }
        1 => {
            let mut exec = Box::pin(async move { group.exec(pending::<()>()).await });
            assert_pending!(exec);
            Some(Box::pin(async move { drop(exec) }))
        }
        2 => {
            let feed = group.feed(0..3, |_| async {});
            Some(Box::pin(async move { assert!(feed.abort()) }))
        }
        3 => {
            group.exec(async {}).await.unwrap();
            let mut throttle = Box::pin(async move { group.throttle().await });
            assert_pending!(throttle);
            sleep(SECOND).await;
            Some(Box::pin(async move { drop(throttle) }))
        }
        4 => {
            drop(group.spawn_n(async {}));
            Some(Box::pin(async move {
                pool.close();
                pool.abort_all();
            }))
        }
        _ => None,
    }
}

#[test]
fn a_start_that_comes_back_unused_goes_to_the_caller_that_waits_for_it() {
    on_tokio(async {
        for place in ["pool", "group", "inner group"] {
            for way in 0.. {
                let builder = AioPool::builder().size(4);
                let pool = match place {
                    "pool" => builder.rate(1, SECOND).build().unwrap(),
                    _ => builder.build().unwrap(),
                };
                let group = match place {
                    "pool" => pool.clone(),
                    "group" => limited(&pool, "g", 1),
                    _ => limited(&limited(&pool, "outer", 1), "inner", 9),
                };
                let Some(holder) = hold_the_start(&group, &pool, way).await else {
                    assert_eq!(way, 5);
                    break;
                };
                let both = async { futures::join!(group.throttle(), holder) };
                let ended = timeout(60 * SECOND, both).await;
                assert!(ended.is_ok(), "the rate of the {place}, way {way}");
            }
        }
    });
}

#[test]
fn a_start_that_is_free_again_is_used_before_others_overtake_the_task_that_needs_it() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let (group, other) = (limited(&pool, "g", 2), pool.keyed("other", 2));
        for in_place in [false, true] {
            // One of the two starts, whose interval is over before the other one is used.
            group.exec(async {}).await.unwrap();
            sleep(SECOND * 2).await;
            pool.pause();
            let older = [(); 2].map(|()| group.spawn_n(pending::<()>()));
            let mut asks = Box::pin(other.acquire());
            if in_place {
                assert_pending!(asks);
            } else {
                other.spawn_n(async {});
            }
            pool.resume();
            assert_eq!((group.active(), other.active()), (2, 0), "{in_place}");
            drop(asks);
            pool.cancel(older).await;
            sleep(SECOND * 2).await;
        }
    });
}
