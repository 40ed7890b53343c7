//! Parked tasks on tokio's current_thread: what they cost in time and memory, with us and by hand.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aiopool::{AioPool, JoinHandle};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task;

/// Few, so that starting their workers weighs nothing against any number of parked tasks.
pub(crate) const AT_ONCE: usize = 10;

/// What each parked task is.
async fn work(i: usize) -> usize {
    i
}

/// By hand, it has to wait for its permit.
async fn work_with_permit(permits: Arc<Semaphore>, i: usize) -> usize {
    let _permit = permits.acquire_owned().await;
    work(i).await
}

/// How large the future of such a task is.
pub(crate) fn future_size() -> usize {
    size_of_val(&work(0))
}

/// Ours: parks `n` tasks, lets them run, and awaits their handles.
pub(crate) fn park_and_run(n: usize) -> Duration {
    runtime().block_on(async {
        let start = Instant::now();
        let (pool, handles) = parked(n);
        pool.resume();
        for handle in handles {
            handle.await.expect("no task fails here");
        }
        drop(pool);
        start.elapsed()
    })
}

/// Ours: how many bytes a parked task and its handle take beyond its future.
///
/// `None` where the system does not tell. It needs a fresh process: memory that lies ready would not be seen.
pub(crate) fn bytes_of_ours(n: usize) -> Option<f64> {
    runtime().block_on(async {
        drop(parked(1));
        let before = resident()?;
        let (pool, handles) = parked(n);
        let after = resident()?;
        pool.cancel_all().await;
        drop(handles);
        Some(beyond_the_future(before, after, n))
    })
}

/// By hand: the same for a task of the runtime.
pub(crate) fn bytes_by_hand(n: usize) -> Option<f64> {
    runtime().block_on(async {
        drop(parked_by_hand(1).await);
        let before = resident()?;
        let (permits, handles) = parked_by_hand(n).await;
        let after = resident()?;
        permits.close();
        drop(handles);
        Some(beyond_the_future(before, after, n))
    })
}

/// Ours: so many tasks that wait, and the paused pool in which they do.
pub(crate) fn parked(n: usize) -> (AioPool, Vec<JoinHandle<usize>>) {
    let pool = AioPool::new(AT_ONCE);
    pool.pause();
    let handles = pool.map_n(0..n, work);
    (pool, handles)
}

/// By hand: so many tasks that wait, and the empty semaphore at which they do.
pub(crate) async fn parked_by_hand(n: usize) -> (Arc<Semaphore>, Vec<task::JoinHandle<usize>>) {
    let permits = Arc::new(Semaphore::new(0));
    let spawn = |i| tokio::spawn(work_with_permit(permits.clone(), i));
    let handles = (0..n).map(spawn).collect();
    // This runtime takes tasks in order: when this one has run, all the others wait.
    tokio::spawn(async {}).await.expect("it does not panic");
    (permits, handles)
}

fn beyond_the_future(before: usize, after: usize, n: usize) -> f64 {
    after.saturating_sub(before) as f64 / n as f64 - future_size() as f64
}

/// How many bytes of this process are in memory.
fn resident() -> Option<usize> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kilobytes: usize = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}
