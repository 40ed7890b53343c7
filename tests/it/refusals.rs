//! DESIGN 3.10 and 3.13: refusals are explicit, and senseless numbers are told at once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use aiopool::{AioPool, BuildError, JoinError, Refusal, Worker};
use futures::executor::block_on;

use crate::support::{Hand, Probe, on_every_runtime, within};

#[test]
fn a_closed_pool_refuses_every_verb() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        pool.close();
        assert!(pool.is_closed());
        assert!(pool.spawn(async {}).await.await.unwrap_err().is_rejected());
        let error = pool.spawn_n(async {}).await.unwrap_err();
        assert!(error.is_rejected() && error.reason().unwrap().contains("closed"));
        assert!(pool.exec(async {}).await.unwrap_err().is_rejected());
        assert!(
            pool.map(0..2, |_| async {})
                .await
                .iter()
                .all(Result::is_err)
        );
        assert!(
            pool.try_map(0..2, |_| async { Ok::<(), ()>(()) })
                .await
                .is_err()
        );
        assert!(
            pool.itermap(0..2, |_| async {})
                .next()
                .await
                .unwrap()
                .unwrap_err()
                .is_rejected()
        );
        assert_eq!(
            pool.try_spawn(async {}).unwrap_err().reason(),
            Refusal::Closed
        );
        assert_eq!(pool.stats().rejected, 8);
        pool.reopen();
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn a_bounded_queue_refuses_what_exceeds_it() {
    let (hand, pool) = {
        let hand = Hand::default();
        let pool = hand.builder().size(1).max_waiting(1).build().unwrap();
        (hand, pool)
    };
    let busy = Probe::new();
    pool.spawn_n(busy.task(()));
    let parked = pool.try_spawn(async { 1 }).unwrap();
    let refused = pool.try_spawn(async { 2 }).unwrap_err();
    assert_eq!(refused.reason(), Refusal::Full);
    let error = pool.spawn_n(async {}).try_join().unwrap().unwrap_err();
    assert!(error.is_rejected() && error.reason().unwrap().contains("full"));
    assert!(block_on(pool.exec(async {})).unwrap_err().is_rejected());
    busy.end();
    hand.run();
    assert_eq!(block_on(parked).unwrap(), 1);
    let accepted = pool.try_spawn(refused.into_inner()).unwrap();
    hand.run();
    assert_eq!(block_on(accepted).unwrap(), 2);
    let stats = pool.stats();
    assert_eq!(
        (stats.submitted, stats.rejected, stats.completed),
        (5, 2, 3)
    );
}

#[test]
fn without_a_queue_a_task_starts_at_once_or_is_refused() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).max_waiting(0).build().unwrap();
    let first = pool.spawn_n(async {});
    let second = pool.spawn_n(async {});
    assert!(!first.is_finished() && second.is_finished());
}

#[test]
fn try_spawn_does_not_park_in_a_queue_without_a_bound() {
    let (hand, pool) = Hand::pool(1);
    let first = pool.try_spawn(async { 1 }).unwrap();
    assert_eq!(
        pool.try_spawn(async {}).unwrap_err().reason(),
        Refusal::Full
    );
    hand.run();
    assert_eq!(block_on(first).unwrap(), 1);
    pool.pause();
    assert_eq!(
        pool.try_spawn(async {}).unwrap_err().reason(),
        Refusal::Full
    );
    assert_eq!(pool.stats().submitted, 1);
}

#[test]
fn try_spawn_does_not_overtake_those_who_wait() {
    let (_hand, pool) = Hand::pool(2);
    pool.spawn_n(Probe::new().task(()));
    pool.task(async {}).weight(2).spawn_n();
    assert_eq!(
        pool.try_spawn(async {}).unwrap_err().reason(),
        Refusal::Full
    );
}

#[test]
fn the_refused_future_of_a_builder_comes_back_without_its_callbacks_called() {
    let (_hand, pool) = Hand::pool(1);
    pool.close();
    let refused = pool
        .task(async { 5 })
        .on_end(|_| panic!("never called"))
        .try_spawn()
        .unwrap_err();
    assert_eq!(block_on(refused.into_inner()), 5);
}

#[test]
fn the_refused_future_of_a_builder_goes_through_its_stages_where_it_is_polled() {
    within("a future that came back", || {
        let (_hand, pool) = Hand::pool(1);
        pool.close();
        let blocks = pool.task(async { 1 }).then_blocking(|one| one.unwrap() + 1);
        let refused = blocks.then(|two| async move { two.unwrap() + 1 });
        assert_eq!(block_on(refused.try_spawn().unwrap_err().into_inner()), 3);
        let refused = pool
            .task_blocking(|| 1)
            .then(|one| async move { one.unwrap() + 1 });
        assert_eq!(block_on(refused.try_spawn().unwrap_err().into_inner()), 2);
    });
}

