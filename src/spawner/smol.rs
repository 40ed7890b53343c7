use std::pin::Pin;
use std::time::Duration;

use super::{Blocking, Spawner};
use crate::worker::Worker;

/// Runs workers on smol's global executor, whose threads `SMOL_THREADS` sets.
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

pub(super) fn found() -> Option<Box<dyn Spawner>> {
    Some(Box::new(Smol))
}
