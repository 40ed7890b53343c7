use std::io;
use std::net::SocketAddr;

use async_net::TcpListener;

use super::server::Address;
#[cfg(unix)]
use super::unix::UnixSocket;

/// A socket that is listened on.
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixSocket),
}

impl Listener {
    /// Listens on one of the addresses that this stands for. Unless `any` may be, all of them have to be loopback.
    pub(super) async fn tcp(address: &str, any: bool) -> io::Result<Self> {
        let addresses = async_net::resolve(address).await?;
        if let Some(open) = addresses.iter().find(|one| !any && !is_loopback(one)) {
            let message = format!(
                "{open} is not loopback: who can reach it could steer the pool, so it needs a token"
            );
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        TcpListener::bind(&addresses[..]).await.map(Self::Tcp)
    }

    #[cfg(unix)]
    pub(super) fn unix(path: &std::path::Path) -> io::Result<Self> {
        UnixSocket::bind(path).map(Self::Unix)
    }

    pub(super) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(Address::Unix(socket.path().to_owned())),
        }
    }
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

pub(super) fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
