//! `throttle`: starts of the rate for code that has started already.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiopool::{AioPool, Builder, lend};
use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::support::{Reader, Timed, on_every_runtime, on_tokio, within, yield_now};

const SECOND: Duration = Duration::from_secs(1);

fn limited(starts: u32, per: Duration) -> Builder {
    AioPool::builder().size(100).rate(starts, per)
}

async fn until_no_task_is_alive() {
    while Handle::current().metrics().num_alive_tasks() > 0 {
        yield_now().await;
    }
}

#[test]
fn tasks_and_callers_share_the_rate() {
    on_tokio(async {
        let pool = limited(2, SECOND).build().unwrap();
        let group = pool.group("g", 1).unwrap();
        let begun = Instant::now();
        let task = group.spawn_n({
            let group = group.clone();
            async move {
                let mut times = vec![begun.elapsed().as_secs()];
                for _ in 0..4 {
                    group.throttle().await;
                    times.push(begun.elapsed().as_secs());
                }
                times
            }
        });
        assert_eq!(task.await.unwrap(), [0, 0, 1, 1, 2]);
        pool.exec(async {}).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 2);
        pool.throttle().await;
        assert_eq!(begun.elapsed().as_secs(), 3);
        until_no_task_is_alive().await;
    });
}

#[test]
fn callers_come_in_the_order_of_their_calls_and_before_new_tasks() {
    on_tokio(async {
        let pool = limited(1, SECOND).build().unwrap();
        pool.exec(async {}).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &str| {
            let (order, what) = (order.clone(), what.to_owned());
            move || order.lock().unwrap().push(what)
        };
        let (first, last) = (note("task 1"), note("task 2"));
        pool.spawn_n(async move { first() });
        pool.spawn_n(async move { last() });
        let callers = ["a", "b", "c"].map(|name| {
            let (pool, note) = (pool.clone(), note(name));
            async move {
                pool.throttle().await;
                note();
            }
        });
        join_all(callers).await;
        pool.join().await;
        assert_eq!(*order.lock().unwrap(), ["a", "b", "c", "task 1", "task 2"]);
    });
}

#[test]
fn a_task_that_waits_for_a_start_holds_no_permit() {
    on_tokio(async {
        let pool = limited(2, SECOND).size(1).build().unwrap();
        let begun = Instant::now();
        let lends = pool.spawn_n(async { lend(sleep(SECOND / 2)).await });
        let inner = pool.clone();
        let waits = pool.spawn_n(async move { inner.throttle().await });
        lends.await.unwrap();
        assert_eq!(begun.elapsed().as_millis(), 500);
        assert!(!waits.is_finished());
        assert_eq!((pool.active(), pool.waiting()), (0, 1));
        waits.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 1);
    });
}

#[test]
fn a_pool_without_a_rate_has_nothing_to_wait_for() {
    let pool = AioPool::new(1);
    // Outside of a runtime too.
    futures::executor::block_on(pool.throttle());
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inner = pool.clone();
        let task = pool.exec(async move {
            for _ in 0..1000 {
                inner.throttle().await;
            }
        });
        task.await.unwrap();
    });
}

#[test]
fn a_caller_that_goes_away_takes_no_start() {
    on_tokio(async {
        let pool = limited(1, SECOND).build().unwrap();
        pool.throttle().await;
        let begun = Instant::now();
        let mut waits = Box::pin(pool.throttle());
        crate::assert_pending!(waits);
        let next = pool.spawn_n(async {});
        drop(waits);
        next.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 1);
        until_no_task_is_alive().await;
    });
}

#[test]
fn a_start_that_a_caller_has_not_seen_goes_to_the_next() {
    let timed = Timed::default();
    let pool = timed.builder().size(9).rate(1, SECOND).build().unwrap();
    timed.take();
    let taken = pool.spawn_n(async {});
    timed.hand.run();
    assert!(taken.is_finished());
    let (first, second) = (Reader::new(), Reader::new());
    let mut granted = Box::pin(pool.throttle());
    let mut waits = Box::pin(pool.throttle());
    assert!(first.poll(granted.as_mut()).is_pending());
    assert!(second.poll(waits.as_mut()).is_pending());
    timed.hand.run();
    assert_eq!(timed.hand.workers(), 1);
    timed.end_all();
    timed.hand.run();
    assert!(first.is_woken() && !second.is_woken());
    drop(granted);
    assert!(second.is_woken());
    assert!(second.poll(waits.as_mut()).is_ready());
    timed.hand.run();
    assert_eq!((timed.hand.workers(), pool.stats().submitted), (0, 1));
}

#[test]
fn the_timer_ends_with_the_last_caller() {
    let timed = Timed::default();
    let pool = timed.builder().size(9).rate(1, SECOND).build().unwrap();
    pool.spawn_n(async {});
    timed.hand.run();
    let mut callers: Vec<_> = (0..10).map(|_| Box::pin(pool.throttle())).collect();
    for caller in &mut callers {
        crate::assert_pending!(caller);
    }
    timed.hand.run();
    assert_eq!(timed.hand.workers(), 1);
    callers.pop();
    timed.hand.run();
    assert_eq!(timed.hand.workers(), 1);
    drop(callers);
    timed.hand.run();
    assert_eq!(timed.hand.workers(), 0);
}

