use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_lock::SemaphoreGuardArc;
use futures_util::FutureExt;
use futures_util::future::Either;
use futures_util::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::super::protocol::{
    Command, Format, Handshake, Refusal, RefusalKind, Reply, parse, usage,
};
use super::super::timer::Timer;
use super::audit::{AuditEvent, Peer};
use super::host::Host;
use super::lines::{Line, Lines};
use super::slots::{Slot, Slots};
use super::time::{either, within};
use crate::coop;

/// A connection of a client, from `accept` to its end.
pub(super) struct Session<S> {
    lines: Lines<S>,
    stream: S,
    peer: Peer,
    host: Arc<Host>,
    admission: Admission,
    format: Format,
    width: usize,
    /// `true` while an answer is only partly written.
    is_answering: bool,
}

/// Whether the client has been admitted. It decides which limit the connection counts for.
enum Admission {
    /// The client has not been admitted yet, or sends no more commands. The connection may be evicted for a newer one.
    Pending(Slot),
    /// The connection is one of the sessions.
    Admitted { _session: SemaphoreGuardArc },
    /// The connection is the session that is reserved for the newest client with a token.
    Reserved(Slot),
}

/// The session ends: the client has gone, or is to be disconnected and has already been told why.
struct Ended;

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// Maximum time for the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Delay before a client is told that its token is wrong.
const WRONG_TOKEN: Duration = Duration::from_millis(500);

/// Maximum time that a command runs on after the client has closed its half of the connection.
const HALF_CLOSED: Duration = Duration::from_secs(60);

/// Size in bytes up to which an answer may wait for its reader for the whole idle timeout.
const SMALL: usize = 64 * 1024;

/// Maximum time without progress while a client reads a larger answer.
const LARGE_UNREAD: Duration = Duration::from_secs(10);

/// Maximum time for a client to read the last answer, or why it is disconnected.
const LAST_READ: Duration = Duration::from_secs(1);

impl<S: AsyncRead + AsyncWrite + Clone + Unpin> Session<S> {
    pub(super) fn new(stream: S, peer: Peer, host: Arc<Host>, slot: Slot) -> Self {
        Self {
            lines: Lines::new(stream.clone(), host.limits.line),
            stream,
            peer,
            host,
            admission: Admission::Pending(slot),
            format: Format::Text,
            width: 80,
            is_answering: false,
        }
    }

    /// Runs the session to its end.
    pub(super) async fn run(mut self) {
        if self.unless_evicted(Self::open).await.is_some() {
            self.unless_evicted(Self::serve).await;
        }
        let is_replaced = self.is_replaced();
        self.free_session();
        if is_replaced {
            self.unless_evicted(Self::tell_replaced).await;
        }
        self.unless_evicted(Self::close).await;
    }

    /// Runs a step until the connection is evicted. Returns `None` if it was evicted, or if the step ended the session.
    async fn unless_evicted<T>(
        &mut self,
        step: impl AsyncFnOnce(&mut Self) -> Result<T, Ended>,
    ) -> Option<T> {
        let evicted = match &self.admission {
            Admission::Pending(slot) | Admission::Reserved(slot) => slot.evicted(),
            Admission::Admitted { .. } => return step(self).await.ok(),
        };
        match either(evicted, step(self)).await {
            Either::Left(()) => None,
            Either::Right(done) => done.ok(),
        }
    }

    /// Makes the connection pending again, as its client sends no more commands: another client may have the session.
    fn free_session(&mut self) {
        if !matches!(self.admission, Admission::Pending(_)) {
            self.admission = Admission::Pending(self.host.pending.take());
        }
    }

    /// Returns `true` if a newer client has taken the reserved session of this one.
    fn is_replaced(&self) -> bool {
        matches!(&self.admission, Admission::Reserved(slot) if slot.is_evicted())
    }

    /// Tells the client why it is disconnected, unless an answer is partly written: the message would be read as part
    /// of it.
    async fn tell_replaced(&mut self) -> Result<(), Ended> {
        if self.is_answering {
            return Ok(());
        }
        let refusal = Refusal::new(RefusalKind::Busy, "a newer client has got the last seat");
        let told = within(LAST_READ, self.answer(Err(refusal))).await;
        told.ok_or(Ended)?
    }

