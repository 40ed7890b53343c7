use std::time::Duration;

use serde_json::Value;

use crate::TaskState;

/// A command with its arguments.
///
/// Its `Display` form is the line that a client sends. A client that is written in Rust gives commands to
/// [`Client::run`](crate::control::Client::run). The server checks numbers, so they may be anything here.
///
/// # Examples
///
/// ```
/// use aiopool::control::protocol::Command;
///
/// let resize = Command::Resize { size: 20, group: Some("my group".into()) };
/// assert_eq!(resize.to_string(), r#"resize "--group-name=my group" 20"#);
/// assert_eq!(Command::Cancel(vec![1, 2]).to_string(), "cancel 1 2");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// `pool-size`: returns the size of the pool, or changes it.
    PoolSize(Option<i64>),
    /// `is-full`
    IsFull,
    /// `is-locked`
    IsLocked,
    /// `num-running`
    NumRunning,
    /// `num-cancelled`
    NumCancelled,
    /// `num-ended`
    NumEnded,
    /// `get-group-ids`, of the groups with these names.
    GroupIds(Vec<String>),
    /// `until-closed`: the reply comes when the pool is closed and empty.
    UntilClosed,
    /// `lock`
    Lock,
    /// `unlock`
    Unlock,
    /// `cancel`: stops the tasks with these numbers.
    Cancel(Vec<i64>),
    /// `cancel-group`: stops the tasks of the group with this name.
    CancelGroup(String),
    /// `cancel-all`
    CancelAll,
    /// `flush`
    Flush,
    /// `gather-and-close`: the reply comes when the pool is closed and empty.
    GatherAndClose,
    /// `func-name`
    FuncName,
    /// `functions`
    Functions,
    /// `start`: starts this many copies of the function.
    Start(i64),
    /// `stop`: stops this many copies of the function.
    Stop(i64),
    /// `stop-all`
    StopAll,
    /// `apply`, `map`, `starmap` or `doublestarmap`
    Launch(Launch),
    /// `resize`
    Resize {
        /// The new size.
        size: i64,
        /// The group to be resized; the whole pool without it.
        group: Option<String>,
    },
    /// `pause`, of this group or of the whole pool.
    Pause(Option<String>),
    /// `resume`, of this group or of the whole pool.
    Resume(Option<String>),
    /// `stats`, of this group or of the whole pool.
    Stats(Option<String>),
    /// `tasks`
    Tasks {
        /// Lists only tasks of this group.
        group: Option<String>,
        /// Lists only tasks in this state.
        state: Option<TaskState>,
        /// Maximum number of tasks in the list.
        most: usize,
    },
    /// `groups`
    Groups {
        /// Maximum number of groups in the list.
        most: usize,
    },
    /// `tree`
    Tree {
        /// Maximum number of groups in the tree.
        most: usize,
    },
    /// `times`
    Times {
        /// Looks only at tasks of this group.
        group: Option<String>,
        /// Maximum number of tasks in each of the two lists.
        most: usize,
    },
    /// `watch`: the server replies again and again, until the next line.
    Watch {
        /// The group to be watched; the whole pool without it.
        group: Option<String>,
        /// Time between two replies.
        every: Duration,
    },
    /// `-h`: the help of the command with this name, or the list of all commands.
    Help(Option<String>),
}

/// A command to start registered work as a group of tasks.
///
/// # Examples
///
/// ```
/// use aiopool::control::protocol::{Command, Inputs, ItemKind, Launch};
/// use serde_json::json;
///
/// let inputs = Inputs::Each {
///     kind: ItemKind::Value,
///     items: vec![json!("a.png"), json!("b.png")],
///     at_once: 4,
/// };
/// let launch = Launch {
///     function: "resize-image".into(),
///     inputs,
///     group: None,
///     on_end: None,
///     on_cancel: None,
/// };
/// let line = r#"map --num-concurrent=4 resize-image "[\"a.png\",\"b.png\"]""#;
/// assert_eq!(Command::Launch(launch).to_string(), line);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// The name under which the work is registered.
    pub function: String,
    /// The inputs of the tasks.
    pub inputs: Inputs,
    /// The name of the new group. The server chooses one without it.
    pub group: Option<String>,
    /// The name of registered work that gets the number of each task that ends.
    pub on_end: Option<String>,
    /// The name of registered work that gets the number of each task that is stopped.
    pub on_cancel: Option<String>,
}

/// The inputs of the tasks of a group.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs {
    /// `apply`: several tasks with the same input.
    Copies {
        /// Number of tasks.
        count: i64,
        /// The input of each of them.
        input: Value,
    },
    /// `map`, `starmap` or `doublestarmap`: one task for each item.
    Each {
        /// The kind of the items. It decides which command this is.
        kind: ItemKind,
        /// The inputs, one for each task.
        items: Vec<Value>,
        /// Maximum number of these tasks that are active at the same time.
        at_once: i64,
    },
}

/// The kind of the items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// `map`: any values.
    Value,
    /// `starmap`: lists.
    List,
    /// `doublestarmap`: objects.
    Object,
}

impl Command {
    /// Returns `true` if the command only waits. Such a command ends when its client has gone, as it has no other
    /// effect.
    pub(crate) fn only_waits(&self) -> bool {
        matches!(self, Self::UntilClosed)
    }

    /// Returns `true` if the command changes nothing, so that a read-only server accepts it.
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
            | Self::Tree { .. }
            | Self::Times { .. }
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
            | Self::Launch(_)
            | Self::Resize { .. }
            | Self::Pause(_)
            | Self::Resume(_) => false,
        }
    }
}

impl Inputs {
    /// Returns the name of the command. The name that the server chooses for a group begins with it.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Copies { .. } => "apply",
            Self::Each { kind, .. } => match kind {
                ItemKind::Value => "map",
                ItemKind::List => "starmap",
                ItemKind::Object => "doublestarmap",
            },
        }
    }
}

impl ItemKind {
    /// Returns `true` if the value is of this kind.
    pub(super) fn fits(self, item: &Value) -> bool {
        match self {
            Self::Value => true,
            Self::List => item.is_array(),
            Self::Object => item.is_object(),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::List => "list",
            Self::Object => "object",
        }
    }
}
