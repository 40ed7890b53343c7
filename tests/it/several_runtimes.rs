//! One pool, several runtimes: a task starts on the one that it was submitted from, and ends with no other.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use aiopool::{AioPool, JoinHandle, Spawner, Tokio, Worker};
use futures::StreamExt;
use tokio::runtime::{Builder, Handle, Id, Runtime};

use crate::support::{Hand, Probe, within};

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn here() -> Id {
    Handle::current().id()
}

fn within_context<R>(runtime: &Runtime, submit: impl FnOnce() -> R) -> R {
    let _inside = runtime.enter();
    submit()
}

/// Pools that find their runtimes by themselves.
fn pools(size: usize) -> [AioPool; 2] {
    [
        AioPool::new(size),
        AioPool::with_spawner(size, Tokio::current()),
    ]
}

#[test]
fn a_pool_in_a_static_serves_fifty_runtimes_that_come_and_go() {
    static POOL: LazyLock<AioPool> = LazyLock::new(|| AioPool::new(2));
    let client = || {
        one_thread().block_on(async {
            let nap = || async {
                tokio::time::sleep(Duration::from_millis(3)).await;
                here().await
            };
            let handles: Vec<_> = (0..6).map(|_| POOL.spawn_n(nap())).collect();
            for handle in handles {
                assert_eq!(handle.await.unwrap(), here().await);
            }
        });
    };
    within("fifty runtimes", move || {
        thread::scope(|threads| {
            (0..50).for_each(|_| _ = threads.spawn(client));
        });
        let stats = POOL.stats();
        assert_eq!((stats.completed, stats.started), (300, 300));
    });
}

#[test]
fn every_verb_starts_its_tasks_where_it_is_called() {
    for pool in pools(1) {
        let (first, second) = (one_thread(), one_thread());
        // A task of the first runtime waits all the while, so that the first remains the main one.
        let probe = Probe::new();
        let held = within_context(&first, || pool.spawn_n(probe.task(())));
        first.block_on(probe.started());
        pool.resize(2).unwrap();
        let own = second.handle().id();
        second.block_on(async {
            let group = pool.group("group", 1).unwrap();
            for pool in [&pool, &group] {
                assert_eq!(pool.spawn(here()).await.await.unwrap(), own);
                assert_eq!(pool.exec(here()).await.unwrap(), own);
                assert_eq!(pool.task(here()).name("n").exec().await.unwrap(), own);
                let all = pool.map(0..3, |_| here()).await;
                assert!(all.into_iter().all(|id| id.unwrap() == own));
                let all = pool.try_map(0..3, |_| async { Ok::<_, ()>(here().await) });
                assert_eq!(all.await.unwrap(), [own; 3]);
                for handle in pool.map_n(0..3, |_| here()) {
                    assert_eq!(handle.await.unwrap(), own);
                }
                let results = pool.itermap(0..3, |_| here());
                let results: Vec<_> = results.map(Result::unwrap).collect().await;
                assert_eq!(results, [own; 3]);
                let feed = pool.feed(0..10, move |_| async move {
                    assert_eq!(here().await, own);
                });
                assert_eq!(feed.await.completed, 10);
                let blocking = pool.spawn_blocking(|| Handle::current().id());
                assert_eq!(blocking.await.unwrap(), own);
                let scoped = pool.scope(async |tasks| tasks.exec(here()).await.unwrap());
                assert_eq!(scoped.await, own);
                let nested = pool.clone();
                let inner = pool.exec(async move { nested.exec(here()).await.unwrap() });
                assert_eq!(inner.await.unwrap(), own);
            }
        });
        probe.end();
        first.block_on(held).unwrap();
    }
}

#[test]
fn an_undriven_runtime_holds_up_no_task_of_another() {
    within("two runtimes", || {
        for pool in pools(1) {
            for _ in 0..20 {
                let mut quick = Builder::new_current_thread();
                let first = quick.enable_all().event_interval(1).build().unwrap();
                first.block_on(async {
                    for _ in 0..60 {
                        pool.spawn_n(async {});
                    }
                    let last = pool.spawn_n(async {});
                    pool.spawn(async {}).await.await.unwrap();
                    last.await.unwrap();
                });
                // The first one lives, and is not driven.
                assert_eq!(one_thread().block_on(pool.exec(async { 1 })).unwrap(), 1);
            }
        }
    });
}

