use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_io::Timer;
use async_lock::SemaphoreGuardArc;
use futures_util::FutureExt;
use futures_util::future::Either;
use futures_util::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::super::wire::{Call, Failure, Format, Handshake, Kind, Reply, parse, usage};
use super::super::yields::yield_now;
use super::audit::{AuditEvent, Peer};
use super::host::Host;
use super::lines::{Line, Lines};
use super::lobby::{Lobby, Place};
use super::time::{either, within};

/// A connection of a client, from `accept` to its end.
pub(super) struct Session<S> {
    lines: Lines<S>,
    stream: S,
    peer: Peer,
    host: Arc<Host>,
    standing: Standing,
    format: Format,
    width: usize,
    /// `true` while an answer is only partly written.
    is_answering: bool,
}

/// The kind of seat that the connection has, or its place without a seat.
enum Standing {
    /// No seat: the client has not been admitted yet, or sends no more commands. The place may be withdrawn for a newer
    /// connection.
    Waits(Place),
    Admitted {
        _seat: SemaphoreGuardArc,
    },
    /// The seat that is reserved for the newest client with a token.
    HasKeptSeat(Place),
}

/// The session ends: the client has gone, or is to be disconnected and has already been told why.
struct Over;

impl From<io::Error> for Over {
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

/// Maximum time for a client to read why it is disconnected.
const REFUSAL: Duration = Duration::from_secs(1);

impl<S: AsyncRead + AsyncWrite + Clone + Unpin> Session<S> {
    pub(super) fn new(stream: S, peer: Peer, host: Arc<Host>, place: Place) -> Self {
        Self {
            lines: Lines::new(stream.clone(), host.limits.line),
            stream,
            peer,
            host,
            standing: Standing::Waits(place),
            format: Format::Text,
            width: 80,
            is_answering: false,
        }
    }

    /// Runs the session to its end.
    pub(super) async fn hold(mut self) {
        if self.or_withdrawn(Self::meet).await.is_some() {
            self.or_withdrawn(Self::serve).await;
        }
        let is_replaced = self.is_replaced();
        self.give_up_seat();
        if is_replaced {
            self.or_withdrawn(Self::tell_replaced).await;
        }
        self.or_withdrawn(Self::part).await;
    }

    /// Runs a step for as long as the connection keeps its place. Returns `None` if the place was withdrawn or the step
    /// ended the session.
    async fn or_withdrawn<T>(
        &mut self,
        step: impl AsyncFnOnce(&mut Self) -> Result<T, Over>,
    ) -> Option<T> {
        let withdrawn = match &self.standing {
            Standing::Waits(place) | Standing::HasKeptSeat(place) => place.withdrawal(),
            Standing::Admitted { .. } => return step(self).await.ok(),
        };
        match either(withdrawn, step(self)).await {
            Either::Left(()) => None,
            Either::Right(done) => done.ok(),
        }
    }

    /// Moves the connection to a place without a seat, as its client sends no more commands.
    fn give_up_seat(&mut self) {
        if !matches!(self.standing, Standing::Waits(_)) {
            self.standing = Standing::Waits(self.host.lobby.enter());
        }
    }

    /// Returns `true` if a newer client has taken the reserved seat of this one.
    fn is_replaced(&self) -> bool {
        matches!(&self.standing, Standing::HasKeptSeat(place) if place.is_withdrawn())
    }

    /// Tells the client why it is disconnected, unless an answer is partly written: the message would be read as part
    /// of it.
    async fn tell_replaced(&mut self) -> Result<(), Over> {
        if self.is_answering {
            return Ok(());
        }
        let failure = Failure::new(Kind::Busy, "a newer client has got the last seat");
        let told = within(REFUSAL, self.answer(Err(failure))).await;
        told.ok_or(Over)?
    }

    async fn meet(&mut self) -> Result<(), Over> {
        self.shake_hands().await?;
        let Some(seated) = self.find_seat() else {
            let message = format!("there are {} sessions already", self.host.limits.sessions);
            return self.send_away(Kind::Busy, &message).await;
        };
        self.standing = seated;
        self.audit(AuditEvent::Admitted);
        let title = self.host.handler.target().title();
        self.answer(Ok(Reply::Name(title))).await
    }

    /// Takes a free seat, or else the reserved seat. Returns `None` if there is neither.
    fn find_seat(&self) -> Option<Standing> {
        let seat = self.host.seats.try_acquire_arc();
        let admitted = seat.map(|_seat| Standing::Admitted { _seat });
        let kept = || self.host.kept_seat.as_ref().map(Lobby::enter);
        admitted.or_else(|| kept().map(Standing::HasKeptSeat))
    }

    /// Closes the connection gracefully. It drains what the client still sends: if data were left unread, the system
    /// would reset the connection, and the client might lose the last answer.
    async fn part(&mut self) -> Result<(), Over> {
        let part = async {
            self.stream.close().await?;
            self.lines.drain().await
        };
        within(REFUSAL, part).await.ok_or(Over)?.map_err(Over::from)
    }

    async fn serve(&mut self) -> Result<(), Over> {
        let mut next = None;
        loop {
            let line = match next.take() {
                Some(line) => line,
                None => self.next(self.host.limits.idle).await?,
            };
            match self.read(line) {
                Ok(Call::Watch { group, every }) => next = self.watch(group, every).await?,
                Ok(call) => {
                    let answer = self.run(call).await?;
                    self.answer(answer).await?;
                }
                Err(failure) => self.answer(Err(failure)).await?,
            }
            yield_now().await;
        }
    }

