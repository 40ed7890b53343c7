//! `spawn_blocking`: the permit is held until the work returns, whoever drops what.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use aiopool::{AioPool, Blocking, Spawner, TryMapError, Worker, current};

use crate::support::{Hand, on_every_runtime, poll_once, within};

/// Work that says when it begins, and blocks until it is told to end.
fn gated(value: i32) -> (impl FnOnce() -> i32 + Send, Receiver<()>, Sender<()>) {
    let (begin, begun) = channel();
    let (end, ended) = channel();
    let work = move || {
        begin.send(()).unwrap();
        ended.recv().unwrap();
        value
    };
    (work, begun, end)
}

#[test]
fn it_runs_under_a_permit_and_gives_its_value() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let me = thread::current().id();
        let work = |n: usize| move || (n, thread::current().id());
        let handles: Vec<_> = (0..20).map(|n| pool.spawn_blocking(work(n))).collect();
        for (n, handle) in handles.into_iter().enumerate() {
            let (value, ran_on) = handle.await.unwrap();
            assert!(value == n && ran_on != me, "on {}", pools.runtime);
        }
        let stats = pool.stats();
        assert_eq!((stats.started, stats.completed), (20, 20));
        assert!(pool.is_empty());
    });
}

#[test]
fn a_timed_pool_runs_it_as_well() {
    on_every_runtime(|pools| async move {
        let pool = pools.builder().timed(true).build().unwrap();
        assert_eq!(pool.spawn_blocking(|| 7).await.unwrap(), 7);
    });
}

#[test]
fn aborted_when_it_runs_it_keeps_its_permit_and_its_value_wins() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (work, begun, end) = gated(7);
        let handle = pool.spawn_blocking(work);
        wait_for(begun).await;
        let next = pool.spawn_n(async { 8 });
        assert!(handle.abort() && !handle.abort());
        assert_eq!((pool.active(), pool.waiting()), (1, 1), "{}", pools.runtime);
        assert!(!next.is_finished());
        end.send(()).unwrap();
        assert_eq!(handle.await.unwrap(), 7);
        assert_eq!(next.await.unwrap(), 8);
    });
}

#[test]
fn cancelling_all_waits_for_it() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (work, begun, end) = gated(7);
        let handle = pool.spawn_blocking(work);
        wait_for(begun).await;
        let ender = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            end.send(()).unwrap();
        });
        assert_eq!(pool.cancel_all().await, 0, "on {}", pools.runtime);
        assert!(handle.is_finished());
        ender.join().unwrap();
    });
}

/// Waits for a message without blocking the runtime.
async fn wait_for<T: Send + 'static>(receiver: Receiver<T>) -> T {
    let (tell, told) = futures::channel::oneshot::channel();
    thread::spawn(move || tell.send(receiver.recv().unwrap()));
    told.await.unwrap()
}

#[test]
fn aborted_before_its_turn_it_never_runs() {
    let (hand, pool) = Hand::pool(1);
    let busy = pool.spawn_n(std::future::pending::<()>());
    let handle = pool.spawn_blocking(|| panic!("it ran"));
    assert!(handle.abort() && handle.is_finished());
    let unpolled = pool.task(async {}).spawn_n();
    busy.abort();
    hand.run();
    assert!(unpolled.is_finished());
    assert_eq!(pool.stats().cancelled, 2);
}

#[test]
fn its_panic_is_the_outcome() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let error = pool
            .spawn_blocking(|| -> () { panic!("on purpose") })
            .await
            .unwrap_err();
        assert_eq!(error.panic_message(), Some("on purpose"));
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn it_knows_that_it_was_aborted() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (begin, begun) = channel();
        let handle = pool.spawn_blocking(move || {
            let me = current().unwrap();
            begin.send(me.id()).unwrap();
            while !me.is_aborted() {
                thread::yield_now();
            }
            "early"
        });
        assert_eq!(wait_for(begun).await, handle.id());
        assert_eq!(handle.cancel().await.unwrap(), "early", "{}", pools.runtime);
    });
}

