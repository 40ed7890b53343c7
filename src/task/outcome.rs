//! What became of a task.

use std::borrow::Cow;

use crate::unwind::Payload;

/// Why somebody stopped a task. Boxed, since few say so and every task has room for it.
pub(crate) type Reason = Option<Box<Cow<'static, str>>>;

/// What a task leaves to its handle.
#[derive(Debug)]
pub(crate) enum Outcome<T> {
    Value(T),
    Failed(Packed),
}

impl<T> Outcome<T> {
    pub(crate) fn panicked(payload: Payload) -> Self {
        Self::Failed(Failure::Panicked(payload).pack())
    }

    pub(crate) fn end(&self) -> End {
        match self {
            Self::Value(_) => End::Completed,
            Self::Failed(failure) => failure.end(),
        }
    }
}

/// Why there is no value.
#[derive(Debug)]
pub(crate) enum Failure {
    Cancelled(Reason),
    TimedOut(Late),
    Rejected(Rejection),
    Panicked(Payload),
}

/// What a task took too long for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Late {
    Waiting,
    Running,
}

/// A failure in one word, since it is handed on many times: most tasks that fail are just cancelled.
#[derive(Debug)]
pub(crate) struct Packed(Option<Box<Failure>>);

impl Packed {
    /// Cancelled by somebody who did not say why.
    pub(crate) const CANCELLED: Self = Self(None);

    pub(crate) fn unpack(self) -> Failure {
        self.0.map_or(Failure::Cancelled(None), |failure| *failure)
    }

    pub(crate) fn end(&self) -> End {
        self.0.as_deref().map_or(End::Cancelled, Failure::end)
    }
}

impl Failure {
    pub(crate) const WAITED_TOO_LONG: Self = Self::TimedOut(Late::Waiting);
    pub(crate) const RAN_TOO_LONG: Self = Self::TimedOut(Late::Running);

    pub(crate) fn pack(self) -> Packed {
        match self {
            Self::Cancelled(None) => Packed(None),
            failure => Packed(Some(Box::new(failure))),
        }
    }

    fn end(&self) -> End {
        match self {
            Self::Cancelled(_) => End::Cancelled,
            Self::TimedOut(_) => End::TimedOut,
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
        assert_eq!(size_of::<Packed>(), 8);
        assert_eq!(size_of::<Outcome<()>>(), 16);
    }
}
