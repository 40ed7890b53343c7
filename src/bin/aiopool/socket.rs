//! TCP and Unix sockets as one thing to read from and to write to.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::address::Address;

const PATIENCE: Duration = Duration::from_secs(5);

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Connects, within a few seconds.
    pub(crate) fn connect(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => connect_tcp(address),
            Address::Unix(path) => connect_unix(path),
        }
    }

    /// The same socket, for another thread or another use.
    pub(crate) fn another(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(socket) => socket.try_clone().map(Self::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => socket.try_clone().map(Self::Unix),
        }
    }

    /// Whether to wait for bytes at all.
    pub(crate) fn blocking(&self, blocking: bool) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.set_nonblocking(!blocking),
            #[cfg(unix)]
            Self::Unix(socket) => socket.set_nonblocking(!blocking),
        }
    }

    /// How long to wait for bytes: a few seconds, or for ever.
    pub(crate) fn patient(&self, for_ever: bool) -> io::Result<()> {
        let patience = (!for_ever).then_some(PATIENCE);
        match self {
            Self::Tcp(socket) => socket.set_read_timeout(patience),
            #[cfg(unix)]
            Self::Unix(socket) => socket.set_read_timeout(patience),
        }
    }
}

/// Tries all addresses of the host, in order; the last failure counts.
fn connect_tcp(address: &str) -> io::Result<Socket> {
    let mut failure = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
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
