use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::command::Command;
use super::refusal::Refusal;
use super::reply::Reply;

/// A line that the server answers with in JSON: the value of a command, or a refusal.
///
/// Its `Display` form is the line, and [`str::parse`] reads it.
///
/// # Examples
///
/// ```
/// use aiopool::control::protocol::{Answer, Command, RefusalKind, Reply};
///
/// let answer: Answer = r#"{"ok":3}"#.parse().unwrap();
/// assert_eq!(answer.into_reply(&Command::NumRunning).unwrap(), Ok(Reply::Count(3)));
///
/// let line = r#"{"error":{"kind":"closed","message":"the pool is locked"}}"#;
/// let answer: Answer = line.parse().unwrap();
/// assert_eq!(answer.to_string(), line);
/// let refusal = answer.into_reply(&Command::Start(1)).unwrap().unwrap_err();
/// assert_eq!(refusal.kind, RefusalKind::Closed);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer<T = Value> {
    /// The command has been executed.
    Done {
        /// What it returns.
        #[serde(rename = "ok")]
        value: T,
        /// Minimum number of groups that are missing in a list of groups. `None` if the list is complete, or no list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<usize>,
    },
    /// The command, or the connection, has been refused.
    Refused {
        /// Why it has been refused.
        #[serde(rename = "error")]
        refusal: Refusal,
    },
}

impl Answer {
    /// Reads the value as the reply to this command.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is no reply to this command.
    pub fn into_reply(self, command: &Command) -> serde_json::Result<Result<Reply, Refusal>> {
        match self {
            Self::Done { value, more } => Reply::read(command, value, more).map(Ok),
            Self::Refused { refusal } => Ok(Err(refusal)),
        }
    }
}

impl<'r> From<&'r Result<Reply, Refusal>> for Answer<&'r Reply> {
    fn from(result: &'r Result<Reply, Refusal>) -> Self {
        match result {
            Ok(reply) => Self::Done {
                value: reply,
                more: reply.more(),
            },
            Err(refusal) => Self::Refused {
                refusal: refusal.clone(),
            },
        }
    }
}

impl FromStr for Answer {
    type Err = serde_json::Error;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(line)
    }
}

impl<T: Serialize> Display for Answer<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}
