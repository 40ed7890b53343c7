//! The outcomes of tasks.

use std::borrow::Cow;

use crate::unwind::Payload;

/// The reason that was given for an abort. It is boxed, since few aborts have one but every task has room for it.
pub(crate) type Reason = Option<Box<Cow<'static, str>>>;

/// The outcome of a task, as it is left to the handle.
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

/// The reason why a task has no value.
#[derive(Debug)]
pub(crate) enum Failure {
    Cancelled(Reason),
    TimedOut(Late),
    Rejected(Rejection),
    Panicked(Payload),
}

/// The phase in which a task took too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Late {
    Waiting,
    Running,
}

/// A failure in one word. It is moved many times, and most tasks that fail are cancelled without a reason.
#[derive(Debug)]
pub(crate) struct Packed(Option<Box<Failure>>);

impl Packed {
    /// Cancelled without a reason.
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

    /// The failure of a task that has run, and that its runtime does not poll any more. `reason` is that of an abort, if
    /// there was one.
    pub(crate) fn left_by_runtime(reason: Reason) -> Self {
        let ended = || Some(Box::new("its runtime has ended, or has dropped it".into()));
        Self::Cancelled(reason.or_else(ended))
    }

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

/// The reason why a task never ran.
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

/// An outcome as the counters distinguish it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Completed,
    Panicked,
    Cancelled,
    TimedOut,
    Rejected,
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
