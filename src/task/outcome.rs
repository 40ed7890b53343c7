//! The outcomes of tasks.

use super::{Reason, Refusal};
use crate::unwind::Payload;

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
    Rejected(Refusal),
    Panicked(Payload),
}

/// The phase in which a task took too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Late {
    Waiting,
    Running,
}

/// A failure in one word. It is moved many times, and where very many tasks fail at once, they are stopped with their
/// pool.
#[derive(Debug)]
pub(crate) struct Packed(Option<Box<Failure>>);

impl Packed {
    /// Cancelled together with all tasks of a pool or group.
    pub(crate) const STOPPED: Self = Self(None);

    pub(crate) fn unpack(self) -> Failure {
        self.0
            .map_or(Failure::Cancelled(Reason::Stopped), |failure| *failure)
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
            Self::Cancelled(Reason::Stopped) => Packed::STOPPED,
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
