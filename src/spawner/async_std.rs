use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::kind::Kind;
use super::{Blocking, Spawner};
use crate::worker::Worker;

/// Runs workers on async-std.
///
/// async-std is no longer maintained, and names smol as its successor. This spawner is for programs that still use it.
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

pub(super) fn kind() -> Kind {
    Kind {
        spawner: Arc::new(AsyncStd),
        // There is one runtime of this kind. The numbers of tokio's runtimes start from 1, so they do not collide.
        id_here: || NonZeroU64::new(u64::MAX - 1),
        now_here: || Some(Instant::now()),
        bind_here: |spawner| Some(spawner.clone()),
    }
}
