//! The bugs of asyncio-taskpool, each by its number, and that this pool does right.
//!
//! Numbers without a test here:
//! - T1 and T2 are about the package itself, which cannot be imported, and a server that refuses every client.
//! - T20 to T24 are about that server and its client: steering a pool from outside the program is a matter of its own.
//! - T26 is about what a documentation says wrongly; the examples of this one are compiled and run.

use std::borrow::Cow;
use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aiopool::{AioPool, JoinHandle, Shutdown, SimpleTaskPool};
use futures::executor::block_on;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once};

/// Submits a task for each of so many probes.
fn busy(pool: &AioPool, count: usize) -> (Vec<Probe>, Vec<JoinHandle<()>>) {
    let probes = Probe::several(count);
    let handles = pool.map_n(&probes, |probe| probe.task(()));
    (probes, handles)
}

/// Theirs reads back the free slots, and 5 set while 3 run allows 8.
#[test]
fn t3_size_reads_back_what_was_set() {
    let (hand, pool) = Hand::pool(5);
    let (_probes, _handles) = busy(&pool, 3);
    hand.run();
    assert_eq!(pool.size(), 5);
    pool.resize(5).unwrap();
    let (_more, _more_handles) = busy(&pool, 10);
    assert_eq!((pool.size(), pool.active()), (5, 5));
}

/// Theirs, made smaller while tasks run, is as large as before when these have ended.
#[test]
fn t3_a_pool_that_was_made_smaller_stays_so() {
    let (hand, pool) = Hand::pool(3);
    let (probes, _handles) = busy(&pool, 3);
    pool.resize(1).unwrap();
    probes.iter().for_each(Probe::end);
    hand.run();
    let (_more, _more_handles) = busy(&pool, 3);
    assert_eq!((pool.size(), pool.active()), (1, 1));
}

/// Theirs starts the next task when another one ends, however much room there is.
#[test]
fn t4_a_pool_that_grows_starts_waiting_tasks_at_once() {
    let (hand, pool) = Hand::pool(1);
    let (probes, _handles) = busy(&pool, 3);
    hand.run();
    pool.resize(3).unwrap();
    hand.run();
    assert!(probes.iter().all(Probe::has_started));
}

/// Theirs counts such a task as running for ever, keeps its slot, and calls nobody back.
#[test]
fn t5_a_task_cancelled_before_its_first_poll_gives_everything_back() {
    let stops: [fn(&AioPool, &JoinHandle<()>); 3] = [
        |_, handle| assert!(handle.abort()),
        |pool, handle| assert_eq!(pool.abort([handle.id()]), Ok(1)),
        |pool, _| assert_eq!(pool.abort_all(), 1),
    ];
    for stop in stops {
        let (hand, pool) = Hand::pool(1);
        let probe = Probe::new();
        let called = Arc::new(AtomicUsize::new(0));
        let (cancelled, ended) = (called.clone(), called.clone());
        let task = pool.task(probe.task(()));
        let task = task.on_cancel(move |_| _ = cancelled.fetch_add(1, SeqCst));
        let handle = task
            .on_end(move |_| _ = ended.fetch_add(1, SeqCst))
            .spawn_n();
        stop(&pool, &handle);
        hand.run();
        assert!(handle.is_finished() && !probe.has_started());
        assert_eq!((pool.active(), called.load(SeqCst)), (0, 2));
        block_on(pool.shutdown(Shutdown::Drain));
    }
}

/// A map of theirs one of whose tasks was hit so stands still.
#[test]
fn t5_a_map_goes_on_when_one_of_its_tasks_is_cancelled_before_its_first_poll() {
    let (hand, pool) = Hand::pool(1);
    let mut map = pin!(pool.map(0..5, |n| async move { n }));
    assert_pending!(map);
    pool.abort([0.into()]).unwrap();
    while poll_once(map.as_mut()).is_pending() {
        assert!(hand.step(), "it stands still");
    }
    assert_eq!((pool.stats().cancelled, pool.stats().completed), (1, 4));
}

/// Theirs waits for such tasks for ever, and its pool stays open.
#[test]
fn t5_all_of_a_group_or_a_pool_may_be_cancelled_right_after_they_were_submitted() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        for target in [pool.clone(), pool.group("images", 1).unwrap()] {
            let handles = target.apply(3, pending::<()>);
            assert_eq!(target.cancel_all().await, 3);
            for handle in handles {
                assert!(handle.await.unwrap_err().is_cancelled());
            }
            assert_eq!((pool.active(), pool.waiting()), (0, 0));
        }
        pool.shutdown(Shutdown::Drain).await;
    });
}

