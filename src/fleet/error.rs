//! What can go wrong: with the engine, with a task, and what a job says when it fails.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why the fleet cannot be reached, or does not do what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineError {
    /// No connection can be opened: the address, the credentials or the server are the reason.
    Connect(String),
    /// The connection was lost and did not come back in time, or its thread has ended.
    Disconnected,
    /// The server has not answered in time.
    Timeout,
    /// The arguments are larger than what the server accepts. Nothing was sent.
    TooLarge {
        /// Size of the message with its headers, in bytes.
        bytes: usize,
        /// What the server accepts, in bytes.
        limit: usize,
    },
    /// The pool holds as many tasks as its [`max_tasks`](super::FleetBuilder::max_tasks) allows.
    Full,
    /// This handle to the pool was [closed](super::FleetPool::close).
    Closed,
    /// The name has other characters than `A-Z`, `a-z`, `0-9`, `_` and `-`, or not 1 to 64 of them.
    InvalidName(String),
    /// The pool does not exist, or exists with other settings.
    Config(String),
    /// The arguments cannot be encoded.
    Encode(String),
    /// The server refuses the request, for this reason.
    Rejected(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(why) => write!(f, "no connection to the fleet: {why}"),
            Self::Disconnected => f.write_str("the connection to the fleet is lost"),
            Self::Timeout => f.write_str("the server has not answered in time"),
            Self::TooLarge { bytes, limit } => {
                write!(
                    f,
                    "the message has {bytes} bytes, and the server accepts {limit}"
                )
            }
            Self::Full => f.write_str("the pool holds as many tasks as it may"),
            Self::Closed => f.write_str("the pool is closed"),
            Self::InvalidName(name) => write!(
                f,
                "{name:?} is no name: it needs 1 to 64 characters of A-Z, a-z, 0-9, _ and -"
            ),
            Self::Config(why) => f.write_str(why),
            Self::Encode(why) => write!(f, "the arguments cannot be encoded: {why}"),
            Self::Rejected(why) => write!(f, "the server refuses the request: {why}"),
        }
    }
}

impl Error for EngineError {}

/// Why a task has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobError {
    /// The job has returned a [`Fail`], and no try was left. The text is its reason.
    Failed(String),
    /// The job has panicked, with this message. It is not tried again.
    Panicked(String),
    /// The task was cancelled.
    Cancelled,
    /// The task has started so often, and each time its worker was lost. It is not run again.
    Dead {
        /// Number of starts.
        attempts: u32,
    },
    /// A worker got the task and has no job of this name.
    Unknown {
        /// Name of the job.
        job: String,
    },
    /// The worker cannot decode the arguments, or the caller cannot decode the result.
    Decode(String),
    /// The deadline of the task was over before its end.
    Expired,
    /// The worker speaks another version of the protocol.
    Version,
    /// The result is larger than what the server accepts.
    TooLarge {
        /// Size of the result with its headers, in bytes.
        bytes: usize,
        /// What the server accepts, in bytes.
        limit: usize,
    },
    /// There is neither a task nor a result of this id: its result may have been kept for long enough.
    NotFound,
    /// The task was not accepted, or its outcome cannot be read.
    Engine(EngineError),
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) => write!(f, "the job failed: {why}"),
            Self::Panicked(message) => write!(f, "the job panicked: {message}"),
            Self::Cancelled => f.write_str("the task was cancelled"),
            Self::Dead { attempts } => {
                write!(
                    f,
                    "the task was given up: {attempts} times its worker was lost"
                )
            }
            Self::Unknown { job } => write!(f, "the worker has no job {job:?}"),
            Self::Decode(why) => write!(f, "the value cannot be decoded: {why}"),
            Self::Expired => f.write_str("the deadline of the task is over"),
            Self::Version => f.write_str("the worker speaks another version of the protocol"),
            Self::TooLarge { bytes, limit } => {
                write!(
                    f,
                    "the result has {bytes} bytes, and the server accepts {limit}"
                )
            }
            Self::NotFound => f.write_str("there is neither a task nor a result of this id"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl Error for JobError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Engine(error) => Some(error),
            _ => None,
        }
    }
}

impl From<EngineError> for JobError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// What a job returns when it fails.
///
/// Any error becomes a [`Fail::Error`] with `?`.
///
/// ```
/// use aiopool::fleet::Fail;
///
/// fn parse(text: &str) -> Result<u32, Fail> {
///     Ok(text.parse()?)
/// }
/// assert!(matches!(parse("x"), Err(Fail::Error(_))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fail {
    /// The try failed. The task is tried again if its [retry policy](super::TaskBuilder::retry) has a delay left.
    Error(String),
    /// The try failed, and another one would too: the task is not tried again.
    Fatal(String),
    /// As [`Error`](Fail::Error), but this try is to come after the time that the job names: a server that it has
    /// asked has said so, for one. It takes one delay of the policy.
    Retry {
        /// The reason.
        why: String,
        /// The time until the next try.
        after: Duration,
    },
}

impl<E: Error> From<E> for Fail {
    fn from(error: E) -> Self {
        Self::Error(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_engine_is_a_line_with_what_it_holds() {
        let all = [
            EngineError::Connect("joe".into()),
            EngineError::Disconnected,
            EngineError::Timeout,
            EngineError::TooLarge { bytes: 7, limit: 5 },
            EngineError::Full,
            EngineError::Closed,
            EngineError::InvalidName("a.b".into()),
            EngineError::Config("joe".into()),
            EngineError::Encode("joe".into()),
            EngineError::Rejected("joe".into()),
        ];
        for error in all {
            let line = error.to_string();
            assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
            let shown = format!("{error:?}");
            for part in ["joe", "a.b", "7", "5"] {
                assert_eq!(line.contains(part), shown.contains(part), "{shown}: {line}");
            }
            // As the reason why a task has no result, it says the same.
            let job = JobError::from(error.clone());
            assert_eq!(job.to_string(), line);
            assert_eq!(job.source().map(ToString::to_string), Some(line));
        }
    }

    #[test]
    fn an_error_of_a_task_is_a_line_with_what_it_holds() {
        let all = [
            JobError::Failed("joe".into()),
            JobError::Panicked("joe".into()),
            JobError::Cancelled,
            JobError::Dead { attempts: 3 },
            JobError::Unknown { job: "joe".into() },
            JobError::Decode("joe".into()),
            JobError::Expired,
            JobError::Version,
            JobError::TooLarge { bytes: 7, limit: 5 },
            JobError::NotFound,
        ];
        for error in all {
            let line = error.to_string();
            assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
            let shown = format!("{error:?}");
            for part in ["joe", "3", "7", "5"] {
                assert_eq!(line.contains(part), shown.contains(part), "{shown}: {line}");
            }
            assert!(error.source().is_none());
        }
    }
}