    /// Shakes hands with the client, and admits it.
    async fn open(&mut self) -> Result<(), Ended> {
        self.shake_hands().await?;
        let Some(admission) = self.admit() else {
            let message = format!("there are {} sessions already", self.host.limits.sessions);
            return self.send_away(RefusalKind::Busy, &message).await;
        };
        self.admission = admission;
        self.audit(AuditEvent::Admitted);
        let title = self.host.handler.target().title();
        self.answer(Ok(Reply::Name(title))).await
    }

    /// Takes a free session, or else the reserved one. Returns `None` if there is neither.
    fn admit(&self) -> Option<Admission> {
        let session = self.host.sessions.try_acquire_arc();
        let admitted = session.map(|_session| Admission::Admitted { _session });
        let reserved = || self.host.reserved_session.as_ref().map(Slots::take);
        admitted.or_else(|| reserved().map(Admission::Reserved))
    }

    /// Closes the connection gracefully. It drains what the client still sends: if data were left unread, the system
    /// would reset the connection, and the client might lose the last answer.
    async fn close(&mut self) -> Result<(), Ended> {
        let close = async {
            self.stream.close().await?;
            self.lines.drain().await
        };
        within(LAST_READ, close)
            .await
            .ok_or(Ended)?
            .map_err(Ended::from)
    }

    async fn serve(&mut self) -> Result<(), Ended> {
        let mut next = None;
        loop {
            let line = match next.take() {
                Some(line) => line,
                None => self.next(self.host.limits.idle).await?,
            };
            match self.read(line) {
                Ok(Command::Watch { group, every }) => next = self.watch(group, every).await?,
                Ok(command) => {
                    let answer = self.execute(command).await?;
                    self.answer(answer).await?;
                }
                Err(refusal) => self.answer(Err(refusal)).await?,
            }
            coop::yield_once().await;
        }
    }

    async fn shake_hands(&mut self) -> Result<(), Ended> {
        let line = self.next(HANDSHAKE.min(self.host.limits.idle)).await?;
        let read = match line {
            Line::Text(line) => Handshake::read(&line),
            Line::TooLong => Err((Format::Text, "the first line is too long".into())),
            Line::NotUtf8 => Err((Format::Text, "the first line is no UTF-8".into())),
        };
        let handshake = match read {
            Ok(handshake) => handshake,
            Err((format, what)) => {
                self.format = format;
                return self.send_away(RefusalKind::Handshake, &what).await;
            }
        };
        self.format = handshake.format;
        self.width = handshake.terminal_width;
        let token = self.host.limits.token.as_ref();
        let given = handshake.token.as_deref();
        if token.is_none_or(|token| given.is_some_and(|given| token.is(given))) {
            Ok(())
        } else {
            self.refuse_token().await
        }
    }

    /// Counts a wrong token, and tells the client after a delay that slows down guessing.
    async fn refuse_token(&mut self) -> Result<(), Ended> {
        self.host.signals.count_wrong_token();
        self.audit(AuditEvent::WrongToken);
        Timer::after(WRONG_TOKEN).await;
        self.send_away(
            RefusalKind::Token,
            "the token is missing, or is not this server's",
        )
        .await
    }

    async fn send_away(&mut self, kind: RefusalKind, what: &str) -> Result<(), Ended> {
        self.answer(Err(Refusal::new(kind, what))).await?;
        Err(Ended)
    }

    /// Waits for the next line. Ends the session if the server ends, or if no line arrives within `time`.
    async fn next(&mut self, time: Duration) -> Result<Line, Ended> {
        let line = within(time, self.lines.next());
        match either(self.host.ending.wait(), line).await {
            Either::Right(Some(line)) => line?.ok_or(Ended),
            Either::Left(_) => Err(Ended),
            Either::Right(None) => {
                let message = format!("nothing was said for {} s", time.as_secs_f32());
                self.answer(Err(Refusal::new(RefusalKind::Idle, message)))
                    .await?;
                Err(Ended)
            }
        }
    }

