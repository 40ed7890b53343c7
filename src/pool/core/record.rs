use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::gate::Demand;
use crate::pool::core::runtime::Runtime;
use crate::task::{TaskId, TaskInfo, TaskLabel, TaskState};

/// What the pool records of a task beyond its queue entry. Tasks for which there is nothing to record have none.
#[derive(Debug, Default)]
pub(crate) struct TaskRecord {
    /// The label of a task that has a name or a tag of its own.
    pub(crate) label: Option<Arc<TaskLabel>>,
    pub(crate) times: Times,
    /// The runtime that the task starts on, if it is not the main one.
    pub(crate) runtime: Option<Runtime>,
}

/// The time when a task was submitted, and the time when it got its permit. Both are `None` in a pool that is not
/// timed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    submitted: Option<Moment>,
    started: Option<Moment>,
}

/// A time in half the size of an [`Instant`], because many waiting tasks carry two of them.
#[derive(Clone, Copy, Debug)]
struct Moment(NonZeroU64);

impl Moment {
    fn now() -> Self {
        // Nanoseconds since the first call, plus one so that it is not zero: enough for 500 years.
        static FIRST: OnceLock<Instant> = OnceLock::new();
        let first = FIRST.get_or_init(Instant::now);
        let nanoseconds = u64::try_from(first.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Self(NonZeroU64::MIN.saturating_add(nanoseconds))
    }

    fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }
}

impl TaskRecord {
    /// Returns the record of a task without options that is submitted from another runtime than the main one.
    pub(crate) fn of_runtime(runtime: Option<Runtime>) -> Option<Self> {
        runtime.map(|runtime| Self {
            runtime: Some(runtime),
            ..Self::default()
        })
    }

    /// Returns the record of a task without options that is submitted now to a timed pool.
    pub(crate) fn of_now() -> Self {
        Self {
            times: Times::new(true),
            ..Self::default()
        }
    }

    /// Returns `true` if there is nothing to record.
    pub(crate) fn is_empty(&self) -> bool {
        self.label.is_none() && self.times.submitted.is_none() && self.runtime.is_none()
    }
}

impl Times {
    /// Returns the times of a task that is submitted now, to a pool that may be timed.
    pub(crate) fn new(timed: bool) -> Self {
        Self {
            submitted: timed.then(Moment::now),
            started: None,
        }
    }

    /// Notes that the task has got its permit. Only the first call counts.
    #[inline]
    pub(crate) fn start(&mut self) {
        if self.submitted.is_some() {
            self.started.get_or_insert_with(Moment::now);
        }
    }

    fn waited(self) -> Option<Duration> {
        let submitted = self.submitted?;
        Some(self.started.unwrap_or_else(Moment::now).since(submitted))
    }

    pub(crate) fn running(self) -> Option<Duration> {
        self.started.map(|started| Moment::now().since(started))
    }
}

/// Describes a task for a listing, without its tag.
pub(crate) fn info(
    id: TaskId,
    name: String,
    group: Option<&str>,
    state: TaskState,
    demand: Demand,
    times: Times,
) -> TaskInfo {
    TaskInfo {
        id,
        name,
        group: group.map(str::to_owned),
        state,
        priority: demand.priority,
        weight: demand.weight,
        waited: times.waited(),
        running: times.running(),
        tag: None,
    }
}
