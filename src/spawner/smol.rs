use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::kind::Kind;
use super::{Blocking, Spawner};
use crate::worker::Worker;

/// Runs workers on smol's global executor. `SMOL_THREADS` sets the number of its threads.
///
/// # Examples
///
/// ```
/// use aiopool::{AioPool, Smol};
///
/// let pool = AioPool::with_spawner(4, Smol);
/// assert_eq!(smol::block_on(pool.exec(async { 1 + 1 })).unwrap(), 2);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Spawner for Smol {
    fn spawn(&self, worker: Worker) {
        smol::spawn(worker).detach();
    }

    fn spawn_blocking(&self, work: Blocking) {
        smol::unblock(move || work.run()).detach();
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let timer = smol::Timer::after(duration);
        Some(Box::pin(async move {
            timer.await;
        }))
    }
}

pub(super) fn kind() -> Kind {
    Kind {
        spawner: Arc::new(Smol),
        // There is one runtime of this kind. The numbers of tokio's runtimes start from 1, so they do not collide.
        id_here: || NonZeroU64::new(u64::MAX),
        now_here: || Some(Instant::now()),
        bind_here: |spawner| Some(spawner.clone()),
    }
}
