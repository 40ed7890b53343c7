use std::time::Duration;

use serde_json::Value;

use crate::TaskState;

/// A command with its arguments, as a client has sent it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Call {
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
        /// Lists only tasks in this state.
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

/// A command to start registered work as a group of tasks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Begin {
    /// Name of the command. The name of the group begins with it.
    pub(crate) verb: &'static str,
    pub(crate) function: String,
    pub(crate) inputs: Inputs,
    pub(crate) group: Option<String>,
    pub(crate) on_end: Option<String>,
    pub(crate) on_cancel: Option<String>,
}

/// The inputs of the tasks of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Inputs {
    /// `count` tasks with the same input.
    Copies { count: i64, input: Value },
    /// One task for each item, at most `at_once` of them active at the same time.
    Each { items: Vec<Value>, at_once: i64 },
}

impl Call {
    /// Returns `true` if the call only waits. Such a call ends when its client has gone, as it has no other effect.
    pub(crate) fn only_waits(&self) -> bool {
        matches!(self, Self::UntilClosed)
    }

    /// Returns `true` if the call changes nothing, so that a read-only server accepts it.
    pub(crate) fn only_reads(&self) -> bool {
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
