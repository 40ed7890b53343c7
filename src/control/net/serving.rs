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

/// A server at work: a future that is done when the server has stopped.
///
/// Spawn it on any runtime, best on that of the pool. It holds the socket and all sessions.
///
/// # Dropping
///
/// Ends the server at once: no session, port or socket file is left of it.
#[must_use = "nobody is served unless it is polled"]
pub struct Serving(BoxFuture<'static, ()>);

/// What the two halves of a server tell each other.
#[derive(Debug, Default)]
pub(super) struct Signals {
    stop: OnceCell<()>,
    ended: OnceCell<()>,
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

/// Says that the server has ended, in whatever way.
struct Farewell(Arc<Signals>);

impl Drop for Farewell {
    fn drop(&mut self) {
        _ = self.0.ended.set_blocking(());
    }
}

/// So long sessions may finish what they say after their pool has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// So many connections may be there without a seat: as many as there are seats, but within these bounds.
const FEW: usize = 16;
const MANY: usize = 256;

/// So long nobody is accepted when the system refuses: it may be out of descriptors.
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
            // Dropped in the other order: the sessions have ended when the server says goodbye.
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

/// Where the sessions are.
struct Sessions {
    listener: Listener,
    host: Arc<Host>,
    sessions: FuturesUnordered<BoxFuture<'static, ()>>,
}

impl Sessions {
    async fn serve(mut self, until_closed: bool) {
        let handler = self.host.handler.clone();
        let closed = async {
            match until_closed {
                true => handler.target().pool().closed().await,
                false => pending().await,
            }
        };
        either(closed, self.serve_all()).await;
        _ = self.host.ending.set_blocking(());
        let mut sessions = std::mem::take(&mut self.sessions);
        // The last tasks may have left some on their way out.
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

/// What all sessions have in common.
pub(super) struct Host {
    pub(super) seats: Arc<Semaphore>,
    /// One seat more, for the newest client that finds all others taken. Only where it has shown a token.
    pub(super) kept_seat: Option<Arc<Lobby>>,
    pub(super) lobby: Arc<Lobby>,
    pub(super) limits: Limits,
    pub(super) handler: Arc<Handler>,
    pub(super) audit: Audit,
    /// Set when no session is to begin another command.
    pub(super) ending: OnceCell<()>,
    pub(super) signals: Arc<Signals>,
}

impl Host {
    async fn accept(self: &Arc<Self>, listener: &Listener) -> io::Result<BoxFuture<'static, ()>> {
        // They have descriptors yet. Their end is the end of a session, after which this is begun again.
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

/// Whether the system says that the program, or all of them, have as many descriptors as they may.
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

/// Has the system find out that a client is gone which could not say so.
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

/// A panic of it is the end of it, and of nothing else.
fn unbreakable(callback: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
    let caught = AssertUnwindSafe(callback).catch_unwind();
    caught.map(discard).boxed()
}

/// Waits for the end of one, if there are any.
async fn session_ends(sessions: &mut FuturesUnordered<BoxFuture<'static, ()>>) {
    if sessions.next().await.is_none() {
        pending::<()>().await;
    }
}
