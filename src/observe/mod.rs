//! Observers, which a pool tells what its tasks do.

mod watcher;

pub(crate) use self::watcher::Watcher;
use self::watcher::{Method, unwritten};
use crate::task::{End, TaskInfo};

/// An observer of a pool, told when a task begins to wait, starts, and ends.
///
/// The default of each method does nothing. When the pool has noticed that a method is the default, it stops calling
/// that method, and builds no [`TaskInfo`] for it. The methods are called by the thread that submits or runs the task,
/// with no lock held, and before the task's handle sees the event: they must be quick. A panic in a method is caught
/// and ignored.
///
/// A pool with an observer measures the times of its tasks (see [`Builder::timed`](crate::Builder::timed)).
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use aiopool::{AioPool, Ended, Observer, TaskInfo};
///
/// struct Failures(Arc<AtomicUsize>);
///
/// impl Observer for Failures {
///     fn on_end(&self, task: &TaskInfo, ended: Ended) {
///         if ended != Ended::Completed {
///             eprintln!("{} ended badly: {ended:?}", task.name);
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let failures = Arc::new(AtomicUsize::new(0));
/// let pool = AioPool::builder().observer(Failures(failures.clone())).build().unwrap();
/// pool.exec(async {}).await.unwrap();
/// pool.exec(async { panic!("oh") }).await.unwrap_err();
/// assert_eq!(failures.load(Ordering::Relaxed), 1);
/// # });
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Called when a task has been submitted and there is no permit for it.
    fn on_wait(&self, task: &TaskInfo) {
        let _ = task;
        unwritten::<Self>(Method::Wait);
    }

    /// Called when a task has got its permit, right before its first poll.
    fn on_start(&self, task: &TaskInfo) {
        let _ = task;
        unwritten::<Self>(Method::Start);
    }

    /// Called when a task has ended, with the way in which it ended. Its future has been dropped.
    fn on_end(&self, task: &TaskInfo, ended: Ended) {
        let _ = (task, ended);
        unwritten::<Self>(Method::End);
    }
}

/// The way in which a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The task has a value.
    Completed,
    /// The task panicked.
    Panicked,
    /// The task was aborted, or its runtime dropped it.
    Cancelled,
    /// The task's time to wait or to run was over.
    TimedOut,
    /// The task never ran.
    Rejected,
}

impl From<End> for Ended {
    fn from(end: End) -> Self {
        match end {
            End::Completed => Self::Completed,
            End::Panicked => Self::Panicked,
            End::Cancelled => Self::Cancelled,
            End::TimedOut => Self::TimedOut,
            End::Rejected => Self::Rejected,
        }
    }
}
