use std::borrow::Cow;

/// What cancelled a task. Returned by [`JoinError::cancel_cause`](crate::JoinError::cancel_cause).
///
/// The first request to stop decides. A task that nobody can await any more, since its `spawn` or `exec` or its
/// [`AbortOnDrop`](crate::AbortOnDrop) was dropped, has no [`JoinError`](crate::JoinError), and so no cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelCause {
    /// The task itself was asked to stop: by its handle, by its number, or with its feed.
    Aborted,
    /// All tasks of its pool or group were stopped: by [`cancel_all`](crate::AioPool::cancel_all),
    /// [`abort_all`](crate::AioPool::abort_all) or [`shutdown`](crate::AioPool::shutdown).
    Stopped,
    /// The runtime ended, or dropped the task.
    RuntimeEnded,
}

/// What cancelled a task, with the words of the caller, if there are any. These are boxed, since few aborts have them.
#[derive(Debug, Default)]
pub(crate) enum Reason {
    Aborted,
    Explained(Box<Cow<'static, str>>),
    #[default]
    Stopped,
    RuntimeEnded,
}

impl Reason {
    pub(crate) fn explained(words: impl Into<Cow<'static, str>>) -> Self {
        Self::Explained(Box::new(words.into()))
    }

    pub(crate) fn cause(&self) -> CancelCause {
        match self {
            Self::Aborted | Self::Explained(_) => CancelCause::Aborted,
            Self::Stopped => CancelCause::Stopped,
            Self::RuntimeEnded => CancelCause::RuntimeEnded,
        }
    }

    pub(crate) fn words(&self) -> Option<&str> {
        match self {
            Self::Aborted | Self::Stopped => None,
            Self::Explained(words) => Some(words),
            Self::RuntimeEnded => Some("its runtime has ended, or has dropped it"),
        }
    }
}
