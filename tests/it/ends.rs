//! A task is counted once, when it has ended, and whoever cancels waits until the futures are gone, whoever drops them.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use aiopool::{AioPool, Shutdown, Stats};
use futures::executor::block_on;

use crate::support::{Hand, on_every_runtime, poll_once, within};

fn ended(stats: Stats) -> u64 {
    stats.completed + stats.panicked + stats.cancelled + stats.timed_out + stats.rejected
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("a destructor");
    }
}

async fn never(guard: impl Send) {
    std::future::pending::<()>().await;
    drop(guard);
}

/// Waits for the other thread when it is dropped, and says so.
struct Slow {
    begun: Sender<()>,
    may_end: Mutex<Receiver<()>>,
    gone: Arc<AtomicBool>,
}

/// What the test has of a [`Slow`].
struct Brake {
    begun: Receiver<()>,
    may_end: Sender<()>,
    gone: Arc<AtomicBool>,
}

fn slow() -> (Slow, Brake) {
    let (begins, begun) = channel();
    let (may_end, waits) = channel();
    let gone = Arc::new(AtomicBool::new(false));
    let slow = Slow {
        begun: begins,
        may_end: Mutex::new(waits),
        gone: gone.clone(),
    };
    let brake = Brake {
        begun,
        may_end,
        gone,
    };
    (slow, brake)
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.begun.send(()).ok();
        self.may_end.lock().unwrap().recv().ok();
        self.gone.store(true, SeqCst);
    }
}

/// Paused pools: as plain as can be, with a group, watched by a clock. With each, where its tasks are to be.
fn paused_pools() -> Vec<(AioPool, AioPool)> {
    let plain = Hand::pool(1).1;
    let grouped = Hand::pool(1).1;
    let group = grouped.group("group", 5).unwrap();
    let timed = Hand::default().builder().timed(true).build().unwrap();
    let pools = vec![
        (plain.clone(), plain),
        (grouped, group),
        (timed.clone(), timed),
    ];
    pools.iter().for_each(|(pool, _)| pool.pause());
    pools
}

/// Notes what the counters say when it is dropped, and panics then if it is to.
struct Notes {
    pool: AioPool,
    seen: Arc<Mutex<Vec<u64>>>,
    panics: bool,
}

impl Drop for Notes {
    fn drop(&mut self) {
        let stats = self.pool.stats();
        let now = ended(stats);
        self.seen.lock().unwrap().push(now);
        assert!(!self.panics, "a destructor");
    }
}

