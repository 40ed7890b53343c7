use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::pool::lifecycle::sweep::Which;
use crate::pool::{AioPool, Stats, lend};
use crate::task::{PoolRef, Sleep};

/// The way in which a pool ends.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Shutdown {
    /// Run all submitted tasks to their end.
    Drain,
    /// Cancel the waiting tasks, and run the active ones to their end.
    CancelWaiting,
    /// Cancel all tasks.
    CancelAll,
    /// Let the submitted tasks run for this long, then cancel the rest.
    Deadline(Duration),
    /// Cancel the waiting tasks, and let the active ones run for this long, then cancel the rest.
    Grace(Duration),
}

/// The counts of the tasks that ended during a [`shutdown`](AioPool::shutdown).
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Number of tasks that ended by themselves: with a value, a panic, or a timeout.
    pub completed: usize,
    /// Number of tasks that were cancelled.
    pub cancelled: usize,
}

impl AioPool {
    /// Closes the pool, and ends its tasks in the way that `how` says. Waits until all of them have ended.
    ///
    /// The pool stays closed until it is [reopened](Self::reopen). A paused pool does not drain before it is resumed.
    ///
    /// # Panics
    ///
    /// Panics if `how` is a [`Deadline`](Shutdown::Deadline) or a [`Grace`](Shutdown::Grace) and the runtime has no
    /// timer.
    ///
    /// # Cancel safety
    ///
    /// If this future is dropped before its end, the pool stays closed, and the tasks that it has cancelled stay
    /// cancelled.
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
        // Made first: it panics without a timer, and then the pool must not have been closed.
        let deadline = match how {
            Shutdown::Deadline(patience) | Shutdown::Grace(patience) => {
                Some(self.core().sleep(patience))
            }
            Shutdown::Drain | Shutdown::CancelWaiting | Shutdown::CancelAll => None,
        };
        let before = self.stats();
        self.close();
        match how {
            Shutdown::Drain | Shutdown::Deadline(_) => {}
            Shutdown::CancelWaiting | Shutdown::Grace(_) => self.cancel_waiting().await,
            Shutdown::CancelAll => _ = self.cancel_all().await,
        }
        if let Some(deadline) = deadline {
            let ending = self.join_or_cancel(deadline);
            self.lend_if_inside(ending).await;
        }
        self.join().await;
        ShutdownReport::between(before, self.stats())
    }

    /// Waits for `signal`, then shuts the pool down: closes it, cancels the waiting tasks, and lets the active ones run
    /// for `patience`, after which it cancels the rest. See [`Shutdown::Grace`].
    ///
    /// The signal is any future: of `ctrl_c`, of SIGTERM, of a `CancellationToken`. Its output is dropped, so that one
    /// that ends with an error is a signal, too.
    ///
    /// A task of this pool, or of a pool around it, that awaits this lends its permit meanwhile, from the wait for the
    /// signal on. A task of this pool itself is cancelled with the rest when `patience` is over, and gets no report.
    ///
    /// # Panics
    ///
    /// Panics at once if the runtime has no timer. A panic of `signal` is passed on, and leaves the pool as it was.
    ///
    /// # Cancel safety
    ///
    /// If this future is dropped before the signal, the pool stays as it was, and nobody waits for the signal any more.
    /// Dropped later, it leaves what a dropped [`shutdown`](Self::shutdown) leaves: the pool stays closed, and the tasks
    /// that it has cancelled stay cancelled. The others run on, whatever `patience` was.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(1);
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let _active = pool.spawn(std::future::pending::<()>()).await;
    /// let waiting = pool.spawn_n(async {});
    ///
    /// stop.send(()).unwrap();
    /// let report = pool.shutdown_on(stopped, Duration::from_millis(1)).await;
    /// assert_eq!((report.completed, report.cancelled), (0, 2));
    /// assert!(pool.is_closed() && waiting.is_finished());
    /// # });
    /// ```
    pub async fn shutdown_on(&self, signal: impl Future, patience: Duration) -> ShutdownReport {
        // Panics without a timer now, rather than in the moment of the signal.
        self.core().check_timer();
        let ending = async {
            signal.await;
            self.shutdown(Shutdown::Grace(patience)).await
        };
        self.lend_if_inside(ending).await
    }

    /// Awaits `future`, in a task of this pool without its permit: otherwise the future notices its signal or deadline
    /// only with a permit, which other tasks may keep for ever.
    async fn lend_if_inside<F: Future>(&self, future: F) -> F::Output {
        if self.core().is_inside() {
            lend(future).await
        } else {
            future.await
        }
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
