//! What can go wrong, and the exit code that says so.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::printable::printable;

/// Why the program ends, if not because all is well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The pool refused, and the reader has been told why.
    Refused,
    /// The command cannot be right, and the reader has been told why.
    Usage,
    /// There is no server, or no session with it, or there is none any more.
    Connection(String),
    /// The server does not want this client, and would not if it tried again.
    Unwelcome(String),
    /// The server is no server of this crate, and does not know what is needed.
    Foreign,
    /// What was to be printed has no reader, or the terminal fails.
    Output(io::Error),
    /// Part of the program panicked.
    Bug(String),
}

impl Failure {
    /// Says on the standard error what nobody has said yet.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Refused | Self::Usage => {}
            Self::Connection(reason) | Self::Unwelcome(reason) => complain(reason),
            Self::Foreign => complain(
                "a dashboard needs a server of this crate, and this one does not know its commands",
            ),
            // Whoever read it has seen enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Self::Bug(panic) => complain(panic),
            Self::Output(error) => complain(format_args!("cannot write: {error}")),
        }
        self.code().into()
    }

    fn code(&self) -> u8 {
        match self {
            Self::Refused | Self::Foreign => 1,
            Self::Usage => 2,
            Self::Connection(_) | Self::Unwelcome(_) => 3,
            // What a shell reports for a program that SIGPIPE ended.
            Self::Output(_) => 141,
            // As a panic of the main thread.
            Self::Bug(_) => 101,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// One line on the standard error, which may be closed.
pub(crate) fn complain(what: impl fmt::Display) {
    use io::Write;
    let what = what.to_string();
    let _ = writeln!(io::stderr(), "aiopool: {}", printable(&what));
}
