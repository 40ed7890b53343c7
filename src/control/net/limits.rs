use std::io;
use std::time::Duration;

use super::secret::Secret;

/// Limits for sessions, and the token.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) sessions: usize,
    pub(super) idle: Duration,
    pub(super) line: usize,
    pub(super) token: Option<Secret>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 256,
            idle: Duration::from_secs(15 * 60),
            line: 64 * 1024,
            token: None,
        }
    }
}

impl Limits {
    /// Returns an error if a limit is 0, or if the token is empty.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.token.as_ref().is_some_and(Secret::is_empty) {
            return Err(invalid("an empty token protects nothing"));
        }
        if self.sessions == 0 || self.line == 0 || self.idle.is_zero() {
            return Err(invalid("with a limit of 0 nobody would be served"));
        }
        Ok(())
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
