use std::fmt;
use std::future::pending;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use async_io::Timer;
use async_lock::{OnceCell, Semaphore};
use async_net::TcpStream;
use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, Either};
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::stream::FuturesUnordered;

use super::super::steer::Handler;
use super::audit::{Audit, Peer};
use super::builder::Limits;
use super::listener::Listener;
use super::lobby::Lobby;
use super::server::{Address, ControlServer};
use super::session::Session;
use super::time::{either, within};
#[cfg(unix)]
use super::unix::peer;
use crate::unwind::discard;

/// A running server: a future that completes when the server has stopped.
///
/// Spawn it on any runtime, preferably on that of the pool. It holds the socket and all sessions.
///
/// # Dropping
///
/// Dropping it ends the server at once: all sessions end, the port is free, and the socket file is removed.
#[must_use = "nobody is served unless it is polled"]
pub struct Serving(BoxFuture<'static, ()>);

/// State that [`ControlServer`] and [`Serving`] share.
#[derive(Debug, Default)]
pub(super) struct Signals {
    stop: OnceCell<()>,
    ended: OnceCell<()>,
    // Read and written with `Relaxed`: the counter orders no other memory accesses.
    wrong_tokens: AtomicU64,
}

impl Signals {
    pub(super) fn stop(&self) {
        _ = self.stop.set_blocking(());
    }

    pub(super) fn count_wrong_token(&self) {
        self.wrong_tokens.fetch_add(1, Relaxed);
    }

    pub(super) fn wrong_tokens(&self) -> u64 {
        self.wrong_tokens.load(Relaxed)
    }

    pub(super) async fn ended(&self) {
        self.ended.wait().await;
    }
}

/// Signals the end of the server when it is dropped, also after a panic and when the future is dropped.
struct Farewell(Arc<Signals>);

impl Drop for Farewell {
    fn drop(&mut self) {
        _ = self.0.ended.set_blocking(());
    }
}

/// Time that sessions have to finish their answers after the pool has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Bounds for the number of connections without a seat. Within them, it is the number of seats.
const FEW: usize = 16;
const MANY: usize = 256;

/// Pause before the next `accept` after an error: the system may be out of descriptors, and would refuse again at once.
const RESPITE: Duration = Duration::from_millis(50);

impl Serving {
    pub(super) fn new(
        listener: Listener,
        address: Address,
        handler: Arc<Handler>,
        audit: Audit,
        limits: Limits,
        until_closed: bool,
    ) -> (ControlServer, Self) {
        let signals = Arc::new(Signals::default());
        let farewell = Farewell(signals.clone());
        let server = ControlServer::new(address, signals.clone());
        let host = Arc::new(Host {
            seats: Arc::new(Semaphore::new(limits.sessions)),
            kept_seat: limits.token.is_some().then(|| Lobby::new(1)),
            lobby: Lobby::new(limits.sessions.clamp(FEW, MANY)),
            limits,
            handler,
            audit,
            ending: OnceCell::new(),
            signals: signals.clone(),
        });
        let sessions = Sessions {
            listener,
            host,
            sessions: FuturesUnordered::new(),
        };
        let serving = async move {
            // Locals drop in reverse order: `sessions` is gone before `farewell` signals the end of the server.
            let _farewell = farewell;
            either(signals.stop.wait(), sessions.serve(until_closed)).await;
        };
        (server, Self(serving.boxed()))
    }
}

impl Future for Serving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").finish_non_exhaustive()
    }
}

/// The server's listener, and all sessions and callbacks that run.
struct Sessions {
    listener: Listener,
    host: Arc<Host>,
    sessions: FuturesUnordered<BoxFuture<'static, ()>>,
}

impl Sessions {
    async fn serve(mut self, until_closed: bool) {
        let handler = self.host.handler.clone();
        let closed = async {
            if until_closed {
                handler.target().pool().closed().await;
            } else {
                pending::<()>().await;
            }
        };
        either(closed, self.serve_all()).await;
        _ = self.host.ending.set_blocking(());
        let mut sessions = std::mem::take(&mut self.sessions);
        // The last tasks may have added callbacks while the pool ended.
        sessions.extend(handler.callback_queue().end().into_iter().map(unbreakable));
        within(LAST_WORDS, sessions.collect::<()>()).await;
    }

