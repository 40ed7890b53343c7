use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A network that can be cut: connections stay open, and bytes stay where they are.
pub(crate) struct Proxy {
    address: SocketAddr,
    abandoned: watch::Sender<()>,
    to_server: Way,
    from_server: Way,
}

/// One direction.
#[derive(Clone)]
struct Way {
    frozen: watch::Sender<bool>,
    /// What ends a connection when it comes along here, once. Nothing, if it is empty.
    end: watch::Sender<&'static str>,
}

impl Way {
    fn new() -> Self {
        Self {
            frozen: watch::Sender::new(false),
            end: watch::Sender::new(""),
        }
    }

    /// Returns `true` if this is the end of the connection.
    fn ends_with(&self, bytes: &[u8]) -> bool {
        let end = *self.end.borrow();
        let found = !end.is_empty() && bytes.windows(end.len()).any(|part| part == end.as_bytes());
        if found {
            self.end.send_replace("");
        }
        found
    }
}

impl Proxy {
    pub(crate) async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (to, from) = (Way::new(), Way::new());
        let abandoned = watch::Sender::new(());
        let proxy = Self {
            address,
            abandoned: abandoned.clone(),
            to_server: to.clone(),
            from_server: from.clone(),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await;
                let Ok(server) = server else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let ended = Arc::new(AtomicBool::new(false));
                let there = carry(from_client, to_server, to.clone(), ended.clone());
                let back = carry(from_server, to_client, from.clone(), ended);
                let mut abandoned = abandoned.subscribe();
                tokio::spawn(async move {
                    let mut carrying = pin!(futures::future::join(there, back));
                    tokio::select! {
                        _ = &mut carrying => {}
                        _ = abandoned.changed() => std::future::pending().await,
                    }
                });
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    pub(crate) fn set_frozen(&self, frozen: bool) {
        self.freeze_to_server(frozen);
        self.from_server.frozen.send_replace(frozen);
    }

    /// Cuts the way to the server only.
    pub(crate) fn freeze_to_server(&self, frozen: bool) {
        self.to_server.frozen.send_replace(frozen);
    }

    /// Carries nothing more on the connections that there are, which stay open. New ones are carried.
    pub(crate) fn abandon(&self) {
        self.abandoned.send_replace(());
    }

    /// Ends the connection on which the server is sent `text`, before it answers.
    pub(crate) fn end_with(&self, text: &'static str) {
        self.to_server.end.send_replace(text);
    }
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    way: Way,
    ended: Arc<AtomicBool>,
) {
    let mut frozen = way.frozen.subscribe();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if frozen.wait_for(|frozen| !frozen).await.is_err() {
            return;
        }
        if way.ends_with(&buffer[..length]) {
            ended.store(true, Ordering::Relaxed);
            let _ = to.write_all(&buffer[..length]).await;
            return;
        }
        if ended.load(Ordering::Relaxed) || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
