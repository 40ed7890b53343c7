use std::error::Error;
use std::fmt;
use std::io;

use super::super::protocol::Refusal;

/// Why a [`Client`](super::Client) cannot connect, or gets no reply.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The connection fails: it cannot be opened, it was lost, or an answer takes too long.
    Io(io::Error),
    /// The server refuses the client or the command.
    Refused(Refusal),
    /// What listens at the address is no control server.
    NotAServer,
    /// The server has sent a line that is no answer to the command, for this reason.
    UnexpectedAnswer(serde_json::Error),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotAServer => f.write_str("it is no control server"),
            Self::UnexpectedAnswer(error) => {
                write!(f, "the line is no answer to the command: {error}")
            }
        }
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Refused(refusal) => Some(refusal),
            Self::UnexpectedAnswer(error) => Some(error),
            Self::NotAServer => None,
        }
    }
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::protocol::{Answer, RefusalKind};
    use super::*;

    #[test]
    fn an_error_is_told_with_its_source_unless_it_has_none() {
        let unexpected = "x".parse::<Answer>().unwrap_err();
        let all = [
            ClientError::Io(io::Error::other("lost")),
            ClientError::Refused(Refusal::new(RefusalKind::Closed, "closed")),
            ClientError::UnexpectedAnswer(unexpected),
        ];
        for error in all {
            let source = error.source().expect("a source").to_string();
            assert!(error.to_string().ends_with(&source), "{error}");
        }
        assert!(ClientError::NotAServer.source().is_none());
        assert_eq!(
            ClientError::NotAServer.to_string(),
            "it is no control server"
        );
    }
}