#[test]
fn a_caller_gets_its_start_when_the_runtime_has_ended() {
    within("a runtime that ends", || {
        let timed = Timed::default();
        let pool = timed.builder().size(9).rate(1, 3600 * SECOND);
        let pool = pool.build().unwrap();
        pool.spawn_n(async {});
        timed.hand.run();
        let mut waits = Box::pin(pool.throttle());
        crate::assert_pending!(waits);
        timed.hand.drop_workers();
        futures::executor::block_on(waits);
    });
}

#[test]
fn a_runtime_may_end_while_a_caller_has_not_seen_its_start_and_a_task_waits_for_one() {
    within("a runtime that ends", || {
        let timed = Timed::default();
        let pool = timed.builder().size(9).rate(1, 3600 * SECOND);
        let pool = pool.build().unwrap();
        futures::executor::block_on(pool.throttle());
        let mut waits = Box::pin(pool.throttle());
        crate::assert_pending!(waits);
        timed.hand.run();
        timed.end_all();
        timed.hand.run();
        let mut task = pool.spawn_n(async { 1 });
        timed.hand.drop_workers();
        assert!(!task.is_finished(), "the caller has the only start");
        futures::executor::block_on(waits);
        timed.hand.run();
        timed.end_all();
        timed.hand.run();
        assert_eq!(task.try_join().unwrap().unwrap(), 1);
    });
}

#[test]
fn neither_a_pause_nor_a_hold_keeps_a_caller_waiting() {
    on_tokio(async {
        let pool = limited(1, SECOND).build().unwrap();
        let begun = Instant::now();
        pool.hold(100 * SECOND);
        pool.throttle().await;
        pool.pause();
        pool.throttle().await;
        assert_eq!(begun.elapsed().as_secs(), 1);
    });
}

#[test]
fn an_abort_ends_a_task_that_waits_for_a_start() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let builder = pools.builder().size(1).rate(1, 3600 * SECOND);
        let pool = builder.build().unwrap();
        let inner = pool.clone();
        let waits = pool.spawn(async move { inner.throttle().await }).await;
        for _ in 0..5 {
            yield_now().await;
        }
        assert!(waits.cancel().await.unwrap_err().is_cancelled());
        assert!(pool.is_empty(), "on {}", pools.runtime);
    });
}

#[test]
fn each_try_takes_a_start() {
    on_tokio(async {
        let pool = limited(2, SECOND).build().unwrap();
        let begun = Instant::now();
        let times = Arc::new(Mutex::new(Vec::new()));
        let handles: Vec<_> = (0..3)
            .map(|_| {
                let times = times.clone();
                let task = pool.task_fn(move |_| {
                    times.lock().unwrap().push(begun.elapsed().as_secs());
                    async { Err::<(), ()>(()) }
                });
                task.retry([Duration::ZERO, SECOND / 10]).spawn_n()
            })
            .collect();
        for handle in handles {
            handle.await.unwrap().unwrap_err();
        }
        assert_eq!(*times.lock().unwrap(), [0, 0, 1, 1, 2, 2, 3, 3, 4]);
        until_no_task_is_alive().await;
    });
}

#[test]
fn a_rate_that_is_spread_keeps_callers_apart() {
    on_tokio(async {
        let pool = limited(4, SECOND).spread(true).build().unwrap();
        let begun = Instant::now();
        let mut starts = Vec::new();
        for _ in 0..9 {
            pool.throttle().await;
            starts.push(begun.elapsed());
        }
        for pair in starts.windows(2) {
            assert!(pair[1] - pair[0] >= SECOND / 4, "{starts:?}");
        }
        assert_eq!(begun.elapsed().as_secs(), 2);
    });
}

#[test]
fn every_runtime_keeps_the_rate_with_many_callers() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let per = Duration::from_millis(20);
        let pool = pools.builder().size(3).rate(5, per).build().unwrap();
        let begun = std::time::Instant::now();
        let tasks = pool.map_n(0..6, |_| {
            let pool = pool.clone();
            async move {
                for _ in 0..4 {
                    pool.throttle().await;
                }
            }
        });
        join_all((0..10).map(|_| pool.throttle())).await;
        for task in tasks {
            task.await.unwrap();
        }
        // 40 starts: eight times five.
        assert!(begun.elapsed() >= 7 * per, "on {}", pools.runtime);
        pool.join().await;
    });
}

#[test]
fn very_many_callers_all_get_a_start_at_once() {
    on_tokio(async {
        let pool = limited(5000, SECOND).build().unwrap();
        pool.map(0..5000, |_| async {}).await;
        let begun = Instant::now();
        let calls = Arc::new(AtomicU32::new(0));
        let callers = (0..6000).map(|_| async {
            pool.throttle().await;
            calls.fetch_add(1, SeqCst);
        });
        let task = pool.spawn_n(async {});
        join_all(callers).await;
        assert_eq!(begun.elapsed().as_secs(), 2);
        task.await.unwrap();
        assert_eq!((calls.load(SeqCst), begun.elapsed().as_secs()), (6000, 2));
    });
}

#[test]
fn a_caller_that_never_has_to_wait_lets_others_run() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools
            .builder()
            .size(1)
            .rate(u32::MAX, SECOND)
            .build()
            .unwrap();
        let begun = Arc::new(AtomicBool::new(false));
        let (inner, told) = (pool.clone(), begun.clone());
        let endless = pool.spawn_n(async move {
            loop {
                inner.throttle().await;
                told.store(true, SeqCst);
            }
        });
        while !begun.load(SeqCst) {
            yield_now().await;
        }
        let _: Result<(), _> = endless.cancel().await;
        assert!(pool.is_empty(), "on {}", pools.runtime);
    });
}
