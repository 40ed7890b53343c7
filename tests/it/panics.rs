//! DESIGN 3.7: panics are caught, the pool goes on, and foreign code never runs under a lock.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use aiopool::{AioPool, FnSpawner, Worker};

use crate::support::{Hand, Probe, on_every_runtime, poll_once};

/// Runs something when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn panics_when_dropped() -> impl Drop + Send {
    OnDrop(|| panic!("in a destructor"))
}

#[test]
fn a_panic_is_the_outcome_and_the_pool_goes_on() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let number = pools.runtime.len();
        let failing = async move { panic!("number {number}") };
        let error = pool.exec(failing).await.unwrap_err();
        assert!(error.is_panic());
        let text = format!("number {number}");
        assert_eq!(error.panic_message(), Some(text.as_str()));
        assert!(error.to_string().ends_with(&format!("panicked: {text}")));
        assert_eq!(*error.into_panic().downcast::<String>().unwrap(), text);
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn a_payload_of_any_kind_is_carried() {
    let (hand, pool) = Hand::pool(1);
    let mut handle = pool.spawn_n(async { std::panic::panic_any(42_u8) });
    hand.run();
    let error: aiopool::JoinError = handle.try_join().unwrap().unwrap_err();
    assert_eq!(error.panic_message(), None);
    assert_eq!(
        *error.try_into_panic().unwrap().downcast::<u8>().unwrap(),
        42
    );
}

#[test]
fn a_destructor_that_panics_is_a_panic_wherever_the_future_is_dropped() {
    let (hand, pool) = Hand::pool(1);
    let busy = Probe::new();
    let held = pool.spawn_n(busy.task(()));
    let waiting = pool.spawn_n({
        let bomb = panics_when_dropped();
        async move { drop(bomb) }
    });
    waiting.abort();
    assert!(futures::executor::block_on(waiting).unwrap_err().is_panic());

    held.abort();
    let active = pool.spawn_n({
        let bomb = panics_when_dropped();
        async move {
            std::future::pending::<()>().await;
            drop(bomb);
        }
    });
    hand.run();
    active.abort();
    let ending = pool.spawn_n(EndsWith(panics_when_dropped()));
    hand.run();
    assert!(futures::executor::block_on(active).unwrap_err().is_panic());
    assert!(futures::executor::block_on(ending).unwrap_err().is_panic());
    assert_eq!(pool.stats().panicked, 3);
    assert!(pool.is_empty());
}

/// Is ready at once, and still has something to drop.
struct EndsWith<D>(D);

impl<D> Future for EndsWith<D> {
    type Output = u8;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
        Poll::Ready(1)
    }
}

#[test]
fn a_result_that_nobody_reads_may_panic_when_it_is_dropped() {
    let (hand, pool) = Hand::pool(1);
    drop(pool.spawn_n(async { panics_when_dropped() }));
    let next = Probe::new();
    pool.spawn_n(next.task(()));
    hand.run();
    assert!(next.has_started());
}

#[test]
fn callbacks_that_panic_change_nothing() {
    let (hand, pool) = Hand::pool(1);
    let careless = pool.task(async { 1 }).on_end(|_| panic!("in a callback"));
    let mut handle = careless.spawn_n();
    hand.run();
    assert_eq!(handle.try_join().unwrap().unwrap(), 1);
    assert!(pool.is_empty());
}

#[test]
fn a_callback_that_is_not_called_and_panics_when_it_is_dropped_changes_nothing() {
    let (hand, pool) = Hand::pool(1);
    let (bomb, called) = (panics_when_dropped(), Probe::new());
    let ended = called.clone();
    let task = pool.task(async { 1 }).on_cancel(move |_| drop(bomb));
    let mut handle = task.on_end(move |_| ended.end()).spawn_n();
    let told = pool.spawn_n(called.task(()));
    hand.run();
    assert_eq!(handle.try_join().unwrap().unwrap(), 1);
    assert!(
        told.is_finished(),
        "the other callback is called all the same"
    );
    assert!(pool.is_empty());
}

struct PanickingWaker;

impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        panic!("in a waker");
    }
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    let mut handle = pool.spawn_n(probe.task(()));
    let waker = Waker::from(Arc::new(PanickingWaker));
    let polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    let next = Probe::new();
    pool.spawn_n(next.task(()));
    hand.run();
    probe.end();
    hand.run();
    assert!(handle.is_finished() && next.has_started());
}