#[test]
fn a_task_is_counted_once_when_its_future_is_gone() {
    for (pool, home) in paused_pools() {
        let feed = home.feed(0..10, |_| async {});
        let seen = Arc::default();
        for panics in [false, true, false, true, true] {
            let (pool, seen) = (pool.clone(), Arc::clone(&seen));
            drop(home.spawn_n(never(Notes { pool, seen, panics })));
        }
        home.abort_all();
        assert!(feed.is_finished());
        let stats = pool.stats();
        assert_eq!((stats.cancelled, stats.panicked), (2, 3));
        assert_eq!(*seen.lock().unwrap(), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn a_shutdown_counts_only_tasks_and_each_once() {
    on_every_runtime(|pools| async move {
        for how in [Shutdown::CancelAll, Shutdown::CancelWaiting] {
            let pool = pools.size(1);
            pool.pause();
            let feed = pool.feed(0..5, |_| async {});
            drop(pool.map_n(0..2, |_| never(PanicsWhenDropped)));
            drop(pool.map_n(0..2, |_| never(())));
            let report = pool.shutdown(how).await;
            assert_eq!((report.completed, report.cancelled), (2, 2));
            assert_eq!(feed.await.completed, 0);
            let stats = pool.stats();
            assert_eq!(stats.submitted, ended(stats));
        }
    });
}

#[test]
fn a_shutdown_that_begins_during_an_abort_reports_no_more_than_there_was() {
    within("another thread", || {
        let pool = Hand::pool(1).1;
        pool.pause();
        let (slow, brake) = slow();
        let handle = pool.spawn_n(never(slow));
        let feeds: Vec<_> = (0..3).map(|_| pool.feed(0..5, |_| async {})).collect();
        thread::scope(|threads| {
            threads.spawn(|| pool.abort_all());
            brake.begun.recv().unwrap();
            let mut ends = Box::pin(pool.shutdown(Shutdown::Drain));
            assert!(poll_once(ends.as_mut()).is_pending());
            brake.may_end.send(()).unwrap();
            assert_eq!(block_on(ends).cancelled, 1);
        });
        assert!(handle.is_finished() && feeds.iter().all(aiopool::Feed::is_finished));
    });
}

#[test]
fn a_start_is_counted_when_a_task_is_first_polled() {
    let (hand, pool) = Hand::pool(1);
    let feed = pool.feed(0..0, |_: u32| async {});
    assert_eq!(pool.stats().started, 0, "a source is no task");
    hand.run();
    assert!(feed.is_finished());
    let handles = pool.map_n(0..2, |_| async {});
    assert_eq!(pool.stats().started, 0, "none has been polled");
    hand.drop_workers();
    for handle in handles {
        assert!(block_on(handle).unwrap_err().is_rejected());
    }
    let feed = pool.feed(0..2, |_| async {});
    hand.drop_workers();
    assert!(feed.is_finished());
    assert_eq!(pool.stats().started, 0);
    let handle = pool.spawn_n(async {});
    handle.abort();
    hand.run();
    assert_eq!(pool.stats().started, 0, "it was stopped before its start");
}

#[test]
fn cancel_all_waits_for_what_another_thread_is_dropping() {
    within("another thread", || {
        for (pool, home) in paused_pools() {
            drop(home.map_n(0..3, |_| never(())));
            let (slow, brake) = slow();
            let handle = home.spawn_n(never(slow));
            let stop = handle.abort_handle();
            thread::scope(|threads| {
                threads.spawn(|| home.abort_all());
                brake.begun.recv().unwrap();
                assert!(!handle.is_finished() && !stop.is_finished());
                assert!(!stop.abort(), "it has been asked");
                let other = pool.group("other", 1).unwrap();
                assert_eq!(
                    block_on(other.cancel_all()),
                    0,
                    "it has nothing to wait for"
                );
                let mut waits = Box::pin(home.cancel_all());
                let mut given_up = Box::pin(pool.cancel_all());
                assert!(poll_once(waits.as_mut()).is_pending());
                assert!(poll_once(given_up.as_mut()).is_pending());
                drop(given_up);
                brake.may_end.send(()).unwrap();
                assert_eq!(block_on(waits), 0);
                assert!(brake.gone.load(SeqCst) && stop.is_finished());
            });
        }
    });
}

#[test]
fn join_and_cancel_wait_for_what_another_thread_is_dropping() {
    within("another thread", || {
        let pool = Hand::pool(1).1;
        pool.pause();
        let (slow, brake) = slow();
        let handle = pool.spawn_n(never(slow));
        let stop = handle.abort_handle();
        thread::scope(|threads| {
            threads.spawn(|| stop.abort());
            brake.begun.recv().unwrap();
            let mut joins = Box::pin(pool.join());
            let mut cancels = Box::pin(handle.cancel());
            let mut ends = Box::pin(pool.shutdown(Shutdown::CancelAll));
            assert!(poll_once(joins.as_mut()).is_pending());
            assert!(poll_once(cancels.as_mut()).is_pending());
            assert!(poll_once(ends.as_mut()).is_pending());
            brake.may_end.send(()).unwrap();
            assert!(block_on(cancels).unwrap_err().is_cancelled());
            assert!(brake.gone.load(SeqCst));
            block_on(joins);
            assert_eq!(block_on(ends).cancelled, 1);
        });
    });
}

#[test]
fn a_refused_task_keeps_its_pool_busy_until_it_is_dropped() {
    within("another thread", || {
        let pool = Hand::pool(1).1;
        let group = pool.group("group", 1).unwrap();
        pool.close();
        for home in [&pool, &group] {
            let (slow, brake) = slow();
            thread::scope(|threads| {
                threads.spawn(move || home.spawn_n(never(slow)));
                brake.begun.recv().unwrap();
                let mut joins = Box::pin(home.join());
                assert!(poll_once(joins.as_mut()).is_pending());
                brake.may_end.send(()).unwrap();
                block_on(joins);
                let stats = pool.stats();
                assert_eq!(stats.submitted, ended(stats));
            });
        }
    });
}