/// Theirs runs none of the six, or three of them, and says nothing.
#[test]
fn t6_closing_right_after_apply_loses_no_task() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let handles = pool.apply(6, || async {});
        pool.shutdown(Shutdown::Drain).await;
        assert_eq!(pool.stats().completed, 6);
        for handle in handles {
            handle.await.unwrap();
        }
    });
}

/// Their locked pool goes on with a map, and forgets what is left of an `apply` or a `start`.
#[test]
fn t7_closing_keeps_what_was_submitted_by_whatever_verb() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let probe = Probe::new();
        pool.spawn(probe.task(())).await;
        let mapped = pool.map_n(0..3, |_| async {});
        let applied = pool.apply(3, || async {});
        pool.close();
        probe.end();
        for handle in mapped.into_iter().chain(applied) {
            handle.await.unwrap();
        }
    });
}

/// A map that pulls its items as permits free is stopped by a closed pool, and its results say where.
#[test]
fn t7_a_lazy_map_says_which_items_came_too_late() {
    let (hand, pool) = Hand::pool(1);
    let probes = Probe::several(4);
    probes.iter().for_each(Probe::end);
    let mut map = pin!(pool.map(&probes, |probe| probe.task(())));
    assert_pending!(map);
    pool.close();
    hand.run();
    let results = block_on(map);
    assert!(
        results[..2].iter().all(Result::is_ok),
        "one ran, and one waited"
    );
    let late = results[2..]
        .iter()
        .map(|result| result.as_ref().unwrap_err());
    assert_eq!(late.filter(|error| error.is_rejected()).count(), 2);
}

/// A batch that the pool pulls by itself was taken in when the pool was open, all of it.
#[test]
fn t7_closing_keeps_the_items_that_a_feed_has_not_pulled() {
    let (hand, pool) = Hand::pool(1);
    let feed = pool.feed(0..4, |_| async {});
    pool.close();
    hand.run();
    assert_eq!(block_on(feed).completed, 4);
}

/// Theirs fails with the task's error every time, forgets nothing, and stays open for ever.
#[test]
fn t8_a_task_that_failed_keeps_nobody_from_closing() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let failing = pool.spawn_n(async { panic!("on purpose") });
        let watched = pool.clone();
        let closed = async move { watched.closed().await };
        futures::join!(pool.shutdown(Shutdown::Drain), closed);
        assert!(pool.is_closed() && pool.is_empty() && pool.tasks().is_empty());
        let failed: Result<(), _> = failing.await;
        assert_eq!(failed.unwrap_err().panic_message(), Some("on purpose"));
        assert_eq!(pool.stats().panicked, 1);
    });
}

/// Theirs cuts a map off without a word, or cancels every task of the pool.
#[test]
fn t9_giving_up_waiting_stops_no_task() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let second = Duration::from_secs(1);
        let handles = pool.map_n(0..4, |n| async move {
            tokio::time::sleep(second).await;
            n
        });
        assert!(tokio::time::timeout(second / 2, pool.join()).await.is_err());
        let shutdown = pool.shutdown(Shutdown::Drain);
        assert!(tokio::time::timeout(second / 2, shutdown).await.is_err());
        assert!(pool.is_closed(), "it was asked to close, and did");
        pool.closed().await;
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.await.unwrap(), n);
        }
    });
}

#[test]
fn t9_giving_up_waiting_stops_no_feed() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let second = Duration::from_secs(1);
        let feed = pool.feed(0..4, move |_| tokio::time::sleep(second));
        assert!(tokio::time::timeout(second / 2, pool.join()).await.is_err());
        pool.join().await;
        assert_eq!(feed.await.completed, 4);
    });
}

/// Theirs stops waiting for a map as soon as a group is cancelled that had not begun.
#[test]
fn t10_cancelling_a_group_before_it_began_loses_no_task_of_another() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let [kept, dropped] = ["a", "b"].map(|name| pool.group(name, 1).unwrap());
        let handles = kept.map_n(0..5, |n| async move { n });
        let never = dropped.apply(1, pending::<()>);
        assert_eq!(dropped.abort_all(), 1);
        pool.shutdown(Shutdown::Drain).await;
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.await.unwrap(), n);
        }
        assert!(never.iter().all(JoinHandle::is_finished));
    });
}

