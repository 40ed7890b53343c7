use std::sync::Arc;

use super::address::Address;
use super::signals::Signals;

/// A server through which clients inspect and control a pool.
///
/// # Dropping
///
/// Dropping it stops the server, as [`stop`](Self::stop) does, but does not wait until it has stopped.
///
/// # Examples
///
/// A session, with the lines that a client sends written out:
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use std::sync::Arc;
///
/// use aiopool::control::ControlServer;
/// use aiopool::{AioPool, SimpleTaskPool};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::net::TcpStream;
///
/// async fn work() {
///     std::future::pending().await
/// }
///
/// let pool = AioPool::builder().size(10).name("demo").build().unwrap();
/// let copies = Arc::new(SimpleTaskPool::new(pool, work));
/// let (server, serving) = ControlServer::builder(copies).serve_tcp("127.0.0.1:0").await?;
/// tokio::spawn(serving);
///
/// let mut client = TcpStream::connect(server.local_addr().to_string()).await?;
/// client.write_all(b"{\"terminal_width\": 80}\nstart 3\nstop 1\nnum-running\n").await?;
/// client.shutdown().await?;
/// let mut said = String::new();
/// client.read_to_string(&mut said).await?;
/// assert_eq!(said, "SimpleTaskPool-demo\nstart-group-0\n[2]\n2\n");
/// server.stop().await;
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "dropping it stops the server"]
pub struct ControlServer {
    address: Address,
    signals: Arc<Signals>,
}

impl ControlServer {
    pub(super) fn new(address: Address, signals: Arc<Signals>) -> Self {
        Self { address, signals }
    }

    /// Returns the address that the server listens on. If port 0 was asked for, it has the actual port.
    pub fn local_addr(&self) -> &Address {
        &self.address
    }

    /// Returns the number of connections so far that have sent a wrong token, or no token where one is required.
    pub fn wrong_tokens(&self) -> u64 {
        self.signals.wrong_tokens()
    }

    /// Stops the server: ends all sessions at once, and frees the port or removes the socket file. Waits until that is
    /// done.
    ///
    /// Commands that have not been answered are not executed, or not to their end.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the server stops all the same.
    pub async fn stop(self) {
        self.signals.stop();
        self.signals.ended().await;
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.signals.stop();
    }
}
