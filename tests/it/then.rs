//! Callbacks: `then` under the same permit, `on_cancel` and `on_end` before the handle settles.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiopool::AioPool;
use futures::executor::block_on;

use crate::support::{Hand, Probe, on_every_runtime, on_tokio};

#[test]
fn the_callback_makes_the_result() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let doubled = pool
            .task(async { 4 })
            .then(|four| async move { four.unwrap() * 2 });
        assert_eq!(doubled.exec().await.unwrap(), 8);
        let chained = pool
            .task(async { 1 })
            .then(|one| async move { one.unwrap() + 1 });
        let chained = chained.then(|two| async move { two.unwrap().to_string() });
        assert_eq!(chained.spawn().await.await.unwrap(), "2");
    });
}

#[test]
fn the_callback_runs_under_the_same_permit() {
    let (hand, pool) = Hand::pool(1);
    let (callback, next) = (Probe::new(), Probe::new());
    let later = callback.task(());
    let handle = pool.task(async {}).then(|_| later).spawn_n();
    pool.spawn_n(next.task(()));
    hand.run();
    assert!(callback.has_started() && !next.has_started());
    callback.end();
    hand.run();
    assert!(handle.is_finished() && next.has_started());
}

#[test]
fn the_callback_is_told_of_a_panic_and_of_who_panicked() {
    let hand = Hand::default();
    let pool = hand.builder().name("demo").size(1).build().unwrap();
    let task = pool.task(async { panic!("oh") }).name("risky");
    let handle = task
        .then(|result: Result<(), _>| async move { result.unwrap_err().to_string() })
        .spawn_n();
    hand.run();
    assert_eq!(block_on(handle).unwrap(), "task risky panicked: oh");
    assert_eq!(pool.stats().completed, 1);
}

#[test]
fn the_callback_is_told_of_a_timeout_that_was_set_before_it() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let second = Duration::from_secs(1);
        let task = pool.task(std::future::pending::<()>()).timeout(second);
        let told = task.then(|result| async move { result.unwrap_err().is_timeout() });
        assert!(told.exec().await.unwrap());
        let task = pool
            .task(async {})
            .then(|_| std::future::pending::<()>())
            .timeout(second);
        assert!(task.exec().await.unwrap_err().is_timeout());
    });
}

#[test]
fn a_callback_that_panics_is_the_outcome() {
    let (hand, pool) = Hand::pool(1);
    let now = pool
        .task(async {})
        .then(|_| -> std::future::Ready<()> { panic!("at once") })
        .spawn_n();
    let later = pool
        .task(async {})
        .then(|_| async { panic!("later") })
        .spawn_n();
    hand.run();
    assert_eq!(block_on(now).unwrap_err().panic_message(), Some("at once"));
    let later: Result<(), _> = block_on(later);
    assert_eq!(later.unwrap_err().panic_message(), Some("later"));
}

#[test]
fn a_cancelled_task_is_not_called_back_in_either_phase() {
    let (hand, pool) = Hand::pool(2);
    let probe = Probe::new();
    let first = pool
        .task(probe.task(()))
        .then(|_| async { panic!("never called") })
        .spawn_n();
    let callback = Probe::new();
    let later = callback.task(());
    let second = pool.task(async {}).then(|_| later).spawn_n();
    hand.run();
    assert!(callback.has_started());
    assert!(first.abort() && second.abort());
    hand.run();
    let first: Result<(), _> = block_on(first);
    assert!(first.unwrap_err().is_cancelled());
    assert!(block_on(second).unwrap_err().is_cancelled() && callback.is_dropped());
}

#[test]
fn on_cancel_and_on_end_are_called_once_with_the_number_before_the_handle_settles() {
    let (hand, pool) = Hand::pool(1);
    let log = Arc::new(Mutex::new(Vec::new()));
    let task = |future: futures::future::BoxFuture<'static, ()>| {
        let (cancelled, ended) = (log.clone(), log.clone());
        let task = pool.task(future);
        let task =
            task.on_cancel(move |id| cancelled.lock().unwrap().push(format!("{id} cancelled")));
        task.on_end(move |id| ended.lock().unwrap().push(format!("{id} ended")))
            .spawn_n()
    };
    let taken = || std::mem::take(&mut *log.lock().unwrap());

    task(Box::pin(async {}));
    hand.run();
    assert_eq!(taken(), ["0 ended"]);
    let active = task(Box::pin(std::future::pending()));
    let waiting = task(Box::pin(async {}));
    hand.run();
    waiting.abort();
    assert_eq!(taken(), ["2 cancelled", "2 ended"]);
    active.abort();
    hand.run();
    assert_eq!(taken(), ["1 cancelled", "1 ended"]);
    task(Box::pin(async { panic!("oh") }));
    hand.run();
    assert_eq!(taken(), ["3 ended"]);
    pool.close();
    task(Box::pin(async {}));
    assert_eq!(taken(), ["4 ended"]);
}
