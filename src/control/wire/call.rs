use std::time::Duration;

use serde_json::Value;

use crate::TaskState;

/// A command with its arguments: what a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::control) enum Call {
    PoolSize(Option<i64>),
    IsFull,
    IsLocked,
    NumRunning,
    NumCancelled,
    NumEnded,
    GroupIds(Vec<String>),
    UntilClosed,
    Lock,
    Unlock,
    Cancel(Vec<i64>),
    CancelGroup(String),
    CancelAll,
    Flush,
    GatherAndClose,
    FuncName,
    Functions,
    Start(i64),
    Stop(i64),
    StopAll,
    Begin(Begin),
    Resize {
        size: i64,
        group: Option<String>,
    },
    Pause(Option<String>),
    Resume(Option<String>),
    Stats(Option<String>),
    Tasks {
        group: Option<String>,
        /// Only those in this state.
        state: Option<TaskState>,
        most: usize,
    },
    Groups {
        most: usize,
    },
    Watch {
        group: Option<String>,
        every: Duration,
    },
    Help(Option<&'static str>),
}

/// Registered work that is to be started as a group.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::control) struct Begin {
    /// The command, after which the group is named.
    pub(in crate::control) verb: &'static str,
    pub(in crate::control) function: String,
    pub(in crate::control) inputs: Inputs,
    pub(in crate::control) group: Option<String>,
    pub(in crate::control) on_end: Option<String>,
    pub(in crate::control) on_cancel: Option<String>,
}

/// What a group of tasks is given.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::control) enum Inputs {
    /// The same, so many times.
    Copies { count: i64, input: Value },
    /// One each, with so many at once.
    Each { items: Vec<Value>, at_once: i64 },
}

impl Call {
    /// Whether it does nothing but wait: nobody needs it to go on for a client that has gone.
    pub(in crate::control) fn only_waits(&self) -> bool {
        matches!(self, Self::UntilClosed)
    }

    /// Whether it changes nothing.
    pub(in crate::control) fn only_looks(&self) -> bool {
        match self {
            Self::PoolSize(size) => size.is_none(),
            Self::IsFull
            | Self::IsLocked
            | Self::NumRunning
            | Self::NumCancelled
            | Self::NumEnded
            | Self::GroupIds(_)
            | Self::UntilClosed
            | Self::FuncName
            | Self::Functions
            | Self::Stats(_)
            | Self::Tasks { .. }
            | Self::Groups { .. }
            | Self::Watch { .. }
            | Self::Help(_) => true,
            Self::Lock
            | Self::Unlock
            | Self::Cancel(_)
            | Self::CancelGroup(_)
            | Self::CancelAll
            | Self::Flush
            | Self::GatherAndClose
            | Self::Start(_)
            | Self::Stop(_)
            | Self::StopAll
            | Self::Begin(_)
            | Self::Resize { .. }
            | Self::Pause(_)
            | Self::Resume(_) => false,
        }
    }
}
