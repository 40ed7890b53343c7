//! `feed`: a batch that stands in the queue as one entry.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use aiopool::{AioPool, FnSpawner, Shutdown, Spawner, Tokio, Worker};

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once, yield_now};

#[test]
fn every_item_becomes_a_task_and_the_report_counts_them() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let sum = Arc::new(AtomicUsize::new(0));
        let adds = sum.clone();
        let feed = pool.feed(1..=1000, move |n| {
            let adds = adds.clone();
            async move {
                assert!(n % 100 != 0, "on purpose");
                yield_now().await;
                adds.fetch_add(n, SeqCst);
            }
        });
        let report = feed.await;
        let counted = (report.completed, report.failed, report.cancelled);
        assert_eq!(counted, (990, 10, 0), "on {}", pools.runtime);
        assert!(!report.broken && !report.rejected);
        assert_eq!(sum.load(SeqCst), 500_500 - 5500);
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.started), (1000, 1000));
        assert_eq!((stats.completed, stats.panicked), (990, 10));
        pool.join().await;
        assert!(pool.is_empty());
    });
}

#[test]
fn it_is_one_entry_in_the_queue_and_pulls_an_item_when_a_permit_frees() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(5);
    let pulled = Arc::new(AtomicUsize::new(0));
    let (counting, tasks) = (pulled.clone(), probes.clone());
    let feed = pool.feed(0..5, move |n: usize| {
        counting.fetch_add(1, SeqCst);
        tasks[n].task(())
    });
    hand.run();
    assert_eq!((pool.active(), pool.waiting(), pool.len()), (2, 1, 3));
    assert_eq!((pulled.load(SeqCst), pool.tasks().len()), (2, 2));
    probes[0].end();
    hand.run();
    assert_eq!((pulled.load(SeqCst), feed.progress().completed), (3, 1));
    assert!(probes[2].has_started() && !probes[3].has_started());
    probes.iter().for_each(Probe::end);
    hand.run();
    assert!(feed.is_finished() && pool.is_empty());
    assert_eq!(pool.stats().submitted, 5);
}

#[test]
fn others_have_their_turn_between_its_items() {
    let (hand, pool) = Hand::pool(1);
    let endless = pool.feed(0.., |_: u64| async {});
    let task = pool.spawn_n(async { "in between" });
    let other = pool.feed(0..3, |_| async {});
    // A poll may be short, if the machine is slow.
    for _ in 0..10 {
        assert!(hand.step());
    }
    assert!(task.is_finished() && other.is_finished());
    assert!(endless.abort());
    hand.run();
    assert!(endless.is_finished() && pool.is_empty());
}

#[test]
fn an_empty_one_is_finished_as_soon_as_its_turn_has_come() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let report = pool.feed(Vec::<u8>::new(), |_| async {}).await;
        assert_eq!(
            (report.completed, report.failed, report.cancelled),
            (0, 0, 0)
        );
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.started), (0, 0));
        pool.join().await;
    });
}

#[test]
fn aborted_it_pulls_no_more_and_stops_its_tasks_and_no_others() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let outside = pool.spawn_n(pending::<()>());
        let begun = Probe::new();
        let feed = pool.feed(0.., {
            let begun = begun.clone();
            move |n: u64| {
                let probe = if n == 1 { begun.clone() } else { Probe::new() };
                probe.task(())
            }
        });
        begun.started().await;
        assert!(feed.abort() && !feed.abort());
        let report = feed.await;
        assert_eq!(
            (report.completed, report.cancelled),
            (0, 2),
            "{}",
            pools.runtime
        );
        assert_eq!((pool.len(), outside.is_finished()), (1, false));
        outside.cancel().await.unwrap_err();
        assert_eq!(pool.stats().cancelled, 3);
    });
}

#[test]
fn aborted_while_it_waits_it_leaves_the_queue_at_once() {
    let (_hand, pool) = Hand::pool(1);
    let _busy = pool.spawn_n(pending::<()>());
    let feed = pool.feed(0.., |_: u64| async {});
    assert_eq!(pool.waiting(), 1);
    assert!(feed.abort() && feed.is_finished() && !feed.abort());
    assert_eq!((pool.waiting(), pool.stats().submitted), (0, 1));
}

#[test]
fn an_abort_from_inside_of_its_closure_stops_the_item_too() {
    let (hand, pool) = Hand::pool(1);
    let own = Arc::new(std::sync::OnceLock::<aiopool::Feed>::new());
    let inner = own.clone();
    let feed = pool.feed(0.., move |n: u64| {
        if n == 2 {
            inner.get().unwrap().abort();
        }
        async {}
    });
    own.set(feed).unwrap();
    hand.run();
    let report = own.get().unwrap().progress();
    assert!(own.get().unwrap().is_finished() && pool.is_empty());
    assert_eq!((report.completed, report.cancelled), (2, 1));
}

#[test]
fn dropping_it_lets_it_go_on() {
    let (hand, pool) = Hand::pool(1);
    drop(pool.feed(0..10, |_| async {}));
    hand.run();
    assert_eq!(pool.stats().completed, 10);
}

