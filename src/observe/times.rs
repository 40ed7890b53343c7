use std::time::{Duration, Instant};

/// When a task that is observed was submitted, was polled for the first time, and ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskTimes {
    /// `None` if nothing is told of the times.
    submitted: Option<Instant>,
    started: Option<Instant>,
    ended: Option<Instant>,
}

impl TaskTimes {
    /// Returns the times of a task that is submitted at this time.
    #[inline]
    pub(crate) fn of_submission(now: Option<Instant>) -> Self {
        Self {
            submitted: now,
            started: None,
            ended: None,
        }
    }

    /// Notes that the task is about to be polled for the first time.
    pub(crate) fn start(&mut self, now: Instant) {
        self.started = Some(now);
    }

    /// Notes that the task has ended.
    pub(crate) fn end(&mut self, now: Instant) {
        self.ended = Some(now);
    }

    /// Returns how long the task has waited. `now` is asked only if the task still waits.
    pub(crate) fn waited(self, now: impl FnOnce() -> Instant) -> Duration {
        let until = self.started.or(self.ended).unwrap_or_else(now);
        let waited = |submitted| until.saturating_duration_since(submitted);
        self.submitted.map_or(Duration::ZERO, waited)
    }

    /// Returns how long the task has run. `now` is asked only if the task still runs.
    pub(crate) fn running(self, now: impl FnOnce() -> Instant) -> Option<Duration> {
        let started = self.started?;
        let until = self.ended.unwrap_or_else(now);
        Some(until.saturating_duration_since(started))
    }
}
