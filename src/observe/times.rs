use std::time::{Duration, Instant};

/// When a task that is observed was submitted, got its permit, and ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskTimes {
    submitted: Instant,
    started: Option<Instant>,
    ended: Option<Instant>,
}

impl TaskTimes {
    /// Returns the times of a task that is submitted now.
    #[inline]
    pub(crate) fn now() -> Self {
        Self {
            submitted: Instant::now(),
            started: None,
            ended: None,
        }
    }

    /// Notes that the task has got its permit. Only the first call counts.
    pub(crate) fn start(&mut self) {
        self.started.get_or_insert_with(Instant::now);
    }

    /// Notes that the task has ended.
    pub(crate) fn end(&mut self) {
        self.ended = Some(Instant::now());
    }

    pub(crate) fn waited(self) -> Duration {
        let until = self.started.or(self.ended).unwrap_or_else(Instant::now);
        until.saturating_duration_since(self.submitted)
    }

    pub(crate) fn running(self) -> Option<Duration> {
        let started = self.started?;
        let until = self.ended.unwrap_or_else(Instant::now);
        Some(until.saturating_duration_since(started))
    }
}