/// Theirs takes a second cancellation as it takes the first.
#[test]
fn t11_only_the_first_cancellation_of_a_task_counts() {
    let (hand, pool) = Hand::pool(1);
    let (_probes, handles) = busy(&pool, 1);
    hand.run();
    assert!(handles[0].abort() && !handles[0].abort());
    assert!(pool.abort([handles[0].id()]).is_err());
    assert_eq!(pool.abort_all(), 0);
    hand.run();
    assert_eq!(pool.stats().cancelled, 1);
}

/// Theirs cancels the coroutine a second time while it cleans up, and so tears it out of that.
#[test]
fn t11_a_second_cancellation_does_not_interrupt_the_cleaning_up() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let second = Duration::from_secs(1);
        let cleaned = Arc::new(AtomicBool::new(false));
        let mine = cleaned.clone();
        let task = pool.task(async move {
            aiopool::current().unwrap().aborted().await;
            tokio::time::sleep(second).await;
            mine.store(true, SeqCst);
        });
        let handle = task.grace(second * 10).spawn().await;
        tokio::time::sleep(second).await;
        assert!(handle.abort());
        tokio::time::sleep(second / 2).await;
        assert!(!handle.abort() && pool.abort([handle.id()]).is_err());
        assert!(!cleaned.load(SeqCst));
        pool.join().await;
        assert!(cleaned.load(SeqCst));
    });
}

/// Theirs gives the same number twice, and then its task the second cancellation.
#[test]
fn t11_each_stop_takes_other_tasks() {
    let (hand, pool) = Hand::pool(2);
    let copies = SimpleTaskPool::new(pool, pending::<()>);
    copies.start(2);
    hand.run();
    assert_ne!(copies.stop(1), copies.stop(1));
    assert!(copies.stop(1).is_empty());
    hand.run();
    assert_eq!(copies.pool().stats().cancelled, 2);
}

/// Theirs gives a group's name for a call, and no way to a value or an error.
#[test]
fn t12_every_result_can_be_had() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let mut values = Vec::new();
        for handle in pool.map_n(0..3, |n| async move { n * 2 }) {
            values.push(handle.await.unwrap());
        }
        for handle in pool.apply(2, || async { 9 }) {
            values.push(handle.await.unwrap());
        }
        assert_eq!(values, [0, 2, 4, 9, 9]);
        let results = pool.map(
            [true, false],
            |fine| async move { assert!(fine, "not fine") },
        );
        assert_eq!(
            results.await[1].as_ref().unwrap_err().panic_message(),
            Some("not fine")
        );
    });
}

/// Theirs keeps 845 bytes of a task until it is flushed, and a pool until the program ends.
#[test]
fn t13_neither_ended_tasks_nor_pools_are_kept() {
    let (hand, pool) = Hand::pool(4);
    let held = Arc::new(());
    let handles = pool.map_n(0..1000, |_| {
        let held = held.clone();
        async move { held }
    });
    hand.run();
    assert!(pool.tasks().is_empty());
    drop(handles);
    let inside = held.clone();
    pool.spawn_n(async move {
        pending::<()>().await;
        drop(inside);
    });
    assert_eq!(Arc::strong_count(&held), 2);
    drop(pool);
    hand.drop_workers();
    assert_eq!(Arc::strong_count(&held), 1);
}

/// Theirs keeps 544 bytes of a group that is through, for ever.
#[test]
fn t13_a_group_that_is_through_is_gone() {
    let (hand, pool) = Hand::pool(4);
    for n in 0..100 {
        drop(pool.keyed(format!("host {n}"), 1).map_n(0..3, |_| async {}));
    }
    assert_eq!(pool.groups().len(), 100);
    hand.run();
    assert!(pool.groups().is_empty());
    assert_eq!(pool.stats().completed, 300);
}

/// Theirs looks through all groups for a name that is free, so that 4000 calls after 3000 others take 3 seconds.
#[test]
fn t14_a_group_among_many_costs_what_it_costs_among_few() {
    let (_hand, pool) = Hand::pool(1);
    let each = |count: u32| {
        let begun = Instant::now();
        let groups: Vec<AioPool> = (0..count).map(|n| pool.keyed(n.to_string(), 1)).collect();
        let spent = begun.elapsed();
        assert_eq!(groups.len(), pool.groups().len());
        spent / count
    };
    let least = |count| (0..5).map(|_| each(count)).min().unwrap();
    let (few, many) = (least(250), least(8000));
    assert!(
        many < few * 20, // what grows with their number would be 32 times as much
        "{few:?} each among 250, {many:?} among 8000"
    );
}

