use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
#[cfg(unix)]
use std::os::unix::net::UnixListener as StdUnixListener;

use async_net::TcpListener;

use super::address::Address;
#[cfg(all(test, aiopool_shuttle))]
use super::in_memory::Listening;
#[cfg(unix)]
use super::unix::UnixSocket;

/// A socket that the server listens on.
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixSocket),
    #[cfg(all(test, aiopool_shuttle))]
    InMemory(Listening),
}

/// A socket that already listens: see [`Builder::serve_listener`](super::Builder::serve_listener).
#[derive(Debug)]
#[non_exhaustive]
pub enum ListeningSocket {
    /// A TCP socket.
    Tcp(StdTcpListener),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(StdUnixListener),
}

impl From<StdTcpListener> for ListeningSocket {
    fn from(listener: StdTcpListener) -> Self {
        Self::Tcp(listener)
    }
}

#[cfg(unix)]
impl From<StdUnixListener> for ListeningSocket {
    fn from(listener: StdUnixListener) -> Self {
        Self::Unix(listener)
    }
}

impl Listener {
    /// Uses a socket that already listens. Unless `any` is set, a TCP socket has to be bound to loopback.
    pub(super) fn listening(socket: ListeningSocket, any: bool) -> io::Result<Self> {
        match socket {
            ListeningSocket::Tcp(listener) => {
                check(&[listener.local_addr()?], any)?;
                TcpListener::try_from(listener).map(Self::Tcp)
            }
            #[cfg(unix)]
            ListeningSocket::Unix(listener) => UnixSocket::listening(listener).map(Self::Unix),
        }
    }

    /// Resolves the address and listens on one of the results. Unless `any` is set, all of them have to be loopback:
    /// the caller does not know which one is used.
    pub(super) async fn tcp(address: &str, any: bool) -> io::Result<Self> {
        let addresses = async_net::resolve(address).await?;
        check(&addresses, any)?;
        TcpListener::bind(&addresses[..]).await.map(Self::Tcp)
    }

    #[cfg(unix)]
    pub(super) fn unix(path: &std::path::Path, mode: u32) -> io::Result<Self> {
        UnixSocket::bind(path, mode).map(Self::Unix)
    }

    pub(super) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(Address::Unix(socket.path().to_owned())),
            #[cfg(all(test, aiopool_shuttle))]
            Self::InMemory(_) => Ok(Address::Unix(std::path::PathBuf::new())),
        }
    }
}

/// Returns an error if one of the addresses is not loopback, unless `any` is set.
fn check(addresses: &[SocketAddr], any: bool) -> io::Result<()> {
    let mut open = addresses.iter().filter(|one| !any && !is_loopback(one));
    match open.next() {
        None => Ok(()),
        Some(open) => {
            let message = format!(
                "{open} is not loopback: who can reach it could steer the pool, so it needs a token"
            );
            Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
        }
    }
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
