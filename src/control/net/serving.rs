use std::fmt;
use std::future::pending;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_net::TcpStream;
use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, Either};
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::stream::FuturesUnordered;

use super::super::timer::Timer;
use super::audit::Peer;
use super::host::Host;
use super::listener::Listener;
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
#[must_use = "no client is served unless it is polled"]
pub struct Serving(BoxFuture<'static, ()>);

/// Time that sessions have to finish their answers after the pool has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Pause before the next `accept` after an error: the system may be out of descriptors, and would refuse again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Serving {
    pub(super) fn new(listener: Listener, host: Host, until_closed: bool) -> Self {
        let signals = host.signals.clone();
        let end_signal = signals.clone().signal_end_on_drop();
        let sessions = Sessions {
            listener,
            host: Arc::new(host),
            sessions: FuturesUnordered::new(),
        };
        let serving = async move {
            // Locals drop in reverse order: `sessions` is gone before `end_signal` signals the end of the server.
            let _end_signal = end_signal;
            either(signals.stopped(), sessions.serve(until_closed)).await;
        };
        Self(serving.boxed())
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
        within(LAST_ANSWERS, sessions.collect::<()>()).await;
    }

    async fn serve_all(&mut self) {
        loop {
            let accept = accept(&self.host, &self.listener);
            let news = either(accept, self.host.handler.callback_queue().take());
            match either(news, session_ends(&mut self.sessions)).await {
                Either::Left(Either::Left(Ok(session))) => self.sessions.push(session),
                Either::Left(Either::Left(Err(error))) => {
                    // Closing the older half makes room for new connections; without it, silent ones would hold the
                    // descriptors.
                    if lacks_descriptors(&error) {
                        self.host.evict_older_half();
                    }
                    either(Timer::after(ACCEPT_PAUSE), session_ends(&mut self.sessions)).await;
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

/// Waits for the next connection, and returns its session.
async fn accept(host: &Arc<Host>, listener: &Listener) -> io::Result<BoxFuture<'static, ()>> {
    // Evicted connections still hold their descriptors. When one of them ends, a session ends, and `serve_all`
    // calls `accept` again.
    if host.pending.is_evicting() {
        pending::<()>().await;
    }
    Ok(match listener {
        Listener::Tcp(listener) => {
            let (stream, from) = listener.accept().await?;
            _ = stream.set_nodelay(true);
            keep_alive(&stream);
            session(host, stream, Peer::Tcp(from))
        }
        #[cfg(unix)]
        Listener::Unix(socket) => {
            let stream = socket.accept().await?;
            let peer = peer(&stream);
            session(host, stream, peer)
        }
        #[cfg(all(test, aiopool_shuttle))]
        Listener::InMemory(listening) => session(host, listening.accept().await, Peer::IN_MEMORY),
    })
}

fn session<S>(host: &Arc<Host>, stream: S, peer: Peer) -> BoxFuture<'static, ()>
where
    S: AsyncRead + AsyncWrite + Clone + Send + Unpin + 'static,
{
    let slot = host.pending.take();
    Session::new(stream, peer, host.clone(), slot).run().boxed()
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
