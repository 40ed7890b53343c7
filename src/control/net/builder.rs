use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::steer::{Handler, Target, Works};
use super::audit::{Audit, AuditEvent, Peer};
use super::host::Host;
use super::limits::Limits;
use super::listener::{Listener, ListeningSocket};
use super::secret::Secret;
use super::server::ControlServer;
use super::serving::Serving;
use super::signals::Signals;

/// Configures a server for a pool. Created with [`ControlServer::builder`].
#[must_use = "it serves nothing until `serve_tcp` or `serve_unix`"]
pub struct Builder {
    target: Target,
    works: Works,
    read_only: bool,
    until_closed: bool,
    mode: u32,
    audit: Audit,
    limits: Limits,
}

impl ControlServer {
    /// Returns a builder of a server for a pool: an [`AioPool`](crate::AioPool), or an `Arc` of a
    /// [`SimpleTaskPool`](crate::SimpleTaskPool).
    pub fn builder(target: impl Into<Target>) -> Builder {
        Builder::new(target.into())
    }
}

impl Builder {
    fn new(target: Target) -> Self {
        Self {
            target,
            works: Works::default(),
            read_only: false,
            until_closed: false,
            mode: 0o600,
            audit: Audit::default(),
            limits: Limits::default(),
        }
    }

    /// Sets whether clients may only read: the server then refuses every command that would change something. Off by
    /// default.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Sets the token that a client has to send in its handshake. Without a token, TCP is served on loopback only.
    ///
    /// The token crosses the network unencrypted: see the [module](crate::control) for how to use SSH. It should be
    /// long and random, and come from a file or from the environment: every local user can read a command line.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.limits.token = Some(Secret::new(token.into()));
        self
    }

    /// Calls `hook` for each line that a client sends, before the line is executed, and for each client that is
    /// admitted or has a wrong token.
    ///
    /// The hook runs on the thread that polls [`Serving`], and should be short. If it panics, the line is not executed.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::AioPool;
    /// use aiopool::control::{AuditEvent, ControlServer};
    ///
    /// let builder = ControlServer::builder(AioPool::new(4)).audit(|peer, event| match event {
    ///     AuditEvent::Line(line) => eprintln!("{peer} says: {line:?}"),
    ///     other => eprintln!("{peer}: {other:?}"),
    /// });
    /// ```
    pub fn audit(mut self, hook: impl Fn(&Peer, AuditEvent<'_>) + Send + Sync + 'static) -> Self {
        self.audit = Audit::new(hook);
        self
    }

    /// Sets the mode of the socket file of a Unix socket: 0o660 also admits the file's group. The default is 0o600,
    /// which admits its owner only.
    ///
    /// Every user that may write to the file can control the pool.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the maximum number of sessions at the same time. A further client is told so and disconnected. The default
    /// is 256.
    ///
    /// With a [token](Self::token) there is one session more, so that sessions that only wait or watch do not keep an
    /// operator out: a client that sends the token when the maximum is reached gets the reserved session. The client that
    /// had it before is told so and disconnected, whatever it waits for.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.limits.sessions = sessions;
        self
    }

    /// Sets how long a client may take to send its next line, and to read a reply. The default is 15 minutes. For the
    /// handshake the limit is 10 seconds, or this time if it is shorter.
    pub fn idle_timeout(mut self, time: Duration) -> Self {
        self.limits.idle = time;
        self
    }

    /// Sets the maximum length of a line in bytes. The default is 64 KiB.
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.limits.line = bytes;
        self
    }

    /// Sets whether the server ends with the pool: when the pool is closed and empty. Off by default.
    ///
    /// The client whose command ended the pool still gets its answer. In this sense, to lock an idle pool is to end it.
    pub fn until_closed(mut self, until_closed: bool) -> Self {
        self.until_closed = until_closed;
        self
    }

    /// Registers work that clients may start by this name, with `apply`, `map`, `starmap` and `doublestarmap`.
    ///
    /// The function gets the client's input as JSON: for `map` an element of the list; for `starmap` and
    /// `doublestarmap` an element that is itself a list or an object; for `apply` the value after `-a` or `-k`, or else
    /// null. The work runs as a task of the pool, in the group of the command, and its output is dropped.
    ///
    /// If a client names the work with `-e` or `-c`, it gets the number of each task that ends or is stopped, and the
    /// server runs it, as long as it serves. Clients of a [`SimpleTaskPool`](crate::SimpleTaskPool) start copies of its
    /// function, and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::AioPool;
    /// use aiopool::control::ControlServer;
    ///
    /// let builder = ControlServer::builder(AioPool::new(4))
    ///     .command("resize-image", |args: serde_json::Value| async move {
    ///         println!("resizing {}", args["path"]);
    ///     });
    /// let (server, serving) = builder.serve_tcp("127.0.0.1:0").await?;
    /// tokio::spawn(serving); // a client may say: apply resize-image -k {"path": "a.png"}
    /// # server.stop().await;
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn command<F, Fut>(mut self, name: impl Into<String>, function: F) -> Self
    where
        F: Fn(Value) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
    {
        self.works.add(name.into(), function);
        self
    }

    /// Sets the name that clients see for the function of a [`SimpleTaskPool`](crate::SimpleTaskPool). By default a
    /// function has its name in the program, and a closure is called `closure`.
    pub fn func_name(mut self, name: impl Into<String>) -> Self {
        self.target.name_function(name.into());
        self
    }

    /// Listens on a TCP port: `"127.0.0.1:7007"`, or port 0 for a free one.
    ///
    /// The returned [`Serving`] is a future to be spawned on the runtime of the program; no client is served before it
    /// is polled. The [`ControlServer`] stops the server.
    ///
    /// # Errors
    ///
    /// Returns the error of the system; [`PermissionDenied`](io::ErrorKind::PermissionDenied) for an address that is
    /// not loopback, if there is no token; [`InvalidInput`](io::ErrorKind::InvalidInput) if the token is empty, or if
    /// the limit of sessions, of the line length or of the idle time is 0.
    pub async fn serve_tcp(
        self,
        address: impl fmt::Display,
    ) -> io::Result<(ControlServer, Serving)> {
        self.limits.check()?;
        let any = self.limits.token.is_some();
        let listener = Listener::tcp(&address.to_string(), any).await?;
        self.serve(listener)
    }

    /// Serves on a socket that already listens, as systemd and other supervisors pass it on: a
    /// [`TcpListener`](std::net::TcpListener) or, on Unix, a `UnixListener` of the standard library.
    ///
    /// The file of such a Unix socket is left as it is, with its mode, and stays when the server has stopped.
    ///
    /// # Errors
    ///
    /// The same as for [`serve_tcp`](Self::serve_tcp): without a token, a TCP socket has to be bound to loopback.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::AioPool;
    /// use aiopool::control::ControlServer;
    ///
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let builder = ControlServer::builder(AioPool::new(4));
    /// let (server, serving) = builder.serve_listener(listener).await?;
    /// tokio::spawn(serving);
    /// # server.stop().await;
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub async fn serve_listener(
        self,
        listener: impl Into<ListeningSocket>,
    ) -> io::Result<(ControlServer, Serving)> {
        self.limits.check()?;
        let any = self.limits.token.is_some();
        let listener = Listener::listening(listener.into(), any)?;
        self.serve(listener)
    }

    /// Listens on a Unix socket. Only its owner may connect, unless [`mode`](Self::mode) says otherwise.
    ///
    /// A socket file on which no process listens any more is replaced. As with [`serve_tcp`](Self::serve_tcp), the
    /// returned [`Serving`] has to be spawned.
    ///
    /// # Errors
    ///
    /// Returns the error of the system; [`AddrInUse`](io::ErrorKind::AddrInUse) if a process already listens there;
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if the path exists and is no socket;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) as for TCP.
    #[cfg(unix)]
    pub async fn serve_unix(
        self,
        path: impl AsRef<std::path::Path>,
    ) -> io::Result<(ControlServer, Serving)> {
        self.limits.check()?;
        let listener = Listener::unix(path.as_ref(), self.mode)?;
        self.serve(listener)
    }

    /// Serves clients of the same program.
    #[cfg(all(test, aiopool_shuttle))]
    pub(crate) fn serve_in_memory(self) -> (super::Network, ControlServer, Serving) {
        let (network, listening) = super::Network::new();
        let served = self.serve(Listener::InMemory(listening));
        let (server, serving) = served.expect("it has an address");
        (network, server, serving)
    }

    fn serve(self, listener: Listener) -> io::Result<(ControlServer, Serving)> {
        let address = listener.address()?;
        // The pool gets its runtime now, where the caller is in one: the server may be polled outside of any runtime.
        self.target.pool().bind_runtime();
        let handler = Arc::new(Handler::new(self.target, self.works, self.read_only));
        let signals = Arc::new(Signals::default());
        let host = Host::new(handler, self.audit, self.limits, signals.clone());
        let serving = Serving::new(listener, host, self.until_closed);
        Ok((ControlServer::new(address, signals), serving))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("target", &self.target)
            .field("commands", &self.works)
            .field("read_only", &self.read_only)
            .field("until_closed", &self.until_closed)
            .field("limits", &self.limits)
            .finish()
    }
}
