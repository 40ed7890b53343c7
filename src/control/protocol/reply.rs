use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, from_value};

use super::command::Command;
use super::fields::{read_size, write_merged, write_size};
use super::listing::{GroupList, StatsLine, TaskList};
use super::overview::{GroupTree, Times};

/// What a command returns, if the server does not refuse it.
///
/// In JSON it is the value of `ok`. Which of the variants a value is depends on the command:
/// [`Answer::into_reply`](super::Answer::into_reply) reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Reply {
    /// The command is done.
    Done,
    /// Yes or no.
    Flag(bool),
    /// A count.
    Count(u64),
    /// The size of a pool; [`AioPool::UNBOUNDED`](crate::AioPool::UNBOUNDED) is `"inf"` in JSON.
    Size(#[serde(serialize_with = "write_size")] usize),
    /// A name.
    Name(String),
    /// Names of registered work.
    Names(Vec<String>),
    /// Numbers of tasks, a set for each group. In JSON they are one sorted list, so a client gets one set.
    Ids(#[serde(serialize_with = "write_merged")] Vec<BTreeSet<u64>>),
    /// The numbers of the tasks that were stopped, the newest first.
    Stopped(Vec<u64>),
    /// A help text.
    Help(HelpText),
    /// The counts of a pool or group.
    Stats(Box<StatsLine>),
    /// Tasks.
    Tasks(TaskList),
    /// Groups.
    Groups(GroupList),
    /// The groups with the most tasks.
    Tree(GroupTree),
    /// How long tasks have waited and run.
    Times(Box<Times>),
}

/// The help of a command, or of all commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HelpText {
    /// The text, wrapped to the width of the handshake.
    pub help: String,
}

impl Reply {
    /// Reads the value that a command returns.
    pub(super) fn read(
        command: &Command,
        value: Value,
        more: Option<usize>,
    ) -> serde_json::Result<Self> {
        Ok(match command {
            Command::IsFull | Command::IsLocked | Command::UntilClosed => {
                Self::Flag(from_value(value)?)
            }
            Command::NumRunning | Command::NumCancelled | Command::NumEnded => {
                Self::Count(from_value(value)?)
            }
            Command::PoolSize(None) => Self::Size(read_size(value)?),
            Command::FuncName | Command::Start(_) | Command::Launch(_) => {
                Self::Name(from_value(value)?)
            }
            Command::Functions => Self::Names(from_value(value)?),
            Command::GroupIds(_) => Self::Ids(vec![from_value(value)?]),
            Command::Stop(_) | Command::StopAll => Self::Stopped(from_value(value)?),
            Command::Help(_) => Self::Help(from_value(value)?),
            // The answer to the line that ends a `watch`.
            Command::Watch { .. } if value.is_null() => Self::Done,
            Command::Stats(_) | Command::Watch { .. } => Self::Stats(from_value(value)?),
            Command::Tasks { .. } => Self::Tasks(from_value(value)?),
            Command::Groups { .. } => {
                let list: GroupList = from_value(value)?;
                let more = more.unwrap_or_default();
                Self::Groups(GroupList { more, ..list })
            }
            Command::Tree { .. } => Self::Tree(from_value(value)?),
            Command::Times { .. } => Self::Times(from_value(value)?),
            Command::PoolSize(Some(_))
            | Command::Lock
            | Command::Unlock
            | Command::Cancel(_)
            | Command::CancelGroup(_)
            | Command::CancelAll
            | Command::Flush
            | Command::GatherAndClose
            | Command::Resize { .. }
            | Command::Pause(_)
            | Command::Resume(_) => {
                from_value::<()>(value)?;
                Self::Done
            }
        })
    }

    /// Returns what stands beside the value in JSON: the number of groups that are not listed, unless it is 0.
    pub(super) fn more(&self) -> Option<usize> {
        match self {
            Self::Groups(list) => Some(list.more).filter(|more| *more > 0),
            _ => None,
        }
    }
}
