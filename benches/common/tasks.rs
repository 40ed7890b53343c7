//! What is done with tasks, whatever the runtime. Every contender sums up what its tasks return: none is fast by
//! doing less.

use std::fmt::Debug;

use aiopool::AioPool;

/// How many tasks run at once, with us and with the rivals.
pub(crate) const SIZE: usize = 1000;

/// Spawns `n` tasks, keeps their handles, then awaits each.
pub(crate) async fn keep_then_await<H>(n: usize, spawn: impl FnMut(usize) -> H)
where
    H: Future<Output: Returned>,
{
    let handles: Vec<H> = (0..n).map(spawn).collect();
    let mut sum = 0;
    for handle in handles {
        sum += handle.await.value();
    }
    check(n, sum);
}

/// Ours: no-op tasks by `spawn_n`.
pub(crate) async fn spawn_n(pool: AioPool, n: usize) {
    keep_then_await(n, |i| pool.spawn_n(async move { i })).await;
}

/// Panics unless the sum is that of all `n` tasks.
pub(crate) fn check(n: usize, sum: usize) {
    assert_eq!(sum, n * n.saturating_sub(1) / 2, "not every task has run");
}

/// What awaiting a handle gives: a number, in whatever the runtime wraps it.
pub(crate) trait Returned {
    fn value(self) -> usize;
}

impl Returned for usize {
    fn value(self) -> usize {
        self
    }
}

impl<R: Returned, E: Debug> Returned for Result<R, E> {
    fn value(self) -> usize {
        self.expect("no task fails here").value()
    }
}