    fn audit(&self, event: AuditEvent<'_>) -> bool {
        self.host.audit.report(&self.peer, event)
    }

    fn read(&self, line: Line) -> Result<Command, Refusal> {
        let line = match line {
            Line::Text(line) => line,
            Line::NotUtf8 => {
                return Err(Refusal::new(RefusalKind::NotUtf8, "the line is no UTF-8"));
            }
            Line::TooLong => {
                let message = format!("the line has more than {} bytes", self.host.limits.line);
                return Err(Refusal::new(RefusalKind::LineTooLong, message));
            }
        };
        if !self.audit(AuditEvent::Line(&line)) {
            return Err(Refusal::new(RefusalKind::Panicked, "the audit panicked"));
        }
        let pool_kind = self.host.handler.pool_kind();
        parse(&line, pool_kind).map_err(|misuse| {
            let usage = usage(misuse.command, pool_kind, self.width).short();
            Refusal::wrong_usage(misuse.message, usage)
                .of_command(misuse.command.unwrap_or_default())
        })
    }

    /// Executes a command for as long as the client is connected.
    async fn execute(&mut self, command: Command) -> Result<Result<Reply, Refusal>, Ended> {
        let host = self.host.clone();
        let only_waits = command.only_waits();
        let mut run = pin!(AssertUnwindSafe(host.handler.run(command, self.width)).catch_unwind());
        let first = either(&mut run, self.lines.until_end()).await;
        let ran = match first {
            Either::Left(ran) => Some(ran),
            Either::Right(Err(_)) => None,
            Either::Right(Ok(())) if only_waits => None,
            // The client has closed its half only and waits for the answer, or it has gone: the server cannot tell
            // which.
            Either::Right(Ok(())) => {
                self.free_session();
                let time = HALF_CLOSED.min(self.host.limits.idle);
                let ran = async |_: &mut Self| Ok(within(time, run).await);
                self.unless_evicted(ran).await.flatten()
            }
        };
        let panicked = || Refusal::new(RefusalKind::Panicked, "the command panicked");
        Ok(ran.ok_or(Ended)?.unwrap_or_else(|_| Err(panicked())))
    }

    /// Answers at each interval until the client sends a line. Returns this line, unless it is empty.
    async fn watch(
        &mut self,
        group: Option<String>,
        every: Duration,
    ) -> Result<Option<Line>, Ended> {
        loop {
            let command = Command::Watch {
                group: group.clone(),
                every,
            };
            let answer = self.execute(command).await?;
            let is_refused = answer.is_err();
            self.answer(answer).await?;
            if is_refused {
                return Ok(None);
            }
            let next = either(self.lines.next(), Timer::after(every));
            match either(self.host.ending.wait(), next).await {
                Either::Left(_) => return Err(Ended),
                Either::Right(Either::Right(_)) => {}
                Either::Right(Either::Left(line)) => {
                    let line = line?.ok_or(Ended)?;
                    self.answer(Ok(Reply::Done)).await?;
                    return Ok(Some(line).filter(|line| *line != Line::Text(String::new())));
                }
            }
        }
    }

    async fn answer(&mut self, answer: Result<Reply, Refusal>) -> Result<(), Ended> {
        let line = self.format.write(&answer);
        // The answer is no longer needed, and a list uses as much memory as its text. Writing may take long, so it is
        // dropped first.
        drop(answer);
        let write = async |session: &mut Self| session.write(&line).await;
        self.unless_evicted(write).await.ok_or(Ended)
    }

    async fn write(&mut self, line: &str) -> Result<(), Ended> {
        let patience = if line.len() > SMALL {
            self.host.limits.idle.min(LARGE_UNREAD)
        } else {
            self.host.limits.idle
        };
        let mut left = line.as_bytes();
        self.is_answering = true;
        while !left.is_empty() {
            let written = within(patience, self.stream.write(left));
            match written.await.ok_or(Ended)?? {
                0 => return Err(Ended),
                count => left = &left[count..],
            }
        }
        self.is_answering = false;
        Ok(())
    }
}
