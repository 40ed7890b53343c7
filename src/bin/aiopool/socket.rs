//! TCP and Unix sockets as one thing to read from and to write to.

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
    /// Connects, and waits no longer than this for it.
    ///
    /// The system sets no limit to some of the steps, as to find out what a name means, or to wait for a Unix socket whose
    /// server accepts nobody. A thread takes them, which is left behind.
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

    /// How long to wait for bytes, or for room for some; `None` stands for ever.
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

    /// Ends the connection, for whoever waits for it.
    pub(crate) fn end(&self) {
        _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Both),
            #[cfg(unix)]
            Self::Unix(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}

/// Tries all addresses of the host, in order; the last failure counts.
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