#[test]
fn the_end_of_a_runtime_ends_the_tasks_submitted_from_it_and_no_others() {
    within("two runtimes, one of which ends", || {
        for pool in pools(1) {
            let (ending, living) = (one_thread(), one_thread());
            let probe = Probe::new();
            let active = within_context(&ending, || pool.spawn_n(probe.task(())));
            ending.block_on(probe.started());
            let submit = |runtime: &Runtime| within_context(runtime, || pool.spawn_n(here()));
            let handles = [&living, &ending, &living, &ending, &living].map(submit);
            drop(ending);
            let results = living.block_on(async {
                pool.join().await;
                handles.map(|mut handle| handle.try_join().unwrap())
            });
            let error = living.block_on(active).unwrap_err();
            assert!(error.is_cancelled() && error.reason().unwrap().contains("runtime"));
            for (place, result) in results.into_iter().enumerate() {
                match result {
                    Ok(id) => assert!(place % 2 == 0 && id == living.handle().id()),
                    Err(error) => {
                        assert!(place % 2 == 1 && error.is_rejected());
                        assert!(error.reason().unwrap().contains("runtime"));
                    }
                }
            }
            let stats = pool.stats();
            assert_eq!(
                (stats.completed, stats.cancelled, stats.rejected),
                (3, 1, 2)
            );
        }
    });
}

#[test]
fn the_end_of_a_runtime_ends_its_feeds_alone() {
    let pool = AioPool::new(1);
    let (ending, living) = (one_thread(), one_thread());
    pool.pause();
    let lost = within_context(&ending, || pool.feed(0..100, |_| here()));
    let kept = within_context(&living, || pool.feed(0..100, |_| here()));
    drop(ending);
    pool.resume();
    assert_eq!(living.block_on(kept).completed, 100);
    assert!(living.block_on(lost).rejected);
    assert!(pool.is_empty());
}

#[test]
fn a_task_from_no_runtime_starts_on_one_that_the_pool_has_used() {
    let pool = AioPool::with_spawner(1, Tokio::current());
    let runtime = one_thread();
    runtime.block_on(pool.exec(here())).unwrap();
    let handle = thread::scope(|threads| threads.spawn(|| pool.spawn_n(here())).join().unwrap());
    assert_eq!(runtime.block_on(handle).unwrap(), runtime.handle().id());
}

#[test]
#[cfg(feature = "smol")]
fn a_first_spawn_from_a_plain_thread_binds_the_pool_to_no_runtime() {
    let pool = AioPool::new(1);
    let plain = pool.spawn_n(async { Handle::try_current().is_err() });
    assert!(smol::block_on(plain).unwrap());
    let runtime = one_thread();
    assert_eq!(
        runtime.block_on(pool.exec(here())).unwrap(),
        runtime.handle().id()
    );
    let plain = pool.spawn_n(async { Handle::try_current().is_err() });
    assert!(smol::block_on(plain).unwrap(), "it went with tokio's tasks");
}

