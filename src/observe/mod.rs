//! Being told what a pool does.

mod watcher;

pub(crate) use self::watcher::Watcher;
use self::watcher::{Method, unwritten};
use crate::task::{End, TaskInfo};

/// Told when a task begins to wait, starts, and ends.
///
/// Every method does nothing unless it is written. For a method that is not written, no task is described, once its
/// first call has told. They are called by whoever
/// submits or runs the task, with no lock held, and before the task's handle
/// learns of it: be quick. A panic in one is caught, and ignored.
///
/// A pool with an observer takes the time of its tasks
/// (see [`Builder::timed`](crate::Builder::timed)).
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
    /// A task has been submitted, and there was no permit for it.
    fn on_wait(&self, task: &TaskInfo) {
        let _ = task;
        unwritten::<Self>(Method::Wait);
    }

    /// A task has got its permit.
    fn on_start(&self, task: &TaskInfo) {
        let _ = task;
        unwritten::<Self>(Method::Start);
    }

    /// A task has ended, in this way. Its future has been dropped.
    fn on_end(&self, task: &TaskInfo, ended: Ended) {
        let _ = (task, ended);
        unwritten::<Self>(Method::End);
    }
}

/// In which way a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// With a value.
    Completed,
    /// It panicked.
    Panicked,
    /// It was stopped.
    Cancelled,
    /// Its time was over.
    TimedOut,
    /// It never ran.
    Rejected,
}

impl From<End> for Ended {
    fn from(end: End) -> Self {
        match end {
            End::Completed => Self::Completed,
            End::Panicked => Self::Panicked,
            End::Cancelled => Self::Cancelled,
            End::TimedOut => Self::TimedOut,
            End::Rejected | End::Nothing => Self::Rejected,
        }
    }
}
