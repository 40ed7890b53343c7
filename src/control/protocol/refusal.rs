use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Why the server has refused a command or a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The kind of the refusal.
    pub kind: RefusalKind,
    /// The reason, for people.
    pub message: String,
    /// The usage of the command, if the refusal is about wrong usage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The name of the command, if the refusal is about wrong usage: only the text format has it.
    #[serde(skip)]
    pub(super) command: &'static str,
}

/// The kinds of refusals. JSON has their names in lower case, as `not-found`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RefusalKind {
    /// The maximum number of sessions is reached, or a newer client has taken the reserved session.
    Busy,
    /// The task was cancelled before.
    Cancelled,
    /// The pool takes no new tasks.
    Closed,
    /// The name is in use.
    Exists,
    /// The task has finished.
    Finished,
    /// The handshake is invalid.
    Handshake,
    /// The client has sent nothing for too long.
    Idle,
    /// The line is too long.
    LineTooLong,
    /// The pool has no runtime yet.
    NoRuntime,
    /// There is no such task, group or work.
    NotFound,
    /// The line is not UTF-8.
    #[serde(rename = "not-utf-8")]
    NotUtf8,
    /// The command, or the audit hook of the server, has panicked.
    Panicked,
    /// The server only lets clients read.
    ReadOnly,
    /// The size is invalid.
    Size,
    /// The token is missing or wrong.
    Token,
    /// There are too many of something.
    TooMany,
    /// The command is used in a wrong way.
    Usage,
    /// A kind that this version of the crate does not know.
    #[serde(untagged)]
    Other(String),
}

impl Refusal {
    /// Makes a refusal.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            usage: None,
            command: "",
        }
    }

    /// Makes a refusal of wrong usage, with the usage of the command.
    pub fn wrong_usage(message: impl Into<String>, usage: impl Into<String>) -> Self {
        Self {
            usage: Some(usage.into()),
            ..Self::new(RefusalKind::Usage, message)
        }
    }

    /// Adds the name of the command that was used in a wrong way.
    pub(crate) fn of_command(self, command: &'static str) -> Self {
        Self { command, ..self }
    }
}

impl RefusalKind {
    /// Returns `true` if the server closes the connection after the refusal.
    pub fn ends_session(&self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Handshake | Self::Idle | Self::Token
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Refusal {}