/// Theirs frees the slot before it calls back, so that any number of callbacks run at once.
#[test]
fn t15_a_callback_runs_under_the_permit_of_its_task() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        for _ in 0..20 {
            let (running, most) = (running.clone(), most.clone());
            let callback = |_| async move {
                most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                tokio::task::yield_now().await;
                running.fetch_sub(1, SeqCst);
            };
            pool.task(async {}).then(callback).spawn_n();
        }
        pool.join().await;
        assert!((1..=2).contains(&most.load(SeqCst)));
    });
}

/// Theirs counts such a task as ended, so that nobody can cancel it, and closing waits for ever.
#[test]
fn t15_a_callback_that_hangs_can_be_cancelled() {
    let (hand, pool) = Hand::pool(1);
    let hanging = pool.task(async {}).then(|_| pending::<()>());
    let handle = hanging.spawn_n();
    hand.run();
    assert_eq!(pool.active(), 1);
    assert_eq!(pool.abort([handle.id()]), Ok(1));
    hand.run();
    assert!(pool.is_empty());
    block_on(pool.shutdown(Shutdown::Drain));
}

/// Theirs starts 200 000 tasks in one go, and nobody else runs for two seconds.
#[test]
fn t16_others_run_between_the_tasks_of_a_pool_without_bound() {
    on_tokio(async {
        let pool = AioPool::new(AioPool::UNBOUNDED);
        let handles = pool.map_n(0..20_000, |_| async {});
        let mut turns = 0;
        while !handles.iter().all(JoinHandle::is_finished) {
            tokio::task::yield_now().await;
            turns += 1;
        }
        assert!(turns > 100, "{turns} turns for 20 000 tasks");
    });
}

#[test]
fn t16_a_map_in_a_pool_without_bound_does_not_pull_everything_in_one_poll() {
    let (_hand, pool) = Hand::pool(AioPool::UNBOUNDED);
    let pulled = Cell::new(0);
    let items = (0..200_000).inspect(|_| pulled.set(pulled.get() + 1));
    let mut map = Box::pin(pool.map(items, |_| async {}));
    assert_pending!(map);
    assert!(
        pulled.get() < 10_000,
        "{} items pulled in one poll",
        pulled.get()
    );
}

#[test]
fn t16_a_feed_does_not_pull_everything_in_one_poll() {
    let (hand, pool) = Hand::pool(AioPool::UNBOUNDED);
    let pulled = Arc::new(AtomicUsize::new(0));
    let inside = pulled.clone();
    let items = (0..200_000).inspect(move |_| _ = inside.fetch_add(1, SeqCst));
    let feed = pool.feed(items, |_| async {});
    hand.step();
    let at_once = pulled.load(SeqCst);
    assert!(at_once < 10_000, "{at_once} items pulled in one poll");
    hand.run();
    assert_eq!(block_on(feed).completed, 200_000);
}

/// Theirs waits for itself for ever, and cancelling it then runs out of stack.
#[test]
fn t17_a_task_may_wait_for_all_others_of_its_pool() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inside = pool.clone();
        let handle = pool.spawn_n(async move {
            let other = inside.spawn_n(async { 1 });
            inside.join().await;
            other.is_finished()
        });
        assert!(handle.await.unwrap());
    });
}

#[test]
fn t17_a_task_may_shut_its_own_pool_down() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inside = pool.clone();
        let handle = pool.spawn_n(async move {
            let other = inside.spawn_n(async { 1 });
            inside.shutdown(Shutdown::Drain).await;
            other.is_finished()
        });
        assert!(handle.await.unwrap());
        pool.closed().await;
    });
}

#[test]
fn t17_a_task_that_waits_for_its_own_pool_can_be_cancelled() {
    let (hand, pool) = Hand::pool(1);
    let (inside, held) = (pool.clone(), Arc::new(()));
    let mine = held.clone();
    let waiting = pool.spawn_n(async move {
        inside.join().await;
        drop(mine);
    });
    let (probes, _handles) = busy(&pool, 1);
    hand.run();
    assert!(probes[0].has_started(), "the permit is lent meanwhile");
    assert!(waiting.abort());
    hand.run();
    assert!(waiting.is_finished());
    assert_eq!((pool.active(), Arc::strong_count(&held)), (1, 1));
}