#[test]
fn a_panicking_iterator_ends_the_feed_says_so_and_harms_nothing_else() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let items = (0..10).inspect(|n| assert!(*n != 3, "on purpose"));
        let feed = pool.feed(items, |_| async {});
        let other = pool.feed(0..5, |_| async {});
        let report = feed.await;
        assert!(report.broken, "on {}", pools.runtime);
        assert_eq!((report.completed, report.failed), (3, 1));
        assert_eq!(other.await.completed, 5);
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.panicked), (9, 1));
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn a_panicking_closure_does_the_same() {
    let (hand, pool) = Hand::pool(2);
    let feed = pool.feed(0..10, |n| {
        assert!(n != 3, "on purpose");
        async {}
    });
    hand.run();
    let report = feed.progress();
    assert!(feed.is_finished() && report.broken && pool.is_empty());
    assert_eq!((report.completed, report.failed), (3, 1));
}

#[test]
fn its_iterator_and_its_closure_may_use_the_pool() {
    let (hand, pool) = Hand::pool(2);
    let (items, closure) = (pool.clone(), pool.clone());
    let feed = pool.feed(
        (0..3).inspect(move |_| assert!(!items.is_empty())),
        move |n| {
            drop(closure.tasks());
            closure.spawn_n(async {});
            async move { n }
        },
    );
    hand.run();
    assert!(feed.is_finished());
    assert_eq!(pool.stats().completed, 6);
}

#[test]
fn the_pool_stops_it_with_all_that_is_in_it() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let feed = pool.feed(0.., |_: u64| yield_now());
        let group = pool.group("g", 1).unwrap();
        let grouped = group.feed(0.., |_: u64| yield_now());
        pool.exec(async {}).await.unwrap();
        pool.shutdown(Shutdown::CancelAll).await;
        assert!(feed.is_finished() && grouped.is_finished());
        assert!(pool.is_empty(), "on {}", pools.runtime);
        let stats = pool.stats();
        assert_eq!(stats.submitted, stats.completed + stats.cancelled);
        assert_eq!(stats.started, stats.submitted);
        let report = feed.await;
        assert_eq!(report.failed, 0);
    });
}

#[test]
fn a_closed_or_full_pool_takes_none_of_it() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).max_waiting(0).build().unwrap();
    let _busy = pool.spawn_n(pending::<()>());
    let feed = pool.feed(0..3, |_| async {});
    assert!(feed.is_finished() && feed.progress().rejected && !feed.abort());
    pool.close();
    let dropped = Arc::new(AtomicBool::new(false));
    struct Flagged(Arc<AtomicBool>);
    impl Drop for Flagged {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let flagged = Flagged(dropped.clone());
    let feed = pool.feed(0..3, move |_| {
        let _kept = &flagged;
        async {}
    });
    assert!(feed.is_finished() && dropped.load(SeqCst));
    assert_eq!(pool.stats().rejected, 2);
}

#[test]
fn a_runtime_that_ends_settles_it() {
    let (hand, pool) = Hand::pool(2);
    let feed = pool.feed(0.., |_: u64| pending::<()>());
    let mut awaited = Box::pin(feed);
    hand.run();
    assert_pending!(awaited);
    // Each worker that is dropped brings another, until nothing is left to be pulled.
    hand.drop_workers();
    assert!(poll_once(awaited.as_mut()).is_ready());
    assert!(pool.is_empty() && !pool.is_full());
    let stats = pool.stats();
    let ended = stats.completed + stats.panicked + stats.cancelled + stats.rejected;
    assert_eq!(stats.submitted, ended);
}

#[test]
fn a_task_that_awaits_a_feed_of_its_own_pool_lends_its_permit() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inner = pool.clone();
        let outer = pool.spawn_n(async move { inner.feed(0..10, |_| yield_now()).await.completed });
        assert_eq!(outer.await.unwrap(), 10, "on {}", pools.runtime);
    });
}

#[test]
fn a_timed_pool_and_its_observer_see_each_item() {
    on_every_runtime(|pools| async move {
        let pool = pools.builder().size(2).timed(true).build().unwrap();
        let probe = Probe::new();
        let task = probe.clone();
        let feed = pool.feed(0..1, move |_| task.task(()));
        probe.started().await;
        let info = &pool.tasks()[0];
        assert!(info.running.is_some() && info.waited.is_some());
        probe.end();
        assert_eq!(feed.await.completed, 1, "on {}", pools.runtime);
    });
}

#[test]
fn a_million_items_take_no_more_places_than_a_few() {
    let (hand, pool) = Hand::pool(4);
    let most = Arc::new(AtomicUsize::new(0));
    let (seen, looked) = (most.clone(), pool.clone());
    let feed = pool.feed(0..200_000, move |_: u32| {
        seen.fetch_max(looked.len(), SeqCst);
        async {}
    });
    hand.run();
    assert_eq!(feed.progress().completed, 200_000);
    assert!(most.load(SeqCst) <= 6, "{most:?} at once");
}

