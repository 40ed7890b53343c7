use crate::task::End;

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

impl Ended {
    /// Returns the name of the outcome, as `"timed_out"`: those of the counters in [`Stats`](crate::Stats).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::Rejected => "rejected",
        }
    }
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
