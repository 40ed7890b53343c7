//! The contenders on tokio: ours, the bare runtime, and what one writes by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aiopool::{AioPool, PoolStreamExt};
use futures::{StreamExt, stream};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};

use super::one_thread::single;
use super::tasks::{SIZE, check, keep_then_await};

/// How long it takes on two worker threads, of which one submits.
pub(crate) fn two_threads(contender: impl Future<Output = ()> + Send + 'static) -> Duration {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let start = Instant::now();
    let ended = runtime.block_on(runtime.spawn(contender));
    let elapsed = start.elapsed();
    ended.expect("no contender panics");
    elapsed
}

/// The bare runtime: a task for each, all at once, with nothing to bound them.
pub(crate) async fn bare(n: usize) {
    keep_then_await(n, |i| tokio::spawn(async move { i })).await;
}

/// By hand: all tasks in a `JoinSet`, and each waits for a permit.
pub(crate) async fn joinset_semaphore(n: usize) {
    let permits = Arc::new(Semaphore::new(SIZE));
    let mut tasks = JoinSet::new();
    for i in 0..n {
        let permits = permits.clone();
        tasks.spawn(async move {
            let _permit = permits.acquire_owned().await;
            i
        });
    }
    drain(tasks, n, 0).await;
}

/// Ours: no-op tasks by `spawn`, which waits for a permit.
pub(crate) async fn spawn(pool: AioPool, n: usize) {
    for i in 0..n {
        pool.spawn(async move { i }).await;
    }
    pool.join().await;
    assert_eq!(pool.stats().completed, n as u64, "not every task has run");
}

/// Ours: no-op tasks by `feed`, of which one waits at a time.
pub(crate) async fn feed(pool: AioPool, n: usize) {
    let report = pool.feed(0..n, |i| async move { i }).await;
    assert_eq!(report.completed, n as u64, "not every task has run");
}

/// By hand: waits for a permit, then spawns into a `JoinSet`, and takes out what has ended.
pub(crate) async fn acquire_then_spawn(n: usize) {
    let permits = Arc::new(Semaphore::new(SIZE));
    let mut tasks = JoinSet::new();
    let mut sum = 0;
    for i in 0..n {
        let permit = permits.clone().acquire_owned().await;
        tasks.spawn(async move {
            let _permit = permit;
            i
        });
        while let Some(ended) = tasks.try_join_next() {
            sum += ended.expect("no task fails here");
        }
    }
    drain(tasks, n, sum).await;
}

/// Ours: tasks by `spawn_n` which yield five times.
pub(crate) async fn spawn_n_yielding(pool: AioPool, n: usize) {
    keep_then_await(n, |i| {
        pool.spawn_n(async move {
            yield_five_times().await;
            i
        })
    })
    .await;
}

/// By hand: tasks with a permit which yield five times.
pub(crate) async fn joinset_semaphore_yielding(n: usize) {
    let permits = Arc::new(Semaphore::new(SIZE));
    let mut tasks = JoinSet::new();
    for i in 0..n {
        let permits = permits.clone();
        tasks.spawn(async move {
            let _permit = permits.acquire_owned().await;
            yield_five_times().await;
            i
        });
    }
    drain(tasks, n, 0).await;
}

/// Ours: results as they come.
pub(crate) async fn itermap(pool: AioPool, n: usize) {
    let mut results = pool.itermap(0..n, |i| async move { i });
    let mut sum = 0;
    while let Some(result) = results.next().await {
        sum += result.expect("no task fails here");
    }
    check(n, sum);
}

/// By hand: bare tasks, whose handles a stream buffers.
pub(crate) async fn spawn_buffer_unordered(n: usize) {
    let tasks = stream::iter(0..n).map(|i| tokio::spawn(async move { i }));
    let mut results = tasks.buffer_unordered(SIZE);
    let mut sum = 0;
    while let Some(result) = results.next().await {
        sum += result.expect("no task fails here");
    }
    check(n, sum);
}

/// Ours: the items of a stream, and results in their order.
pub(crate) async fn map_on_ordered(pool: AioPool, n: usize) {
    let items = stream::iter(0..n);
    let mut results = items.map_on(&pool, |i| async move { i }).ordered();
    let mut sum = 0;
    while let Some(result) = results.next().await {
        sum += result.expect("no task fails here");
    }
    check(n, sum);
}

/// By hand: the same with bare tasks.
pub(crate) async fn spawn_buffered(n: usize) {
    let tasks = stream::iter(0..n).map(|i| tokio::spawn(async move { i }));
    let mut results = tasks.buffered(SIZE);
    let mut sum = 0;
    while let Some(result) = results.next().await {
        sum += result.expect("no task fails here");
    }
    check(n, sum);
}

/// Ours: how long `cancel_all` takes for `n` waiting tasks.
pub(crate) fn cancel_waiting(n: usize) -> Duration {
    on_waiting(n, async |pool| {
        assert_eq!(pool.cancel_all().await, n);
    })
}

/// Ours: how long it takes to run `n` waiting tasks.
pub(crate) fn run_waiting(n: usize) -> Duration {
    on_waiting(n, async |pool| {
        pool.resume();
        pool.join().await;
        assert_eq!(pool.stats().completed, n as u64);
    })
}

/// Times only what is done once `n` tasks wait.
fn on_waiting(n: usize, action: impl AsyncFnOnce(&AioPool)) -> Duration {
    single().block_on(async {
        let pool = AioPool::new(SIZE);
        pool.pause();
        let handles = pool.map_n(0..n, |i| async move { i });
        let start = Instant::now();
        action(&pool).await;
        let elapsed = start.elapsed();
        drop(handles);
        elapsed
    })
}

async fn drain(mut tasks: JoinSet<usize>, n: usize, mut sum: usize) {
    while let Some(ended) = tasks.join_next().await {
        sum += ended.expect("no task fails here");
    }
    check(n, sum);
}

pub(crate) async fn yield_five_times() {
    for _ in 0..5 {
        yield_now().await;
    }
}
