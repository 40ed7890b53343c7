use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
#[cfg(unix)]
use std::{os::unix::net::UnixStream, path::PathBuf};

/// A connected socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Connects to `HOST:PORT`, for at most `timeout`.
    pub(super) fn connect_tcp(address: String, timeout: Duration) -> io::Result<Self> {
        connect_within(timeout, move || connect_to_any(&address, timeout))
    }

    /// Connects to a Unix socket, for at most `timeout`.
    #[cfg(unix)]
    pub(super) fn connect_unix(path: PathBuf, timeout: Duration) -> io::Result<Self> {
        connect_within(timeout, move || UnixStream::connect(path).map(Self::Unix))
    }

    /// Returns a second handle to the same socket.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(socket) => socket.try_clone().map(Self::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_clone().map(Self::Unix),
        }
    }

    /// Sets whether reads and writes block.
    pub(super) fn set_blocking(&self, blocking: bool) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.set_nonblocking(!blocking),
            #[cfg(unix)]
            Self::Unix(socket) => socket.set_nonblocking(!blocking),
        }
    }

    /// Sets the timeout of reads and writes; `None` waits for ever.
    pub(super) fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket
                .set_read_timeout(timeout)
                .and_then(|()| socket.set_write_timeout(timeout)),
            #[cfg(unix)]
            Self::Unix(socket) => socket
                .set_read_timeout(timeout)
                .and_then(|()| socket.set_write_timeout(timeout)),
        }
    }

    /// Closes the connection, which also wakes all threads that wait for it.
    pub(super) fn close(&self) {
        _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Both),
            #[cfg(unix)]
            Self::Unix(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}

/// Connects in a thread, which is left behind after the timeout.
///
/// Some steps have no timeout of the system, such as resolving a name, or connecting to a Unix socket whose server does
/// not accept.
fn connect_within(
    timeout: Duration,
    connect: impl FnOnce() -> io::Result<Socket> + Send + 'static,
) -> io::Result<Socket> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // The receiver is gone after the timeout.
        _ = sender.send(connect());
    });
    let late = || io::Error::new(ErrorKind::TimedOut, "it does not accept connections");
    receiver
        .recv_timeout(timeout)
        .unwrap_or_else(|_| Err(late()))
}

/// Tries all addresses of the host in order. Returns the last error if all fail.
fn connect_to_any(address: &str, timeout: Duration) -> io::Result<Socket> {
    let mut last_error = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                return Ok(Socket::Tcp(socket));
            }
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buffer),
            #[cfg(unix)]
            Self::Unix(socket) => socket.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(bytes),
            #[cfg(unix)]
            Self::Unix(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
