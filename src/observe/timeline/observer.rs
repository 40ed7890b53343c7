use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::event::Totals;
use super::recorder::Recorder;
use super::scope::TimedTask;
use crate::AioPool;
use crate::observe::{Observer, Submission, TaskScope};

/// The limit on the size of a trace, if [`TimelineObserver::limit`] sets no other.
const DEFAULT_LIMIT: u64 = 128 * 1024 * 1024;

/// An observer that writes a run of a pool as a trace in Chrome's format. Needs the feature `timeline`.
///
/// The file opens in Perfetto. `aiopool timeline run.json > run.html` makes a page of it, which
/// needs nothing else. Each pool is a process with these rows:
///
/// | row | what it shows |
/// |---|---|
/// | `permit 1`, `permit 2` … | the tasks that hold a permit. A task takes the lowest free row, and as many rows as its weight is, at most 16 |
/// | `lent 1`, `lent 2` … | the tasks that have started and have lent their permits |
/// | `queue` | a mark for each task that ended without a start |
///
/// The curves `tasks` and `group NAME` are the numbers of tasks that wait, hold permits (`active`) and have lent them; a burst
/// of changes becomes one point for each millisecond. The curve `size` is that of the pool.
///
/// A task waits until its first poll: one that has its permit, and whose thread comes late, is not in a row yet.
///
/// Each task has its `id`, `group`, `priority` and `weight` as arguments, and how long it `waited_us` from the submission to the
/// start. Its last event has also how long it `ran_us`, and the `outcome`, as [`Ended::as_str`](crate::Ended::as_str) or
/// `unfinished`. Times are by the real clock, not by that of a runtime. As for any observer, code in place by
/// [`run`](AioPool::run) or [`acquire`](AioPool::acquire) is no task.
///
/// # How it ends
///
/// Clones write the same trace. [`finish`](Self::finish) ends it, and reports an error of the writer. When the last clone is
/// dropped (the pool has one), that ends the trace too, waits for it, and ignores the error. Without an end, as after a crash,
/// the file lacks its last second and the closing bracket, which the format allows.
///
/// # What it takes
///
/// Some allocations, and about 200 to 500 bytes of the file, for each task: one that does nothing takes several times as long,
/// and one that waits for a network or a disk does not notice. A thread of its own writes the file, so that a slow disk holds
/// no task up: it is at most 16 MiB behind, and events beyond that are left out and counted. The trace ends at its
/// [`limit`](Self::limit). Besides that, the observer keeps what it shows of the tasks that have not ended.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use aiopool::{AioPool, TimelineObserver};
///
/// # let dir = std::env::temp_dir().join(format!("aiopool-timeline-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir).unwrap();
/// # let path = dir.join("run.json");
/// let timeline = TimelineObserver::create(&path).unwrap();
/// let pool = AioPool::builder().size(4).observer(timeline.clone()).build().unwrap();
/// pool.map(0..100, |n| async move { n * n }).await;
///
/// let report = timeline.finish().unwrap();
/// assert_eq!((report.tasks, report.left_out), (100, 0));
/// # std::fs::remove_dir_all(&dir).unwrap();
/// # });
/// ```
#[derive(Clone)]
pub struct TimelineObserver(Arc<Trace>);

/// The account of a trace. Returned by [`TimelineObserver::finish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelineReport {
    /// The number of tasks whose end is in the trace.
    pub tasks: u64,
    /// The number of tasks that had started, and had not ended yet.
    pub unfinished: u64,
    /// The number of tasks whose end is not in the trace: it had reached its limit, or the writer was too slow.
    pub left_out: u64,
}

impl TimelineObserver {
    /// Makes an observer that writes to a new file, or over an old one.
    ///
    /// # Errors
    ///
    /// Those of [`File::create`], and of the spawn of a thread.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::new(File::create(path)?)
    }

    /// Makes an observer that writes to `writer`, from a thread of its own and in large pieces: a buffer around it gains
    /// nothing.
    ///
    /// A writer that fails loses the trace, and no task: the error is that of [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// The thread cannot be spawned.
    pub fn new(writer: impl Write + Send + 'static) -> io::Result<Self> {
        let recorder = Arc::new(Recorder::new(writer, DEFAULT_LIMIT)?);
        Ok(Self(Arc::new(Trace(recorder))))
    }

    /// Sets the greatest size of the trace in bytes, but for some hundred bytes at its end. It is 128 MiB by default.
    ///
    /// A mark in the trace says where it is cut, and the last event how many tasks and events were left out.
    #[must_use = "it returns the observer"]
    pub fn limit(self, bytes: u64) -> Self {
        self.0.0.set_limit(bytes);
        self
    }

    /// Ends the trace, and waits until it is written. Tasks that have not ended are shown up to now.
    ///
    /// It blocks the thread for as long as the writer takes. The pool may go on; nothing more is written.
    ///
    /// # Errors
    ///
    /// The writer has failed, now or before. Or the trace has been ended before, or is being ended by another thread.
    pub fn finish(&self) -> io::Result<TimelineReport> {
        let ended = || io::Error::other("the timeline has been finished before");
        let totals = self.0.0.finish().unwrap_or_else(|| Err(ended()))?;
        Ok(TimelineReport::from(totals))
    }
}

/// What the clones share. The scopes of tasks do not count: they may outlive the trace.
struct Trace(Arc<Recorder>);

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = self.0.finish();
    }
}

impl Observer for TimelineObserver {
    fn on_resize(&self, pool: &str, size: usize) {
        self.0.0.change(|state, now| {
            let pool = state.pool(pool);
            // A line at the greatest number there is would press all others flat.
            if size < AioPool::UNBOUNDED {
                state.resize(now, pool, size);
            }
        });
    }

    fn capture(&self, task: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
        let recorder = &self.0.0;
        let pool = recorder.change(|state, _| state.pool(task.pool()))?;
        Some(Arc::new(TimedTask::new(recorder.clone(), pool)))
    }
}

impl From<Totals> for TimelineReport {
    fn from(totals: Totals) -> Self {
        Self {
            tasks: totals.tasks,
            unfinished: totals.unfinished,
            left_out: totals.left_out_tasks,
        }
    }
}

impl fmt::Debug for TimelineObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimelineObserver").finish_non_exhaustive()
    }
}
