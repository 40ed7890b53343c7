use std::fmt;

use super::Spawner;
use crate::worker::Worker;

/// A [`Spawner`] from a closure, for a runtime that the crate does not know.
///
/// It has no timer, so its pools have no timeouts. Implement [`Spawner`] for your own type to have timeouts.
///
/// # Examples
///
/// ```
/// use aiopool::{AioPool, FnSpawner};
///
/// let pool = AioPool::with_spawner(4, FnSpawner(|worker| smol::spawn(worker).detach()));
/// let greeting = smol::block_on(pool.exec(async { "hello" }));
/// assert_eq!(greeting.unwrap(), "hello");
/// ```
pub struct FnSpawner<F>(pub F);

impl<F: Fn(Worker) + Send + Sync + 'static> Spawner for FnSpawner<F> {
    fn spawn(&self, worker: Worker) {
        (self.0)(worker);
    }
}

impl<F> fmt::Debug for FnSpawner<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnSpawner").finish_non_exhaustive()
    }
}
