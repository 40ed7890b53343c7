//! Failures of the program, and their exit codes.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::printable::printable;

/// Why the program ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server has refused the command, and the user has been told why.
    Refused,
    /// The command is invalid, and the user has been told why.
    Usage,
    /// There is no server or no session with it, or the connection was lost.
    Connection(String),
    /// The server refuses this client, and would refuse it again.
    Unwelcome(String),
    /// The server is not one of this crate, and lacks the commands that are needed.
    Foreign,
    /// A file cannot be used.
    Input(String),
    /// The output has no reader, or the terminal fails.
    Output(io::Error),
    /// Part of the program panicked.
    Bug(String),
}

impl Failure {
    /// Prints the failure to standard error, unless the user has been told already. Returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Refused | Self::Usage => {}
            Self::Connection(reason) | Self::Unwelcome(reason) | Self::Input(reason) => {
                complain(reason);
            }
            Self::Foreign => complain(
                "a dashboard needs a server of this crate, and this one does not know its commands",
            ),
            // The reader of the pipe needs no more output: this is no error for the user.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Self::Bug(panic) => complain(panic),
            Self::Output(error) => complain(format_args!("cannot write: {error}")),
        }
        self.code().into()
    }

    fn code(&self) -> u8 {
        match self {
            Self::Refused | Self::Foreign | Self::Input(_) => 1,
            Self::Usage => 2,
            Self::Connection(_) | Self::Unwelcome(_) => 3,
            // The exit code that a shell reports for a program that SIGPIPE has ended.
            Self::Output(_) => 141,
            // The exit code of a panic in the main thread.
            Self::Bug(_) => 101,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Prints one line to standard error. Errors are ignored: standard error may be closed.
pub(crate) fn complain(what: impl fmt::Display) {
    use io::Write;
    let what = what.to_string();
    let _ = writeln!(io::stderr(), "aiopool: {}", printable(&what));
}
