//! `SimpleTaskPool`: copies of one function, started and stopped by number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{OnceLock, Weak};
use std::task::{Context, Waker};
use std::{pin::Pin, thread};

use aiopool::{AioPool, FnSpawner, SimpleTaskPool, Worker};
use futures::future::BoxFuture;

use crate::support::{Hand, on_every_runtime, yield_now};

fn endless() -> std::future::Pending<()> {
    std::future::pending()
}

#[test]
fn it_starts_and_stops_so_many() {
    let (hand, pool) = Hand::pool(10);
    let simple = SimpleTaskPool::new(pool, endless);
    let ids: Vec<u64> = simple.start(4).iter().map(|id| id.get()).collect();
    assert_eq!(ids, [0, 1, 2, 3]);
    assert_eq!((simple.running(), simple.pool().size()), (4, 10));
    let stopped: Vec<u64> = simple.stop(2).iter().map(|id| id.get()).collect();
    assert_eq!(stopped, [3, 2], "the newest first");
    assert!(simple.start(0).is_empty() && simple.stop(0).is_empty());
    hand.run();
    assert_eq!(simple.running(), 2);
    assert_eq!(simple.stop(10).len(), 2, "more than there are");
    hand.run();
    assert!(simple.stop_all().is_empty() && simple.pool().is_empty());
}

#[test]
fn those_that_wait_are_stopped_before_those_that_run() {
    let (hand, pool) = Hand::pool(2);
    let simple = SimpleTaskPool::new(pool, endless);
    let ids = simple.start(4);
    hand.run();
    assert_eq!(simple.running(), 2);
    assert_eq!(simple.stop(3), [ids[3], ids[2], ids[1]]);
    hand.run();
    assert_eq!(simple.running(), 1);
    assert_eq!(simple.stop(3), [ids[0]]);
    // Stopped, and not yet gone: nobody is stopped twice.
    assert!(simple.stop(1).is_empty());
}

#[test]
fn it_stops_its_own_tasks_alone() {
    let (hand, pool) = Hand::pool(4);
    let other = pool.spawn_n(endless());
    let simple = SimpleTaskPool::new(pool, endless);
    simple.start(2);
    assert_eq!(simple.stop_all().len(), 2);
    hand.run();
    assert_eq!((simple.running(), simple.pool().len()), (0, 1));
    assert!(!other.is_finished());
}

#[test]
fn it_keeps_nothing_of_those_that_ended() {
    on_every_runtime(|pools| async move {
        let ended = Arc::new(AtomicUsize::new(0));
        let counting = ended.clone();
        let simple = SimpleTaskPool::new(pools.size(2), move || {
            let counting = counting.clone();
            async move { counting.fetch_add(1, SeqCst) }
        });
        for _ in 0..100 {
            assert_eq!(simple.start(10).len(), 10);
            simple.pool().join().await;
        }
        assert_eq!(ended.load(SeqCst), 1000, "on {}", pools.runtime);
        assert!(simple.stop_all().is_empty() && simple.running() == 0);
    });
}

#[test]
fn threads_that_start_at_once_call_the_function_one_after_the_other() {
    let (hand, pool) = Hand::pool(1000);
    let inside = AtomicUsize::new(0);
    let simple = SimpleTaskPool::new(pool, || {
        assert_eq!(inside.fetch_add(1, SeqCst), 0);
        thread::yield_now();
        inside.fetch_sub(1, SeqCst);
        endless()
    });
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| simple.start(25));
        }
    });
    hand.run();
    assert_eq!(simple.running(), 100);
}

#[test]
fn a_function_that_panics_leaves_those_before_it_and_may_be_called_again() {
    let (hand, pool) = Hand::pool(10);
    let mut calls = 0;
    let simple = SimpleTaskPool::new(pool, move || {
        calls += 1;
        assert!(calls != 3, "on purpose");
        endless()
    });
    let started = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| simple.start(5)));
    started.unwrap_err();
    assert_eq!(simple.pool().len(), 2);
    simple.start(1);
    hand.run();
    assert_eq!(simple.running(), 3);
}

#[test]
fn a_function_that_starts_tasks_of_its_own_pool_is_told_so() {
    let (_hand, pool) = Hand::pool(10);
    let own = Arc::new(std::sync::OnceLock::<
        SimpleTaskPool<Box<dyn FnMut() -> _ + Send>>,
    >::new());
    let inner = own.clone();
    let function = Box::new(move || {
        if let Some(simple) = inner.get() {
            simple.start(1);
        }
        endless()
    });
    let simple = own.get_or_init(|| SimpleTaskPool::new(pool, function));
    let started = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| simple.start(1)));
    let message = started.unwrap_err();
    let message = message.downcast_ref::<&str>().copied();
    assert_eq!(
        message,
        Some("the function of a SimpleTaskPool started tasks of it")
    );
}

#[test]
fn a_closed_pool_rejects_what_is_started() {
    let (_hand, pool) = Hand::pool(10);
    let simple = SimpleTaskPool::new(pool, endless);
    simple.pool().close();
    assert_eq!(simple.start(2).len(), 2);
    assert_eq!((simple.running(), simple.pool().stats().rejected), (0, 2));
}

#[test]
fn tasks_are_stopped_while_others_start_and_end() {
    on_every_runtime(|pools| async move {
        let simple = SimpleTaskPool::new(pools.size(3), yield_now);
        let mut stopped = 0;
        for round in 0..1_500 {
            simple.start(2);
            if round % 3 == 0 {
                stopped += simple.stop(1).len();
            }
        }
        simple.pool().join().await;
        let stats = simple.pool().stats();
        assert_eq!(stats.completed + stats.cancelled, 3_000);
        assert!(stats.cancelled <= stopped as u64, "on {}", pools.runtime);
    });
}

/// A runtime that polls a worker as it gets it, and never again.
fn inline(size: usize) -> AioPool {
    let poll = |mut worker: Worker| {
        let ready = Pin::new(&mut worker).poll(&mut Context::from_waker(Waker::noop()));
        assert!(ready.is_ready());
    };
    AioPool::with_spawner(size, FnSpawner(poll))
}

#[test]
fn a_task_may_start_others_even_while_it_is_being_spawned() {
    type Copies = SimpleTaskPool<Box<dyn FnMut() -> BoxFuture<'static, ()> + Send>>;
    let started = Arc::new(AtomicUsize::new(0));
    let simple: Arc<OnceLock<Weak<Copies>>> = Arc::default();
    let copies: Arc<Copies> = Arc::new(SimpleTaskPool::new(inline(2), {
        let (started, simple) = (started.clone(), simple.clone());
        Box::new(move || {
            let (started, simple) = (started.clone(), simple.clone());
            Box::pin(async move {
                if started.fetch_add(1, SeqCst) == 0 {
                    simple.get().unwrap().upgrade().unwrap().start(1);
                }
            })
        })
    }));
    simple.set(Arc::downgrade(&copies)).unwrap();
    copies.start(1);
    let stats = copies.pool().stats();
    assert_eq!((stats.completed, stats.panicked), (2, 0));
    assert_eq!(started.load(SeqCst), 2);
}
