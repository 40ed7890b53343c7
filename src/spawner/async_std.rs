use std::pin::Pin;
use std::time::Duration;

use super::{Blocking, Spawner};
use crate::worker::Worker;

/// Runs workers on async-std.
///
/// async-std has ended upstream, and names smol as its successor: for programs not moved yet.
///
/// # Examples
///
/// ```
/// use aiopool::{AioPool, AsyncStd};
///
/// let pool = AioPool::with_spawner(4, AsyncStd);
/// assert_eq!(async_std::task::block_on(pool.exec(async { 1 + 1 })).unwrap(), 2);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStd;

impl Spawner for AsyncStd {
    fn spawn(&self, worker: Worker) {
        async_std::task::spawn(worker);
    }

    fn spawn_blocking(&self, work: Blocking) {
        async_std::task::spawn_blocking(move || work.run());
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        Some(Box::pin(async_std::task::sleep(duration)))
    }
}

pub(super) fn found() -> Option<Box<dyn Spawner>> {
    Some(Box::new(AsyncStd))
}
