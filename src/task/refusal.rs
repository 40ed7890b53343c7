use std::fmt;

/// The reason why a pool does not accept a task, or why an accepted task never ran.
///
/// Returned by [`TrySpawnError::reason`](crate::TrySpawnError::reason) and [`JoinError::refusal`](crate::JoinError::refusal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no room for the task. Later there may be.
    Full,
    /// The pool is closed, or the group, or a group around it.
    Closed,
    /// The task weighs more than the pool or a group around it has permits. At this size it can never run.
    TooHeavy,
    /// The runtime of the task has ended, or had refused it.
    RuntimeGone,
}

impl Refusal {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Full => "the pool is full",
            Self::Closed => "the pool is closed",
            Self::TooHeavy => "it weighs more than the pool has permits",
            Self::RuntimeGone => "its runtime is gone, or there was none",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
