use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::runtime::Runtime;
use crate::gate::Standing;
use crate::task::{TaskId, TaskInfo, TaskState};

/// What is known of a task that is more than a future: named, ranked, timed, or of another runtime than most.
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) standing: Standing,
    /// `None` in a pool that is not timed.
    pub(super) submitted: Option<Instant>,
    pub(super) started: OnceLock<Instant>,
    runtime: OnceLock<Runtime>,
}

impl Detail {
    pub(super) fn new(name: Option<Cow<'static, str>>, standing: Standing, timed: bool) -> Self {
        let submitted = timed.then(Instant::now);
        Self {
            name,
            standing,
            submitted,
            started: OnceLock::new(),
            runtime: OnceLock::new(),
        }
    }

    /// The detail of a task that is a mere future, of this runtime.
    pub(super) fn of_runtime(runtime: Runtime) -> Self {
        let detail = Self::new(None, Standing::PLAIN, false);
        detail.set_runtime(runtime);
        detail
    }

    /// Notes where the task starts, once.
    pub(super) fn set_runtime(&self, runtime: Runtime) {
        self.runtime.get_or_init(|| runtime);
    }

    /// Returns where the task starts, if that is not the main runtime.
    pub(super) fn runtime(&self) -> Option<&Runtime> {
        self.runtime.get()
    }

    /// Notes that the task runs.
    pub(super) fn start(&self) {
        if self.submitted.is_some() {
            self.started.get_or_init(Instant::now);
        }
    }

    /// Returns whether the task has got its permit. Only known of one that is timed.
    pub(super) fn has_started(&self) -> bool {
        self.started.get().is_some()
    }

    fn waited(&self) -> Option<Duration> {
        let submitted = self.submitted?;
        let until = self.started.get().copied().unwrap_or_else(Instant::now);
        Some(until.saturating_duration_since(submitted))
    }

    fn running(&self) -> Option<Duration> {
        self.started.get().map(Instant::elapsed)
    }
}

/// A listing's line about a task.
pub(super) fn info(
    name: String,
    group: Option<&str>,
    id: TaskId,
    state: TaskState,
    detail: Option<&Detail>,
) -> TaskInfo {
    let standing = detail.map_or(Standing::PLAIN, |detail| detail.standing);
    TaskInfo {
        id,
        name,
        group: group.map(str::to_owned),
        state,
        priority: standing.priority,
        weight: standing.weight,
        waited: detail.and_then(Detail::waited),
        running: detail.and_then(Detail::running),
    }
}