/// Theirs refuses a task that a callback adds while it closes, and loses it.
#[test]
fn t17_a_task_that_a_callback_adds_is_waited_for_or_refused_openly() {
    let (hand, pool) = Hand::pool(1);
    let added = Arc::new(Mutex::new(Vec::new()));
    let adding = || {
        let (inside, added) = (pool.clone(), added.clone());
        pool.task(async {})
            .on_end(move |_| added.lock().unwrap().push(inside.spawn_n(async {})))
            .spawn_n()
    };
    adding();
    let mut join = pin!(pool.join());
    while poll_once(join.as_mut()).is_pending() {
        hand.step();
    }
    assert_eq!(pool.stats().completed, 2);
    adding();
    pool.close();
    hand.run();
    let mut results = added.lock().unwrap().split_off(0).into_iter().map(block_on);
    assert!(results.next().unwrap().is_ok());
    assert!(results.next().unwrap().unwrap_err().is_rejected());
}

/// Theirs writes to a log what was wrong with an item, and only there.
#[test]
fn t18_an_item_that_gives_no_future_fails_the_call() {
    let (hand, pool) = Hand::pool(1);
    let mut map = Box::pin(pool.map([1, 0, 2], |n| {
        let tenth = 10 / n;
        async move { tenth }
    }));
    let polled = catch_unwind(AssertUnwindSafe(|| poll_once(map.as_mut())));
    assert!(polled.is_err());
    drop(map);
    hand.run();
    assert!(pool.is_empty());
}

/// Theirs tells of an iterator that failed when the pool is closed.
#[test]
fn t18_an_input_that_fails_fails_the_call() {
    let (_hand, pool) = Hand::pool(1);
    let broken = (0..3).inspect(|n| assert_ne!(*n, 1, "on purpose"));
    let call = catch_unwind(AssertUnwindSafe(|| pool.map_n(broken, |_| async {})));
    assert!(call.is_err());
    assert_eq!(pool.len(), 1, "what was submitted before stays");
}

#[test]
fn t18_an_input_that_fails_ends_its_feed_and_is_counted() {
    let (hand, pool) = Hand::pool(1);
    let broken = (0..3).inspect(|n| assert_ne!(*n, 1, "on purpose"));
    let feed = pool.feed(broken, |_| async {});
    hand.run();
    let report = block_on(feed);
    assert_eq!((report.completed, report.failed), (1, 1));
    assert!(pool.is_empty());
}

/// Theirs takes no asynchronous iterator.
#[test]
fn t18_an_asynchronous_input_will_do() {
    use futures::StreamExt;
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let items = futures::stream::iter(0..5);
        let results = pool.itermap_stream(items, |n| async move { n * 2 });
        let mut values: Vec<_> = results.map(Result::unwrap).collect().await;
        values.sort_unstable();
        assert_eq!(values, [0, 2, 4, 6, 8]);
    });
}

/// Theirs may be caught between taking a slot and entering its group.
#[test]
fn t19_a_task_cancelled_between_its_group_and_its_pool_leaves_the_permits_of_both() {
    let (hand, pool) = Hand::pool(1);
    let group = pool.group("images", 1).unwrap();
    let (probes, _handles) = busy(&pool, 1);
    let halfway = group.spawn_n(async { 1 });
    let behind = group.spawn_n(async { 2 });
    assert!(halfway.abort());
    probes[0].end();
    hand.run();
    assert_eq!(block_on(behind).unwrap(), 2);
    assert!(group.is_empty() && pool.is_empty());
    assert!(group.try_spawn(async {}).is_ok());
}

/// Theirs writes out the names of the task and its pool for every line of a log, be it on or off.
#[test]
fn t25_the_name_of_a_task_is_made_when_somebody_asks() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).name("demo").build().unwrap();
    let unnamed = pool.spawn_n(async {});
    let named = pool.task(async {}).name("special").spawn_n();
    assert!(matches!(unnamed.name(), Cow::Owned(name) if name == "demo-0"));
    assert!(matches!(named.name(), Cow::Borrowed("special")));
}