    async fn shake_hands(&mut self) -> Result<(), Over> {
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
                return self.send_away(Kind::Handshake, &what).await;
            }
        };
        self.format = handshake.format;
        self.width = handshake.width;
        let token = self.host.limits.token.as_ref();
        let given = handshake.token.as_deref();
        if token.is_none_or(|token| given.is_some_and(|given| token.is(given))) {
            Ok(())
        } else {
            self.refuse_token().await
        }
    }

    /// Counts a wrong token, and tells the client after a delay that slows down guessing.
    async fn refuse_token(&mut self) -> Result<(), Over> {
        self.host.signals.count_wrong_token();
        self.audit(AuditEvent::WrongToken);
        Timer::after(WRONG_TOKEN).await;
        self.send_away(Kind::Token, "the token is missing, or is not this server's")
            .await
    }

    async fn send_away(&mut self, kind: Kind, what: &str) -> Result<(), Over> {
        self.answer(Err(Failure::new(kind, what))).await?;
        Err(Over)
    }

    /// Waits for the next line. Ends the session if the server ends, or if no line arrives within `time`.
    async fn next(&mut self, time: Duration) -> Result<Line, Over> {
        let line = within(time, self.lines.next());
        match either(self.host.ending.wait(), line).await {
            Either::Right(Some(line)) => line?.ok_or(Over),
            Either::Left(_) => Err(Over),
            Either::Right(None) => {
                let message = format!("nothing was said for {} s", time.as_secs_f32());
                self.answer(Err(Failure::new(Kind::Idle, message))).await?;
                Err(Over)
            }
        }
    }

    fn audit(&self, event: AuditEvent<'_>) -> bool {
        self.host.audit.tell(&self.peer, event)
    }

    fn read(&self, line: Line) -> Result<Call, Failure> {
        let line = match line {
            Line::Text(line) => line,
            Line::NotUtf8 => return Err(Failure::new(Kind::NotUtf8, "the line is no UTF-8")),
            Line::TooLong => {
                let message = format!("the line has more than {} bytes", self.host.limits.line);
                return Err(Failure::new(Kind::LineTooLong, message));
            }
        };
        if !self.audit(AuditEvent::Line(&line)) {
            return Err(Failure::new(Kind::Panicked, "the audit panicked"));
        }
        let sort = self.host.handler.sort();
        parse(&line, sort).map_err(|misuse| Failure {
            kind: Kind::Usage,
            message: misuse.message,
            usage: Some((
                usage(misuse.command, sort, self.width).short(),
                misuse.command.unwrap_or_default(),
            )),
        })
    }

    /// Executes a command for as long as the client is connected.
    async fn run(&mut self, call: Call) -> Result<Result<Reply, Failure>, Over> {
        let host = self.host.clone();
        let only_waits = call.only_waits();
        let mut run = pin!(AssertUnwindSafe(host.handler.run(call, self.width)).catch_unwind());
        let first = either(&mut run, self.lines.until_end()).await;
        let ran = match first {
            Either::Left(ran) => Some(ran),
            Either::Right(Err(_)) => None,
            Either::Right(Ok(())) if only_waits => None,
            // The client has closed its half only and waits for the answer, or it has gone: the server cannot tell
            // which.
            Either::Right(Ok(())) => {
                self.give_up_seat();
                let time = HALF_CLOSED.min(self.host.limits.idle);
                let ran = async |_: &mut Self| Ok(within(time, run).await);
                self.or_withdrawn(ran).await.flatten()
            }
        };
        let panicked = || Failure::new(Kind::Panicked, "the command panicked");
        Ok(ran.ok_or(Over)?.unwrap_or_else(|_| Err(panicked())))
    }

    /// Answers at each interval until the client sends a line. Returns this line, unless it is empty.
    async fn watch(
        &mut self,
        group: Option<String>,
        every: Duration,
    ) -> Result<Option<Line>, Over> {
        loop {
            let call = Call::Watch {
                group: group.clone(),
                every,
            };
            let answer = self.run(call).await?;
            let is_refused = answer.is_err();
            self.answer(answer).await?;
            if is_refused {
                return Ok(None);
            }
            let said = either(self.lines.next(), Timer::after(every));
            match either(self.host.ending.wait(), said).await {
                Either::Left(_) => return Err(Over),
                Either::Right(Either::Right(_)) => {}
                Either::Right(Either::Left(line)) => {
                    let line = line?.ok_or(Over)?;
                    self.answer(Ok(Reply::Done)).await?;
                    return Ok(Some(line).filter(|line| *line != Line::Text(String::new())));
                }
            }
        }
    }

    async fn answer(&mut self, answer: Result<Reply, Failure>) -> Result<(), Over> {
        let line = self.format.write(&answer);
        // The answer is no longer needed, and a list uses as much memory as its text. Writing may take long, so it is
        // dropped first.
        drop(answer);
        let write = async |session: &mut Self| session.write(&line).await;
        self.or_withdrawn(write).await.ok_or(Over)
    }

    async fn write(&mut self, line: &str) -> Result<(), Over> {
        let patience = if line.len() > SMALL {
            self.host.limits.idle.min(LARGE_UNREAD)
        } else {
            self.host.limits.idle
        };
        let mut left = line.as_bytes();
        self.is_answering = true;
        while !left.is_empty() {
            let written = within(patience, self.stream.write(left));
            match written.await.ok_or(Over)?? {
                0 => return Err(Over),
                count => left = &left[count..],
            }
        }
        self.is_answering = false;
        Ok(())
    }
}
