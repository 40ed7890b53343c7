//! `map`, `try_map`, `map_n`, `apply`.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::pin::pin;

use aiopool::{AioPool, TryMapError};
use futures::executor::block_on;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once};

#[test]
fn map_keeps_the_order_of_its_items() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let results = pool.map(0..200, |n| async move { n * 10 }).await;
        let values: Vec<i32> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(values, (0..200).map(|n| n * 10).collect::<Vec<_>>());
    });
}

#[test]
fn map_puts_an_error_in_its_place() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let results = pool
            .map(0..4, |n| async move { assert_ne!(n, 2, "not two") })
            .await;
        let failed: Vec<bool> = results.iter().map(Result::is_err).collect();
        assert_eq!(failed, [false, false, true, false]);
        assert!(
            results[2]
                .as_ref()
                .unwrap_err()
                .panic_message()
                .unwrap()
                .contains("not two")
        );
    });
}

#[test]
fn map_pulls_its_items_as_permits_free() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(6);
    let pulled = Cell::new(0);
    let items = probes.iter().inspect(|_| pulled.set(pulled.get() + 1));
    let mut map = pin!(pool.map(items, |probe| probe.task(())));
    assert_pending!(map);
    assert_eq!(pulled.get(), 3, "two run, and one waits for a permit");
    hand.run();
    assert_pending!(map);
    assert_eq!(pulled.get(), 3);
    probes[0].end();
    hand.run();
    assert_pending!(map);
    assert_eq!(pulled.get(), 4);
    probes.iter().for_each(Probe::end);
    while poll_once(map.as_mut()).is_pending() {
        hand.run();
    }
}

#[test]
fn a_map_whose_closure_panics_aborts_what_it_started() {
    let (hand, pool) = Hand::pool(2);
    let probe = Probe::new();
    let inside = probe.clone();
    let mut map = Box::pin(pool.map(0..2, move |n| {
        assert_eq!(n, 0, "on purpose");
        inside.task(())
    }));
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll_once(map.as_mut())));
    assert!(panicked.is_err());
    drop(map);
    hand.run();
    assert!(!probe.has_started() && pool.is_empty());
}

#[test]
fn try_map_gives_all_values_in_order() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let values = pool
            .try_map(0..100, |n| async move { Ok::<_, ()>(n + 1) })
            .await
            .unwrap();
        assert_eq!(values, (1..=100).collect::<Vec<_>>());
    });
}

#[test]
fn try_map_stops_at_the_first_error_and_waits_for_the_rest_to_stop() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(4);
    let outcomes = [Ok(()), Err("no"), Ok(()), Ok(())];
    let items = probes.iter().zip(outcomes);
    let mut map = pin!(pool.try_map(items, |(probe, outcome)| probe.task(outcome)));
    assert_pending!(map);
    hand.run();
    probes[1].end();
    hand.run();
    assert_pending!(map);
    assert!(!probes[0].is_dropped(), "it was asked, and had no poll yet");
    hand.run();
    let failure = block_on(map).unwrap_err();
    assert!(matches!(failure, TryMapError::Task("no")));
    assert!(probes[0].is_dropped() && probes[1].is_dropped());
    assert!(!probes[3].has_started());
    assert!(pool.is_empty());
}

#[test]
fn try_map_stops_at_a_panic() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let items = 0..1_000_000;
        let result = pool
            .try_map(items, |n| async move {
                if n == 7 {
                    panic!("seven")
                } else {
                    Ok::<_, ()>(n)
                }
            })
            .await;
        let Err(TryMapError::Join(error)) = result else {
            panic!("it went on")
        };
        assert_eq!(error.panic_message(), Some("seven"));
        assert!(pool.stats().submitted < 1000, "it pulled on");
        pool.join().await;
    });
}

#[test]
fn map_n_and_apply_park_everything_now() {
    let (hand, pool) = Hand::pool(1);
    let handles = pool.map_n(0..5, |n| async move { n });
    let copies = pool.apply(3, || async { 9 });
    assert_eq!((handles.len(), copies.len(), pool.len()), (5, 3, 8));
    hand.run();
    let values: Vec<_> = handles
        .into_iter()
        .chain(copies)
        .map(|handle| block_on(handle).unwrap())
        .collect();
    assert_eq!(values, [0, 1, 2, 3, 4, 9, 9, 9]);
}