#[test]
#[cfg(target_os = "linux")]
fn a_million_items_take_no_more_memory_than_a_thousand() {
    crate::support::alone(
        "feed::a_million_items_take_no_more_memory_than_a_thousand",
        || {
            let (hand, pool) = Hand::pool(8);
            let fed = |items: u32| {
                let most = Arc::new(AtomicUsize::new(0));
                let seen = most.clone();
                let feed = pool.feed(0..items, move |n| {
                    if n % 1000 == 0 {
                        seen.fetch_max(crate::support::resident(), SeqCst);
                    }
                    async move { [n; 64] }
                });
                hand.run();
                assert_eq!(feed.progress().completed, u64::from(items));
                most.load(SeqCst)
            };
            // What the program itself takes is there after the first.
            fed(10_000);
            let (few, many) = (fed(1000), fed(1_000_000));
            let slack = (1 << 20) / 4096;
            assert!(many <= few + slack, "{few} pages, then {many}");
        },
    );
}

#[test]
fn a_paused_pool_pulls_nothing() {
    let (hand, pool) = Hand::pool(1);
    pool.pause();
    let feed = pool.feed(0..3, |_| async {});
    hand.run();
    assert!(!feed.is_finished() && pool.waiting() == 1);
    pool.resume();
    hand.run();
    assert!(feed.is_finished());
}

#[test]
fn the_last_handle_of_its_pool_may_go() {
    on_every_runtime(|pools| async move {
        let pool: AioPool = pools.builder().size(1).timed(true).build().unwrap();
        pool.pause();
        let feed = pool.feed(0..100, |_| yield_now());
        drop(pool);
        assert_eq!(feed.await.completed, 100, "on {}", pools.runtime);
    });
}

#[test]
fn a_runtime_that_drops_workers_now_and_then_costs_no_items() {
    on_tokio(async {
        let spawned = AtomicUsize::new(0);
        let careless = FnSpawner(
            move |worker: Worker| match spawned.fetch_add(1, SeqCst) % 3 {
                2 => drop(worker),
                _ => Tokio::current().spawn(worker),
            },
        );
        let pool = AioPool::with_spawner(4, careless);
        let report = pool.feed(0..100, |_| yield_now()).await;
        assert_eq!(report.completed, 100);
        assert!(!report.rejected);
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.started), (100, 100));
        assert!(pool.is_empty());
    });
}

#[test]
fn the_end_of_its_runtime_ends_it_and_is_counted() {
    let (hand, pool) = Hand::pool(1);
    let feed = pool.feed(0..100, |_| async {});
    hand.drop_workers();
    assert!(feed.is_finished() && feed.progress().rejected);
    assert!(pool.is_empty());
    let stats = pool.stats();
    assert_eq!((stats.submitted, stats.started, stats.rejected), (1, 0, 1));
}

#[test]
fn aborted_while_its_worker_is_dropped_it_does_not_go_on() {
    let (hand, pool) = Hand::pool(1);
    let feed = pool.feed(0..100, |_| async {});
    assert!(feed.abort());
    hand.drop_workers();
    assert!(feed.is_finished() && pool.is_empty());
    let feed = pool.feed(0..100, |_| async {});
    pool.abort_all();
    hand.drop_workers();
    assert!(feed.is_finished() && pool.is_empty());
    assert_eq!(feed.progress().completed, 0);
}

/// Says all the time that it is at its end.
struct Lying<I>(I);

impl<I: Iterator> Iterator for Lying<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(0))
    }
}

#[test]
fn an_iterator_that_is_wrong_about_its_end_loses_no_items() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let report = pool.feed(Lying(0..100), |_| async {}).await;
        assert_eq!((report.completed, pool.stats().submitted), (100, 100));
        let panics = (0..3).inspect(|n| assert!(*n < 2, "the third one"));
        let report = pool.feed(Lying(panics), |_| async {}).await;
        assert!(report.broken);
        assert_eq!((report.completed, report.failed), (2, 1));
    });
}

#[test]
fn a_feed_goes_no_further_when_all_that_waits_is_cancelled_while_it_is_pulled() {
    for is_group in [false, true] {
        let (hand, pool) = Hand::pool(1);
        let group = pool.group("inner", 1).unwrap();
        let home = if is_group { group } else { pool.clone() };
        let items = (0..1000).inspect(move |n| {
            if *n == 3 {
                let pool = &pool;
                // From outside, where nothing is lent for it.
                std::thread::scope(|threads| {
                    threads.spawn(|| {
                        let mut ends = Box::pin(pool.shutdown(Shutdown::CancelWaiting));
                        assert!(poll_once(ends.as_mut()).is_pending());
                    });
                });
            }
        });
        let feed = home.feed(items, |_| async {});
        hand.run();
        assert!(feed.is_finished());
        let report = feed.progress();
        assert_eq!((report.completed, report.cancelled), (4, 0));
    }
}
