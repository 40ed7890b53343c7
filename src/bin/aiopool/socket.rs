//! A common type for TCP and Unix sockets.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::address::Address;

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Connects, and waits for it for at most `patience`.
    ///
    /// Some steps have no timeout of the system, such as resolving a name, or connecting to a Unix socket whose server
    /// does not accept. So a thread connects, and is left behind after a timeout.
    pub(crate) fn connect(address: &Address, patience: Duration) -> io::Result<Self> {
        let address = address.clone();
        let (tell, told) = channel();
        thread::spawn(move || {
            let connected = match &address {
                Address::Tcp(address) => connect_tcp(address, patience),
                Address::Unix(path) => connect_unix(path),
            };
            _ = tell.send(connected);
        });
        let late = || io::Error::new(ErrorKind::TimedOut, "it does not accept connections");
        told.recv_timeout(patience).unwrap_or_else(|_| Err(late()))
    }

    /// Returns a second handle to the same socket.
    pub(crate) fn another(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(socket) => socket.try_clone().map(Self::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_clone().map(Self::Unix),
        }
    }

    /// Sets whether reads and writes block.
    pub(crate) fn blocking(&self, blocking: bool) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.set_nonblocking(!blocking),
            #[cfg(unix)]
            Self::Unix(socket) => socket.set_nonblocking(!blocking),
        }
    }

    /// Sets the timeout of reads and writes; `None` waits for ever.
    pub(crate) fn patient(&self, patience: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket
                .set_read_timeout(patience)
                .and_then(|()| socket.set_write_timeout(patience)),
            #[cfg(unix)]
            Self::Unix(socket) => socket
                .set_read_timeout(patience)
                .and_then(|()| socket.set_write_timeout(patience)),
        }
    }

    /// Closes the connection, which also wakes all threads that wait for it.
    pub(crate) fn end(&self) {
        _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Both),
            #[cfg(unix)]
            Self::Unix(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}

/// Tries all addresses of the host in order. Returns the last error if all fail.
fn connect_tcp(address: &str, patience: Duration) -> io::Result<Socket> {
    let mut failure = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                return Ok(Socket::Tcp(socket));
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

#[cfg(unix)]
fn connect_unix(path: &Path) -> io::Result<Socket> {
    UnixStream::connect(path).map(Socket::Unix)
}

#[cfg(not(unix))]
fn connect_unix(_: &Path) -> io::Result<Socket> {
    Err(io::Error::new(
        ErrorKind::Unsupported,
        "no Unix sockets on this system",
    ))
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