/// It can be shown, and is no `Error`: as an `anyhow::Error` is none.
#[derive(Debug)]
struct Shown(&'static str);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

async fn passed_on<E: fmt::Debug + fmt::Display + Send + Sync + 'static>(
    error: E,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    AioPool::new(1)
        .try_map([error], async |error| Err::<(), E>(error))
        .await?;
    Ok(())
}

async fn passed_on_alone<E: fmt::Debug + fmt::Display + Send + 'static>(
    error: E,
) -> Result<(), Box<dyn Error>> {
    AioPool::new(1)
        .try_map([error], async |error| Err::<(), E>(error))
        .await?;
    Ok(())
}

#[test]
fn a_question_mark_passes_on_whatever_a_try_map_fails_with() {
    on_tokio(async {
        let wrapped = || std::io::Error::other(TaskFailed);
        let boxed: Box<dyn Error + Send + Sync> = "boxed".into();
        let said = [
            passed_on("a text").await.unwrap_err(),
            passed_on("an owned text".to_owned()).await.unwrap_err(),
            passed_on(Shown("not an error")).await.unwrap_err(),
            passed_on(wrapped()).await.unwrap_err(),
            passed_on(boxed).await.unwrap_err(),
        ];
        let said: Vec<String> = said.iter().map(ToString::to_string).collect();
        let expected = [
            "a text",
            "an owned text",
            "not an error",
            "a task failed",
            "boxed",
        ];
        assert_eq!(said, expected);

        let boxed: Box<dyn Error + Send> = Box::new(wrapped());
        let said = passed_on_alone(boxed)
            .await
            .map_err(|error| error.to_string());
        assert_eq!(said.unwrap_err(), "a task failed");
    });
}

#[test]
fn a_failed_try_map_has_the_sources_of_a_boxed_error_and_gives_every_error_with_its_own() {
    let sourced = || Sourced(TaskFailed);
    let boxed: Box<dyn Error + Send + Sync> = Box::new(sourced());
    assert!(
        TryMapError::Task(boxed)
            .source()
            .unwrap()
            .is::<TaskFailed>()
    );
    let boxed: Box<dyn Error + Send> = Box::new(sourced());
    assert!(
        TryMapError::Task(boxed)
            .source()
            .unwrap()
            .is::<TaskFailed>()
    );
    assert!(TryMapError::Task(Shown("no")).source().is_none());

    let whole = TryMapError::Task(sourced()).into_boxed();
    assert!(whole.is::<Sourced>() && whole.source().unwrap().is::<TaskFailed>());
    assert_eq!(
        TryMapError::Task("a text").into_boxed().to_string(),
        "a text"
    );
}

#[derive(Debug)]
struct TaskFailed;

impl fmt::Display for TaskFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task failed")
    }
}

impl Error for TaskFailed {}

#[derive(Debug)]
struct Sourced(TaskFailed);

impl fmt::Display for Sourced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it has a source")
    }
}

impl Error for Sourced {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_failure_of_anyhow_passes_through_a_question_mark_and_keeps_its_type_by_into_error() {
    async fn fails() -> anyhow::Result<()> {
        Err(anyhow::Error::new(std::fmt::Error).context("outer"))
    }
    async fn asked(pool: &AioPool) -> anyhow::Result<()> {
        pool.try_map(0..2, |_| fails()).await?;
        Ok(())
    }
    let pool = AioPool::with_spawner(
        1,
        aiopool::FnSpawner(|worker: aiopool::Worker| {
            std::thread::spawn(move || block_on(worker));
        }),
    );
    let error = block_on(asked(&pool)).unwrap_err();
    assert_eq!(error.to_string(), "outer");
    let mapped = block_on(pool.try_map(0..2, |_| fails()));
    let error: anyhow::Error = mapped.unwrap_err().into_error();
    assert!(error.downcast_ref::<std::fmt::Error>().is_some());
    let panics = block_on(pool.try_map([()], |()| async {
        panic!("oh");
        #[allow(unreachable_code)]
        anyhow::Ok(())
    }));
    let error: anyhow::Error = panics.unwrap_err().into_error();
    assert!(
        error
            .downcast_ref::<aiopool::JoinError>()
            .unwrap()
            .is_panic()
    );
}
