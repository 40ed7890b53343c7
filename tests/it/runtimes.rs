//! Where workers run.

use std::sync::LazyLock;
use std::thread;

use aiopool::{AioPool, Tokio};

static POOL: LazyLock<AioPool> = LazyLock::new(|| AioPool::new(2));

#[test]
fn a_pool_made_before_its_runtime_finds_it_at_the_first_spawn() {
    LazyLock::force(&POOL);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let inside = async { tokio::runtime::Handle::current().id() };
    let found = runtime.block_on(async { POOL.exec(inside).await.unwrap() });
    assert_eq!(found, runtime.handle().id());
}

#[test]
fn tokio_current_follows_the_caller_and_remembers() {
    let first = tokio::runtime::Runtime::new().unwrap();
    let second = tokio::runtime::Runtime::new().unwrap();
    let pool = AioPool::with_spawner(1, Tokio::current());
    let here = || async { tokio::runtime::Handle::current().id() };
    let from = |runtime: &tokio::runtime::Runtime| {
        runtime.block_on(async { pool.exec(here()).await.unwrap() })
    };
    assert_eq!(from(&first), first.handle().id());
    assert_eq!(from(&second), second.handle().id());
    let handle = pool.spawn_n(here());
    assert_eq!(
        first.block_on(handle).unwrap(),
        second.handle().id(),
        "from a plain thread: the last one"
    );
}

#[test]
fn tokio_current_without_any_runtime_rejects() {
    let pool = AioPool::with_spawner(1, Tokio::current());
    let error = pool.spawn_n(async {}).try_join().unwrap().unwrap_err();
    assert!(error.is_rejected() && error.reason().unwrap().contains("runtime"));
}

#[test]
fn tokio_handle_runs_tasks_of_plain_threads() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = AioPool::with_spawner(2, Tokio::handle(runtime.handle().clone()));
    let submitting =
        thread::spawn(move || pool.spawn_n(async { tokio::runtime::Handle::current().id() }));
    let handle = submitting.join().unwrap();
    assert_eq!(runtime.block_on(handle).unwrap(), runtime.handle().id());
}

#[test]
#[cfg(not(any(feature = "smol", feature = "async-std")))]
#[should_panic(expected = "no runtime here")]
fn without_any_runtime_the_first_spawn_says_so() {
    drop(AioPool::new(1).spawn_n(async {}));
}

#[test]
#[cfg(not(any(feature = "smol", feature = "async-std")))]
fn an_itermap_that_found_no_runtime_goes_on_once_there_is_one() {
    let pool = AioPool::new(1);
    let mut results = pool.itermap(0..3, |n| async move { n });
    let alone = std::panic::AssertUnwindSafe(|| futures::executor::block_on(results.next()));
    assert!(std::panic::catch_unwind(alone).is_err());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rest = runtime.block_on(async { futures::StreamExt::collect::<Vec<_>>(results).await });
    assert_eq!(rest.len(), 2, "the first item went with the panic");
}

#[test]
#[cfg(feature = "smol")]
fn outside_of_tokio_smol_is_found() {
    let pool = AioPool::new(1);
    assert_eq!(smol::block_on(pool.exec(async { 1 })).unwrap(), 1);
}

#[test]
fn a_spawner_of_ones_own_needs_one_method() {
    struct Threads;
    impl aiopool::Spawner for Threads {
        fn spawn(&self, worker: aiopool::Worker) {
            thread::spawn(move || futures::executor::block_on(worker));
        }
    }
    let pool = AioPool::with_spawner(2, Threads);
    assert_eq!(
        futures::executor::block_on(pool.exec(async { 3 })).unwrap(),
        3
    );
}