#[test]
fn a_runtime_that_ends_does_not_free_the_permit_of_work_that_runs() {
    within("tokio", || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let pool = AioPool::with_spawner(1, aiopool::Tokio::handle(runtime.handle().clone()));
        let (work, begun, end) = gated(7);
        let handle = pool.spawn_blocking(work);
        begun.recv().unwrap();
        runtime.shutdown_background();
        assert_eq!(pool.active(), 1);
        assert!(!handle.is_finished());
        end.send(()).unwrap();
        assert_eq!(futures::executor::block_on(handle).unwrap(), 7);
        assert!(pool.is_empty());
    });
}

/// Has nowhere to block.
struct Unblocking(Hand);

impl Spawner for Unblocking {
    fn spawn(&self, worker: Worker) {
        self.0.spawn(worker);
    }

    fn spawn_blocking(&self, work: Blocking) {
        drop(work);
    }
}

#[test]
fn a_runtime_that_refuses_it_rejects_it_and_goes_on() {
    let hand = Hand::default();
    let pool = AioPool::with_spawner(1, Unblocking(hand.clone()));
    let handle = pool.spawn_blocking(|| 7);
    let next = pool.spawn_n(async {});
    hand.run();
    assert!(handle.is_finished() && next.is_finished());
    let stats = pool.stats();
    assert_eq!((stats.rejected, stats.completed), (1, 1));
    assert_eq!((stats.started, pool.active()), (1, 0));
}

#[test]
fn a_map_of_blocking_work_gives_its_results_in_order_and_keeps_to_its_permits() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let (active, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let seen = (active.clone(), most.clone());
        let first_three = Barrier::new(3);
        let results = pool.map_blocking(0..50, move |n| {
            most.fetch_max(active.fetch_add(1, SeqCst) + 1, SeqCst);
            if n < 3 {
                first_three.wait();
            }
            active.fetch_sub(1, SeqCst);
            assert!(n != 7, "on purpose");
            n * 2
        });
        for (n, result) in results.await.into_iter().enumerate() {
            match result {
                Ok(double) => assert_eq!(double, 2 * n),
                Err(error) => assert!(n == 7 && error.is_panic()),
            }
        }
        let most = seen.1.load(SeqCst);
        assert_eq!(most, 3, "on {}", pools.runtime);
        assert!(pool.is_empty());
    });
}

#[test]
fn a_try_map_of_blocking_work_stops_to_pull_items_after_the_first_failure() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let work = |n| if n == 5 { Err("five") } else { Ok(n) };
        // The input has no end: it returns only because it stops to pull.
        let failed = pool.try_map_blocking(0.., work).await.unwrap_err();
        assert!(matches!(failed, TryMapError::Task("five")), "{failed:?}");
        assert!(pool.is_empty(), "on {}: {pool:?}", pools.runtime);
        assert_eq!(
            pool.try_map_blocking(0..5, work).await.unwrap(),
            [0, 1, 2, 3, 4]
        );
    });
}

#[test]
fn a_dropped_map_of_blocking_work_lets_no_more_begin_and_keeps_the_permit_of_what_runs() {
    let hand = Hand::default();
    let held: Arc<Mutex<Vec<Blocking>>> = Arc::default();
    let pool = AioPool::with_spawner(1, Holding(hand.clone(), held.clone()));
    let mut map = Box::pin(pool.map_blocking(0..3, |_| ()));
    assert!(poll_once(map.as_mut()).is_pending());
    hand.run();
    assert_eq!(held.lock().unwrap().len(), 1);
    drop(map);
    hand.run();
    assert_eq!((pool.active(), pool.waiting()), (1, 0));
    let work = held.lock().unwrap().pop().unwrap();
    work.run();
    assert!(pool.is_empty() && held.lock().unwrap().is_empty());
}

/// Holds the blocking work back.
struct Holding(Hand, Arc<Mutex<Vec<Blocking>>>);

impl Spawner for Holding {
    fn spawn(&self, worker: Worker) {
        self.0.spawn(worker);
    }

    fn spawn_blocking(&self, work: Blocking) {
        self.1.lock().unwrap().push(work);
    }
}