#[test]
fn a_panic_in_the_refused_future_of_a_builder_is_that_of_its_poll() {
    let (_hand, pool) = Hand::pool(1);
    pool.close();
    let refused = pool
        .task(async { panic!("first") })
        .then(|_: Result<(), _>| async {});
    let future = refused.try_spawn().unwrap_err().into_inner();
    assert_eq!(message_of_panic(|| block_on(future)), "first");
}

#[track_caller]
fn message_of_panic(foolish: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(foolish)).expect_err("it did not panic");
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap()
}

#[test]
fn zeroes_are_errors_in_words() {
    assert!(message_of_panic(|| drop(AioPool::new(0))).contains("size 0"));
    assert!(
        message_of_panic(|| drop(AioPool::with_spawner(0, Hand::default()))).contains("size 0")
    );
    assert!(matches!(
        AioPool::builder().size(0).build(),
        Err(BuildError::ZeroSize)
    ));
    let (_hand, pool) = Hand::pool(1);
    assert!(message_of_panic(|| drop(pool.task(async {}).weight(0))).contains("weight 0"));
    assert!(
        message_of_panic(|| drop(pool.itermap(0..1, |_| async {}).buffer(0)))
            .contains("buffer of 0")
    );
}

#[test]
fn nothing_to_do_is_no_error() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let nothing = std::iter::empty::<u8>;
        assert!(pool.map(nothing(), |_| async {}).await.is_empty());
        assert!(
            pool.try_map(nothing(), |_| async { Ok::<(), ()>(()) })
                .await
                .unwrap()
                .is_empty()
        );
        assert!(pool.map_n(nothing(), |_| async {}).is_empty());
        assert!(pool.apply(0, || async {}).is_empty());
        assert!(pool.itermap(nothing(), |_| async {}).next().await.is_none());
        assert!(
            pool.itermap(nothing(), |_| async {})
                .ordered()
                .next()
                .await
                .is_none()
        );
        assert!(
            aiopool::iterwait(Vec::<aiopool::JoinHandle<()>>::new())
                .next()
                .await
                .is_none()
        );
        let report = pool.cancel(Vec::<aiopool::JoinHandle<()>>::new()).await;
        assert_eq!((report.cancelled, report.results.len()), (0, 0));
        assert_eq!(pool.cancel_all().await, 0);
        pool.join().await;
        pool.below(1).await;
    });
}

#[test]
fn a_limit_without_a_timer_is_told_at_once() {
    let pool = AioPool::with_spawner(1, Hand::without_timer());
    let limit = std::time::Duration::from_secs(1);
    for message in [
        message_of_panic(|| drop(pool.task(async {}).timeout(limit).spawn_n())),
        message_of_panic(|| drop(pool.task(async {}).wait_timeout(limit).spawn_n())),
        message_of_panic(|| _ = block_on(pool.shutdown(aiopool::Shutdown::Deadline(limit)))),
    ] {
        assert!(
            message.contains("no timer") && message.contains("sleep"),
            "{message}"
        );
    }
    assert!(pool.is_empty());
    assert_eq!(pool.stats().submitted, 0);
}

#[test]
fn a_rejected_task_says_why() {
    let hand = Hand::default();
    let pool = hand.builder().size(2).max_waiting(0).build().unwrap();
    let refusal = |error: JoinError| error.refusal().expect("it was rejected");
    let heavy = block_on(pool.task(async {}).weight(3).exec()).unwrap_err();
    assert_eq!(refusal(heavy), Refusal::TooHeavy);
    let heavy = pool.task(async {}).weight(3).try_spawn().unwrap_err();
    assert_eq!(heavy.reason(), Refusal::TooHeavy);

    let _busy = pool.task(Probe::new().task(())).weight(2).spawn_n();
    let full = block_on(pool.exec(async {})).unwrap_err();
    assert_eq!(refusal(full), Refusal::Full);
    pool.close();
    let closed = block_on(pool.spawn_n(async {})).unwrap_err();
    assert_eq!(refusal(closed), Refusal::Closed);
    let given_up = AioPool::with_spawner(1, aiopool::FnSpawner(drop::<Worker>));
    let homeless = block_on(given_up.exec(async {})).unwrap_err();
    assert_eq!(refusal(homeless), Refusal::RuntimeGone);
}

#[test]
fn a_task_that_was_not_rejected_has_no_refusal() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let panicked = pool.exec(async { panic!("oh") }).await.unwrap_err();
        assert_eq!(panicked.refusal(), None);
        let cancelled = pool.spawn_n(std::future::pending::<()>()).cancel().await;
        assert_eq!(cancelled.unwrap_err().refusal(), None);
    });
}
