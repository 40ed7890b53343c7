//! A wait that is dropped is over.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use aiopool::{AioPool, FnSpawner, TaskState, Worker, iterwait};
use futures::channel::oneshot;
use futures::future::{Either, select};

use crate::assert_pending;
use crate::support::{Hand, Probe};

#[test]
fn a_wait_dropped_half_way_is_over_and_the_task_goes_on_with_its_permit() {
    let (hand, pool) = Hand::pool(2);
    let (inner_pool, probe, quick, last) = (pool.clone(), Probe::new(), Probe::new(), Probe::new());
    let (inner, awake, after) = (probe.task(()), quick.task(()), last.task(()));
    let outer = pool.spawn_n(async move {
        let handle = inner_pool.spawn_n(inner);
        match select(handle, Box::pin(awake)).await {
            Either::Left(_) => unreachable!("it was not told to end"),
            Either::Right((_, handle)) => drop(handle),
        }
        after.await;
    });
    let blocker = Probe::new();
    let blocking = pool.spawn_n(blocker.task(()));
    hand.run();
    // It lends while both are pending, and the inner task runs.
    assert!(probe.has_started() && blocker.has_started());
    assert_eq!((pool.active(), pool.waiting()), (2, 1));
    quick.end();
    hand.run();
    assert!(!last.has_started(), "it has no permit, and is not polled");
    blocker.end();
    hand.run();
    assert!(blocking.is_finished() && last.has_started());
    // The wait was dropped: from now on it keeps its permit.
    let next = pool.spawn_n(async {});
    hand.run();
    assert!(!next.is_finished());
    assert_eq!((pool.active(), pool.waiting()), (2, 1));
    last.end();
    hand.run();
    assert!(outer.is_finished() && next.is_finished());
    assert!(
        !probe.is_dropped(),
        "a handle that is dropped detaches its task"
    );
}

#[test]
fn a_wait_dropped_on_another_thread_is_over_when_the_task_is_woken() {
    let (hand, pool) = Hand::pool(2);
    let (inner_pool, inner, awake, last) = (pool.clone(), Probe::new(), Probe::new(), Probe::new());
    let (long, woken, after) = (inner.task(()), awake.task(()), last.task(()));
    let (give, taken) = std::sync::mpsc::channel();
    let outer = pool.spawn_n(async move {
        let mut handle = inner_pool.spawn_n(long);
        assert!(futures::poll!(&mut handle).is_pending());
        give.send(handle).unwrap();
        woken.await;
        after.await;
    });
    hand.run();
    assert_eq!((pool.active(), pool.waiting()), (1, 1), "it lends");
    let handle = taken.recv().unwrap();
    std::thread::spawn(move || drop(handle)).join().unwrap();
    awake.end();
    hand.run();
    // It waits for nobody of its pool any more, and keeps its permit.
    let next = pool.spawn_n(async {});
    hand.run();
    assert!(last.has_started() && !next.is_finished());
    assert_eq!((pool.active(), pool.waiting()), (2, 1));
    last.end();
    hand.run();
    assert!(outer.is_finished() && next.is_finished());
}

/// A worker that is polled by whoever wakes it, inside of that.
struct Inline {
    worker: Mutex<Option<Worker>>,
    again: AtomicBool,
}

impl Inline {
    fn pool(size: usize) -> AioPool {
        let spawn = |worker: Worker| {
            let (worker, again) = (Mutex::new(Some(worker)), AtomicBool::new(false));
            Arc::new(Self { worker, again }).wake();
        };
        AioPool::with_spawner(size, FnSpawner(spawn))
    }
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        self.again.store(true, SeqCst);
        let Ok(mut worker) = self.worker.try_lock() else {
            return;
        };
        while self.again.swap(false, SeqCst) {
            let waker = Waker::from(self.clone());
            let mut cx = Context::from_waker(&waker);
            let poll = |worker: &mut Worker| Pin::new(worker).poll(&mut cx).is_ready();
            if worker.as_mut().is_some_and(poll) {
                *worker = None;
            }
        }
    }
}

#[test]
fn a_wait_is_over_before_the_task_is_woken() {
    let pool = Inline::pool(2);
    let (inner_pool, last) = (pool.clone(), Probe::new());
    let after = last.task(());
    let (end, ends) = oneshot::channel::<()>();
    let task = pool.spawn_n(async move {
        inner_pool.exec(ends).await.unwrap().unwrap();
        after.await;
    });
    assert_eq!(task.state(), TaskState::Waiting);
    end.send(()).unwrap();
    assert!(last.has_started());
    assert_eq!((task.state(), pool.active()), (TaskState::Active, 1));
    last.end();
    assert!(task.is_finished());
}

#[test]
fn iterwait_holds_on_to_no_wait_that_is_over() {
    let (hand, pool) = Hand::pool(2);
    let (probe, after) = (Probe::new(), Probe::new());
    let mut results = iterwait([pool.spawn_n(probe.task(1))]);
    let mut begun = Box::pin(results.next());
    assert_pending!(begun);
    drop(begun);
    let then = after.task(());
    let reads = pool.spawn_n(async move {
        let read = results.next().await.unwrap().unwrap();
        then.await;
        drop(results);
        read
    });
    hand.run();
    assert_eq!(reads.state(), TaskState::Waiting);
    probe.end();
    hand.run();
    assert_eq!(reads.state(), TaskState::Active);
    after.end();
    hand.run();
    assert!(reads.is_finished());
}