struct PanickingWhenDropped;

impl Wake for PanickingWhenDropped {
    fn wake(self: Arc<Self>) {}
}

impl Drop for PanickingWhenDropped {
    fn drop(&mut self) {
        panic!("in the destructor of a waker");
    }
}

#[test]
fn a_worker_whose_waker_panics_when_it_is_dropped_keeps_its_task() {
    let workers = Arc::new(Mutex::new(Vec::new()));
    let spawned = workers.clone();
    let spawner = FnSpawner(move |worker: Worker| spawned.lock().unwrap().push(worker));
    let pool = AioPool::with_spawner(1, spawner);
    let told = Arc::new(AtomicBool::new(false));
    let is_told = told.clone();
    let mut handle = pool.spawn_n(poll_fn(move |_| {
        if is_told.load(SeqCst) {
            Poll::Ready(1)
        } else {
            Poll::Pending
        }
    }));
    let mut worker = workers.lock().unwrap().pop().unwrap();
    let waker = Waker::from(Arc::new(PanickingWhenDropped));
    let polled = Pin::new(&mut worker).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    drop(waker);
    // From now on the worker has another waker.
    assert!(poll_once(Pin::new(&mut worker)).is_pending());
    told.store(true, SeqCst);
    assert!(poll_once(Pin::new(&mut worker)).is_ready());
    assert_eq!(handle.try_join().unwrap().unwrap(), 1);
}

/// Asks the pool everything, which would hang if the pool were locked.
fn ask(pool: &AioPool) {
    assert!(pool.size() > 0);
    _ = (
        pool.len(),
        pool.stats(),
        pool.tasks(),
        pool.is_full(),
        format!("{pool:?}"),
    );
    pool.spawn_n(async {});
    pool.abort_all();
}

#[test]
fn destructors_run_unlocked() {
    crate::support::within("a hand", || {
        let (hand, pool) = Hand::pool(1);
        let asking = |pool: &AioPool| {
            let pool = pool.clone();
            OnDrop(move || ask(&pool))
        };
        for abort in [false, true] {
            let guard = asking(&pool);
            let active = pool.spawn_n(async move {
                std::future::pending::<()>().await;
                drop(guard);
            });
            let guard = asking(&pool);
            let waiting = pool.spawn_n(async move { drop(guard) });
            let guard = asking(&pool);
            drop(pool.spawn_n(async move { guard }));
            hand.run();
            if abort {
                waiting.abort();
                active.abort();
            }
            pool.abort_all();
            hand.run();
        }
        let guard = asking(&pool);
        pool.close();
        pool.spawn_n(async move { drop(guard) });
        assert!(pool.is_empty());
    });
}

#[test]
fn callbacks_run_unlocked() {
    crate::support::within("a hand", || {
        let (hand, pool) = Hand::pool(1);
        let (first, second) = (pool.clone(), pool.clone());
        let task = pool.task(std::future::pending::<()>());
        let task = task
            .on_cancel(move |_| ask(&first))
            .on_end(move |_| ask(&second));
        let handle = task.spawn_n();
        hand.run();
        handle.abort();
        hand.run();
        assert!(handle.is_finished());
    });
}

struct Asking(AioPool);

impl Wake for Asking {
    fn wake(self: Arc<Self>) {
        ask(&self.0);
    }
}

#[test]
fn wakers_are_woken_unlocked() {
    crate::support::within("a hand", || {
        let (hand, pool) = Hand::pool(1);
        let probe = Probe::new();
        let mut handle = pool.spawn_n(probe.task(()));
        let waker = Waker::from(Arc::new(Asking(pool.clone())));
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut handle).poll(&mut cx).is_pending());
        let mut join = Box::pin(pool.join());
        assert!(join.as_mut().poll(&mut cx).is_pending());
        let mut spawn = Box::pin(pool.spawn(async {}));
        assert!(spawn.as_mut().poll(&mut cx).is_pending());
        hand.run();
        probe.end();
        hand.run();
        assert!(handle.is_finished());
    });
}

#[test]
fn into_panic_of_another_error_panics() {
    let (_hand, pool) = Hand::pool(1);
    pool.close();
    let error = pool.spawn_n(async {}).try_join().unwrap().unwrap_err();
    let error = error.try_into_panic().unwrap_err();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| error.into_panic()));
    assert!(panic.is_err());
}
