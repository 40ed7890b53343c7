use std::time::Duration;

use super::super::protocol::{Format, Handshake};
use super::connection::Client;
use super::error::ClientError;
use super::socket::Socket;

/// Connects a [`Client`]. Created with [`Client::builder`].
///
/// # Examples
///
/// ```
/// # let runtime = tokio::runtime::Runtime::new().unwrap();
/// # let builder = aiopool::control::ControlServer::builder(aiopool::AioPool::new(10)).token("s3cret");
/// # let (server, serving) = runtime.block_on(builder.serve_tcp("127.0.0.1:0")).unwrap();
/// # runtime.spawn(serving);
/// # let address = server.local_addr().to_string();
/// use std::time::Duration;
///
/// use aiopool::control::Client;
///
/// let builder = Client::builder().token("s3cret").timeout(Duration::from_secs(10));
/// let client = builder.connect_tcp(address)?;
/// # Ok::<(), aiopool::control::ClientError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it connects with `connect_tcp` or `connect_unix`"]
pub struct ClientBuilder {
    handshake: Handshake,
    timeout: Duration,
}

impl Client {
    /// Returns a builder, which connects.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }
}

impl ClientBuilder {
    fn new() -> Self {
        Self {
            handshake: Handshake {
                format: Format::Json,
                ..Handshake::default()
            },
            timeout: Duration::from_secs(5),
        }
    }

    /// Sets the token. A server that listens on more than loopback has one.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.handshake.token = Some(token.into());
        self
    }

    /// Sets the width in columns to which the server wraps help texts. The default is 80.
    pub fn terminal_width(mut self, columns: usize) -> Self {
        self.handshake.terminal_width = columns;
        self
    }

    /// Sets how long connecting may take, and then the answer to the handshake. The default is 5 seconds.
    ///
    /// For the answers to commands, see [`Client::set_timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connects to `HOST:PORT`, and shakes hands with the server. All addresses of the host are tried.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError::Io`] if there is no connection in time; [`ClientError::Refused`] if the server does not
    /// admit the client; [`ClientError::NotAServer`] if the answer is that of no control server.
    pub fn connect_tcp(&self, address: impl Into<String>) -> Result<Client, ClientError> {
        let socket = Socket::connect_tcp(address.into(), self.timeout)?;
        Client::new(socket, &self.handshake, self.timeout)
    }

    /// Connects to a Unix socket, and shakes hands with the server.
    ///
    /// # Errors
    ///
    /// The same as for [`connect_tcp`](Self::connect_tcp).
    #[cfg(unix)]
    pub fn connect_unix(&self, path: impl Into<std::path::PathBuf>) -> Result<Client, ClientError> {
        let socket = Socket::connect_unix(path.into(), self.timeout)?;
        Client::new(socket, &self.handshake, self.timeout)
    }
}
