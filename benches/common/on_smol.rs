//! The contenders on smol's global executor.

use std::time::{Duration, Instant};

use aiopool::{AioPool, Smol};

use super::tasks::{SIZE, keep_then_await};

/// How long it takes, submitted from this thread.
pub(crate) fn block_on(contender: impl Future<Output = ()>) -> Duration {
    let start = Instant::now();
    smol::block_on(contender);
    start.elapsed()
}

pub(crate) fn pool() -> AioPool {
    AioPool::with_spawner(SIZE, Smol)
}

/// The bare runtime: a task for each, all at once, with nothing to bound them.
pub(crate) async fn bare(n: usize) {
    keep_then_await(n, |i| smol::spawn(async move { i })).await;
}
