/// The condition under which enough results are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnWhen {
    /// At least one result is there. Gives all results that are there then.
    FirstCompleted,
    /// A result is a [`JoinError`](crate::JoinError), or all results are there.
    FirstError,
    /// All results are there.
    AllCompleted,
}

impl ReturnWhen {
    /// Returns `true` if these results are enough, where more may come.
    pub(super) fn is_met(self, has_some: bool, has_failed: bool) -> bool {
        match self {
            Self::FirstCompleted => has_some,
            Self::FirstError => has_failed,
            Self::AllCompleted => false,
        }
    }
}