    async fn serve_all(&mut self) {
        loop {
            let accept = self.host.accept(&self.listener);
            let news = either(accept, self.host.handler.callback_queue().take());
            match either(news, session_ends(&mut self.sessions)).await {
                Either::Left(Either::Left(Ok(session))) => self.sessions.push(session),
                Either::Left(Either::Left(Err(error))) => {
                    // Closing the older half makes room for new connections; without it, silent ones would hold the
                    // descriptors.
                    if lacks_descriptors(&error) {
                        self.host.lobby.shrink(FEW);
                    }
                    either(Timer::after(RESPITE), session_ends(&mut self.sessions)).await;
                }
                Either::Left(Either::Right(callbacks)) => {
                    self.sessions.extend(callbacks.into_iter().map(unbreakable));
                }
                Either::Right(()) => {}
            }
        }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        drop(self.host.handler.callback_queue().end());
    }
}

/// State that all sessions share.
pub(super) struct Host {
    pub(super) seats: Arc<Semaphore>,
    /// One more seat, for the newest client if all others are taken. `None` without a token: then any client could take
    /// it.
    pub(super) kept_seat: Option<Arc<Lobby>>,
    pub(super) lobby: Arc<Lobby>,
    pub(super) limits: Limits,
    pub(super) handler: Arc<Handler>,
    pub(super) audit: Audit,
    /// Set when the server ends because its pool has ended: from then on, no session begins another command.
    pub(super) ending: OnceCell<()>,
    pub(super) signals: Arc<Signals>,
}

impl Host {
    async fn accept(self: &Arc<Self>, listener: &Listener) -> io::Result<BoxFuture<'static, ()>> {
        // Withdrawn connections still hold their descriptors. When one of them ends, a session ends, and `serve_all`
        // calls `accept` again.
        if !self.lobby.is_settled() {
            pending::<()>().await;
        }
        Ok(match listener {
            Listener::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                _ = stream.set_nodelay(true);
                keep_alive(&stream);
                self.session(stream, Peer::Tcp(from))
            }
            #[cfg(unix)]
            Listener::Unix(socket) => {
                let stream = socket.accept().await?;
                let peer = peer(&stream);
                self.session(stream, peer)
            }
        })
    }

    fn session<S>(self: &Arc<Self>, stream: S, peer: Peer) -> BoxFuture<'static, ()>
    where
        S: AsyncRead + AsyncWrite + Clone + Send + Unpin + 'static,
    {
        let place = self.lobby.enter();
        Session::new(stream, peer, self.clone(), place)
            .hold()
            .boxed()
    }
}

/// Returns `true` if the error says that the program, or the whole system, has no descriptors left.
#[cfg(unix)]
fn lacks_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let error = Errno::from_io_error(error);
    matches!(error, Some(Errno::MFILE | Errno::NFILE))
}

#[cfg(not(unix))]
fn lacks_descriptors(_: &io::Error) -> bool {
    false
}

/// Turns on TCP keep-alive, so that the system detects a client that has gone without closing the connection.
#[cfg(unix)]
fn keep_alive(stream: &TcpStream) {
    use rustix::net::sockopt::set_socket_keepalive;
    _ = set_socket_keepalive(stream, true);
    #[cfg(target_os = "linux")]
    {
        use rustix::net::sockopt::set_tcp_keepidle;
        _ = set_tcp_keepidle(stream, Duration::from_secs(60));
    }
}

#[cfg(not(unix))]
fn keep_alive(_: &TcpStream) {}

/// Catches a panic of the callback, so that it ends only this callback and not the server.
fn unbreakable(callback: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
    let caught = AssertUnwindSafe(callback).catch_unwind();
    caught.map(discard).boxed()
}

/// Waits until one of the sessions or callbacks ends, or for ever if there are none.
async fn session_ends(sessions: &mut FuturesUnordered<BoxFuture<'static, ()>>) {
    if sessions.next().await.is_none() {
        pending::<()>().await;
    }
}