#[test]
fn a_limited_task_may_be_submitted_while_its_thread_ends() {
    static POOL: LazyLock<AioPool> = LazyLock::new(|| AioPool::with_spawner(1, Tokio::current()));
    struct Last(RefCell<Option<std::sync::mpsc::Sender<JoinHandle<i32>>>>);
    impl Drop for Last {
        fn drop(&mut self) {
            let limit = Duration::from_secs(60);
            let task = POOL.task(async { 7 });
            let task = task.timeout(limit).grace(limit).wait_timeout(limit);
            let send = self.0.take().unwrap();
            send.send(task.spawn_n()).unwrap();
        }
    }
    thread_local! {
        static LAST: Last = const { Last(RefCell::new(None)) };
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(POOL.exec(async {})).unwrap();
    let (send, received) = std::sync::mpsc::channel();
    let handle = runtime.handle().clone();
    thread::spawn(move || {
        // Made before tokio's own, so that it is dropped after them.
        LAST.with(|last| last.0.replace(Some(send)));
        drop(handle.enter());
    })
    .join()
    .unwrap();
    assert_eq!(runtime.block_on(received.recv().unwrap()).unwrap(), 7);
}

#[test]
fn a_task_that_was_not_polled_goes_on_with_another_worker_when_its_own_is_dropped() {
    let (hand, pool) = Hand::pool(1);
    let mut handles = pool.map_n(0..100, |n| async move { n });
    hand.step();
    let ended = handles.iter().filter(|handle| handle.is_finished()).count();
    assert!(ended < 100, "a poll runs so many tasks");
    hand.drop_worker();
    hand.run();
    for (n, handle) in handles.iter_mut().enumerate() {
        assert_eq!(handle.try_join().unwrap().unwrap(), n);
    }
    let stats = pool.stats();
    assert_eq!((stats.started, stats.completed), (100, 100));
}

#[test]
fn asked_to_stop_before_its_worker_is_dropped_it_is_cancelled() {
    let (hand, pool) = Hand::pool(1);
    let mut handles = pool.map_n(0..100, |n| async move { n });
    hand.step();
    let next = handles.iter_mut().find(|handle| !handle.is_finished());
    let next = next.unwrap();
    assert!(next.abort());
    hand.drop_worker();
    assert!(next.try_join().unwrap().unwrap_err().is_cancelled());
    hand.run();
    assert!(pool.is_empty());
}

/// Runtimes of a kind that the crate does not know: each thread says in which one it is.
#[derive(Clone)]
struct Rooms {
    hands: Arc<[Hand; 3]>,
    bound: Arc<AtomicUsize>,
}

thread_local! {
    static ROOM: Cell<usize> = const { Cell::new(0) };
    /// The pool that rooms look at when they are dropped.
    static WATCHED: RefCell<Option<AioPool>> = const { RefCell::new(None) };
}

/// One of them, which counts how many there are.
struct Room(Hand, Arc<AtomicUsize>);

impl Spawner for Rooms {
    fn spawn(&self, worker: Worker) {
        self.hands[ROOM.get()].spawn(worker);
    }

    fn runtime_here(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(ROOM.get() as u64 + 1)
    }

    fn spawner_here(&self) -> Option<Arc<dyn Spawner>> {
        self.bound.fetch_add(1, SeqCst);
        Some(Arc::new(Room(
            self.hands[ROOM.get()].clone(),
            self.bound.clone(),
        )))
    }
}

impl Spawner for Room {
    fn spawn(&self, worker: Worker) {
        self.0.spawn(worker);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.1.fetch_sub(1, SeqCst);
        WATCHED.with_borrow(|pool| pool.as_ref().map(AioPool::stats));
    }
}

fn rooms(size: usize) -> (Rooms, AioPool) {
    let rooms = Rooms {
        hands: Arc::default(),
        bound: Arc::default(),
    };
    let pool = AioPool::with_spawner(size, rooms.clone());
    (rooms, pool)
}

#[test]
fn tasks_of_several_runtimes_start_in_the_order_of_their_submission() {
    let (rooms, pool) = rooms(1);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let handles: Vec<_> = (0..60)
        .map(|n: usize| {
            ROOM.set(n / 2 % 3);
            let order = order.clone();
            pool.spawn_n(async move { order.lock().unwrap().push(n) })
        })
        .collect();
    for _ in 0..60 {
        assert_eq!(pool.active(), usize::from(!pool.is_empty()));
        for (room, hand) in rooms.hands.iter().enumerate() {
            ROOM.set(room);
            hand.run();
        }
    }
    assert!(handles.iter().all(JoinHandle::is_finished));
    assert_eq!(*order.lock().unwrap(), (0..60).collect::<Vec<_>>());
}

#[test]
fn a_spawner_may_use_the_pool_when_it_is_dropped() {
    within("rooms that look at the pool", || {
        let (rooms, pool) = rooms(1);
        WATCHED.set(Some(pool.clone()));
        let handles: Vec<_> = (0..20)
            .map(|n: usize| {
                ROOM.set(n % 2);
                pool.task(async {}).name("a name").spawn_n()
            })
            .collect();
        handles[7].abort();
        for _ in 0..20 {
            for (room, hand) in rooms.hands.iter().enumerate() {
                ROOM.set(room);
                hand.run();
            }
        }
        assert!(handles.iter().all(JoinHandle::is_finished));
        WATCHED.set(None);
        assert!(pool.is_empty());
    });
}

#[test]
fn of_a_runtime_nothing_is_kept_but_of_the_main_one() {
    let (rooms, pool) = rooms(2);
    for _ in 0..10 {
        for room in 0..3 {
            ROOM.set(room);
            let tasks = pool.map_n(0..5, |_| async {});
            let feed = pool.feed(0..5, |_| async {});
            pool.spawn_n(std::future::pending::<()>()).abort();
            drop((tasks, feed));
        }
        for hand in rooms.hands.iter() {
            hand.run();
        }
        rooms.hands.iter().for_each(Hand::run);
        rooms.hands.iter().for_each(Hand::run);
        while !pool.is_empty() {
            rooms.hands.iter().for_each(Hand::run);
        }
        assert_eq!(rooms.bound.load(SeqCst), 1);
    }
    drop(pool);
    rooms.hands.iter().for_each(Hand::run);
    assert_eq!(rooms.bound.load(SeqCst), 0);
}

#[test]
fn the_end_of_a_runtime_takes_no_time_from_the_tasks_of_another() {
    within("two runtimes, one of which ends", || {
        let limit = Duration::from_secs(600);
        let builder = AioPool::builder().size(1);
        let pool = builder.rate(1, Duration::from_millis(1)).build().unwrap();
        let (ending, living) = (one_thread(), one_thread());
        pool.pause();
        let timed = |runtime: &Runtime| {
            within_context(runtime, || pool.task(here()).wait_timeout(limit).spawn_n())
        };
        let handles = [&living, &ending, &living].map(timed);
        // The timer may be there already, on either of them.
        ending.block_on(tokio::task::yield_now());
        drop(ending);
        assert_eq!(pool.waiting(), 3);
        pool.resume();
        let [one, lost, other] = handles;
        living.block_on(async {
            assert_eq!(one.await.unwrap(), here().await);
            assert!(lost.await.unwrap_err().is_rejected());
            assert_eq!(other.await.unwrap(), here().await);
        });
    });
}
