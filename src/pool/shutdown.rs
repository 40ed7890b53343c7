use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::sweep::Which;
use super::{AioPool, Stats, lend};
use crate::task::{PoolRef, Sleep};

/// How a pool ends.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Shutdown {
    /// All that was submitted runs to its end.
    Drain,
    /// What waits is cancelled; what is active runs to its end.
    CancelWaiting,
    /// All is cancelled.
    CancelAll,
    /// All that was submitted may run for so long; then the rest is cancelled.
    Deadline(Duration),
}

/// What became of the tasks during a [`shutdown`](AioPool::shutdown).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How many ended by themselves: with a value, a panic, or a timeout.
    pub completed: usize,
    /// How many were cancelled.
    pub cancelled: usize,
}

impl AioPool {
    /// Closes the pool, and ends it in this way. Waits until nothing is left of it.
    ///
    /// The pool stays closed; [`reopen`](Self::reopen) brings it back. A paused pool drains once it is resumed.
    ///
    /// # Panics
    ///
    /// Panics for a [`Deadline`](Shutdown::Deadline) if the runtime has no timer.
    ///
    /// # Cancel safety
    ///
    /// Dropped halfway, it leaves the pool closed, and what it has cancelled cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{AioPool, Shutdown};
    ///
    /// let pool = AioPool::new(1);
    /// let handles = pool.map_n(0..3, |_| std::future::pending::<()>());
    /// let report = pool.shutdown(Shutdown::CancelAll).await;
    /// assert_eq!((report.completed, report.cancelled), (0, 3));
    /// assert!(pool.spawn_n(async {}).await.unwrap_err().is_rejected());
    /// # });
    /// ```
    pub async fn shutdown(&self, how: Shutdown) -> ShutdownReport {
        let deadline = match how {
            Shutdown::Deadline(deadline) => Some(self.core().sleep(deadline)),
            Shutdown::Drain | Shutdown::CancelWaiting | Shutdown::CancelAll => None,
        };
        let before = self.stats();
        self.close();
        match how {
            Shutdown::Drain | Shutdown::Deadline(_) => {}
            Shutdown::CancelWaiting => self.cancel_waiting().await,
            Shutdown::CancelAll => _ = self.cancel_all().await,
        }
        if let Some(deadline) = deadline {
            let ending = self.join_or_cancel(deadline);
            match self.core().running_here() {
                // The deadline is seen without a permit, which others may keep for ever.
                Some(_) => lend(ending).await,
                None => ending.await,
            }
        }
        self.join().await;
        ShutdownReport::between(before, self.stats())
    }

    async fn cancel_waiting(&self) {
        self.core().stop(self.node(), Which::Waiting).await;
    }

    async fn join_or_cancel(&self, deadline: Sleep) {
        if let Either::Right(_) = select(pin!(self.join()), deadline).await {
            self.cancel_all().await;
        }
    }
}

impl ShutdownReport {
    fn between(before: Stats, after: Stats) -> Self {
        let ended = |stats: Stats| stats.completed + stats.panicked + stats.timed_out;
        Self {
            completed: (ended(after) - ended(before)) as usize,
            cancelled: (after.cancelled - before.cancelled) as usize,
        }
    }
}
