use std::sync::Arc;

use super::ended::Ended;
use super::scope::TaskScope;
use super::view::Submission;
use super::written::{Method, unwritten};
use crate::task::TaskInfo;

/// An observer of a pool, told when a task begins to wait, starts, and ends. It may also be entered around each poll.
///
/// The default of each method does nothing. When the pool has noticed that a method is the default, it stops calling
/// that method, and builds no [`TaskInfo`] for it. The methods are called by the thread that submits or runs the task,
/// with no lock held, and before the task's handle sees the event: they must be quick. A panic in a method is caught
/// and ignored.
///
/// A pool with an observer is [timed](crate::Builder::timed), for as long as the observer is told of waits, starts or ends.
/// To be told without the cost of a `TaskInfo`, and of times for listings, write only [`capture`](Self::capture).
///
/// # Which tasks are observed
///
/// All that have a [number](crate::TaskId): those of `spawn`, `spawn_n`, `try_spawn` and `exec`; of `task` with all
/// options, as one task with its `then` and its retries; of `map`, `itermap` and their kind, also over streams; each item
/// of a `feed`; blocking work; those of groups, of a `scope` and of a [`SimpleTaskPool`](crate::SimpleTaskPool). Code in
/// place, by [`run`](crate::AioPool::run) or [`acquire`](crate::AioPool::acquire), is no task, and is not observed: it
/// runs in the caller's own task, and in the spans of that.
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

    /// Called with the name of a pool and its size when the pool has been built, and when its size has changed: by
    /// [`resize`](crate::AioPool::resize), or because it is [adaptive](crate::Builder::adaptive). Not called for groups.
    ///
    /// After several changes at once, the last call has the last size.
    fn on_resize(&self, pool: &str, size: usize) {
        let _ = (pool, size);
        unwritten::<Self>(Method::Resize);
    }

    /// Called when a task is submitted, by the thread that submits it, before it has a number or stands in the queue.
    /// Returns what is entered around each poll of the task.
    ///
    /// It is called once for each task, and once for a [`feed`](crate::AioPool::feed), whose scope is then asked for an
    /// [`item`](TaskScope::item) for each of its tasks. A task without a scope, or whose `capture` panics, is told of to
    /// the other methods all the same.
    fn capture(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        let _ = task;
        unwritten::<Self>(Method::Capture);
        None
    }
}
