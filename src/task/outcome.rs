//! What became of a task.

use std::borrow::Cow;

use crate::unwind::Payload;

/// Why somebody stopped a task. Boxed, since few say so and every task has room for it.
pub(crate) type Reason = Option<Box<Cow<'static, str>>>;

/// What a task leaves to its handle.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    Value(T),
    Failed(Failure),
}

impl<T> Outcome<T> {
    pub(crate) fn panicked(payload: Payload) -> Self {
        Self::Failed(Failure::Panicked(Box::new(payload)))
    }

    pub(crate) fn end(&self) -> End {
        match self {
            Self::Value(_) => End::Completed,
            Self::Failed(failure) => failure.end(),
        }
    }
}

/// Why there is no value. Two words wide: it lies in every task that waits.
#[derive(Debug)]
pub(crate) enum Failure {
    Cancelled(Reason),
    TimedOut,
    Rejected(Rejection),
    Panicked(Box<Payload>),
}

impl Failure {
    fn end(&self) -> End {
        match self {
            Self::Cancelled(_) => End::Cancelled,
            Self::TimedOut => End::TimedOut,
            Self::Rejected(_) => End::Rejected,
            Self::Panicked(_) => End::Panicked,
        }
    }
}

/// Why a task never ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rejection {
    Closed,
    QueueFull,
    TooHeavy,
    RuntimeGone,
}

impl Rejection {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "the pool is closed",
            Self::QueueFull => "the queue is full",
            Self::TooHeavy => "it weighs more than the pool has permits",
            Self::RuntimeGone => "its runtime is gone, or there was none",
        }
    }
}

/// An outcome as the counters see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Completed,
    Panicked,
    Cancelled,
    TimedOut,
    Rejected,
    /// What ended was no task.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_adds_nothing_to_a_waiting_task() {
        assert_eq!(size_of::<Failure>(), 16);
        assert_eq!(size_of::<Outcome<()>>(), 16);
    }
}
