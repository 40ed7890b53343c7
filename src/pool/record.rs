use std::sync::Arc;
use std::time::{Duration, Instant};

use super::runtime::Runtime;
use crate::gate::Standing;
use crate::task::{Origin, TaskId, TaskInfo, TaskState};

/// What the pool knows of a task, if that is more than its place in the queue.
#[derive(Debug, Default)]
pub(super) struct TaskRecord {
    /// The label of a task that has a name of its own.
    pub(super) label: Option<Arc<Origin>>,
    pub(super) times: Times,
    /// The runtime that the task starts on, if that is not the main one.
    pub(super) runtime: Option<Runtime>,
}

/// When a task was submitted, and when it got its permit. Both are `None` in a pool that is not timed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    submitted: Option<Instant>,
    started: Option<Instant>,
}

impl TaskRecord {
    /// Returns the record of a task that is a mere future, submitted from another runtime than the main one.
    pub(super) fn of_runtime(runtime: Option<Runtime>) -> Option<Self> {
        runtime.map(|runtime| Self {
            runtime: Some(runtime),
            ..Self::default()
        })
    }

    /// Returns whether there is nothing to know.
    pub(super) fn is_empty(&self) -> bool {
        self.label.is_none() && self.times.submitted.is_none() && self.runtime.is_none()
    }
}

impl Times {
    /// Returns the times of a task that is submitted now, to a pool that may be timed.
    pub(super) fn new(timed: bool) -> Self {
        Self {
            submitted: timed.then(Instant::now),
            started: None,
        }
    }

    /// Notes that the task has got its permit.
    #[inline]
    pub(super) fn start(&mut self) {
        if self.submitted.is_some() {
            self.started.get_or_insert_with(Instant::now);
        }
    }

    fn waited(self) -> Option<Duration> {
        let submitted = self.submitted?;
        let until = self.started.unwrap_or_else(Instant::now);
        Some(until.saturating_duration_since(submitted))
    }

    fn running(self) -> Option<Duration> {
        self.started.map(|started| started.elapsed())
    }
}

/// Describes a task for a listing.
pub(super) fn info(
    id: TaskId,
    name: String,
    group: Option<&str>,
    state: TaskState,
    standing: Standing,
    times: Times,
) -> TaskInfo {
    TaskInfo {
        id,
        name,
        group: group.map(str::to_owned),
        state,
        priority: standing.priority,
        weight: standing.weight,
        waited: times.waited(),
        running: times.running(),
    }
}
