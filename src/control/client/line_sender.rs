use std::io::{self, Write};

use super::socket::Socket;

/// The sending half of a [`Client`](super::Client), for another thread.
///
/// # Dropping
///
/// Dropping it changes nothing: the connection stays open.
#[derive(Debug)]
pub struct LineSender(Socket);

impl LineSender {
    pub(super) fn new(socket: Socket) -> Self {
        Self(socket)
    }

    pub(super) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Sends a line, in one write. The client reads its answer: an empty line ends a `watch`.
    ///
    /// # Errors
    ///
    /// Returns the error of the system.
    pub fn send(&mut self, line: &str) -> io::Result<()> {
        self.0.write_all(format!("{line}\n").as_bytes())
    }

    /// Closes the connection, which also wakes all threads that wait for it.
    pub fn close(&self) {
        self.0.close();
    }
}
