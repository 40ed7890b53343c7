//! A session with a control server of this crate, or of asyncio-taskpool 1.1.4.
//!
//! The handshake asks for JSON. A server that answers in JSON uses it from then on; any other server only has text.
//!
//! In the JSON protocol, a reply is one line. In the text protocol, nothing marks the end of a reply. So each command
//! is followed by a second one with a known reply: a line `True` or `False`, which comes after the reply to the first.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::time::Duration;

use serde_json::json;

use crate::address::Address;
use crate::failure::Failure;
use crate::reply::{Refusal, Reply};
use crate::socket::Socket;

const LONGEST_GREETING: u64 = 1 << 16;

/// Maximum time for connecting, and for the handshake.
const GREETING: Duration = Duration::from_secs(5);

/// Maximum time for an answer, unless the command itself waits.
const ANSWER: Duration = Duration::from_secs(30);

/// A command that every server has and that changes nothing.
const PROBE: &str = "is-locked";

/// The user's settings for the connection.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) address: Address,
    pub(crate) token: Option<String>,
    /// Width in columns to which the server wraps help texts.
    pub(crate) width: u16,
    /// The user's timeout for connecting and for each answer, if given.
    pub(crate) timeout: Option<Duration>,
}

/// A connection to a server, in both directions.
#[derive(Debug)]
pub(crate) struct Connection {
    login: Login,
    server: String,
    wire: Wire,
    reader: BufReader<Socket>,
    sender: Sender,
    /// `true` after a failure: an answer may still be outstanding, and would be taken for the next one.
    is_broken: bool,
}

/// Stops a command that the server is executing.
#[derive(Debug)]
pub(crate) struct Stopper {
    socket: Sender,
    /// `true` if the first attempt is to send an empty line, which ends a `watch`. Otherwise, and if that does not
    /// help, the connection is closed.
    line_first: bool,
}

/// The writing half of a connection, which another thread can use.
#[derive(Debug)]
pub(crate) struct Sender(Socket);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Text,
    Json,
}

impl Connection {
    /// Connects, sends the handshake, and detects the protocol.
    pub(crate) fn open(login: &Login) -> Result<Self, Failure> {
        let address = &login.address;
        let failed =
            |error: io::Error| Failure::Connection(format!("cannot connect to {address}: {error}"));
        let patience = login.timeout.unwrap_or(GREETING);
        let socket = Socket::connect(address, patience).map_err(failed)?;
        let mut connection = Self {
            login: login.clone(),
            server: String::new(),
            wire: Wire::Text,
            sender: Sender(socket.another().map_err(failed)?),
            reader: BufReader::new(socket),
            is_broken: false,
        };
        let answer = connection.greet().map_err(|error| failed(explain(error)))?;
        connection.understand(&answer)?;
        Ok(connection)
    }

    /// Returns the server's name of its pool: `SimpleTaskPool-demo`.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn address(&self) -> &Address {
        &self.login.address
    }

    pub(crate) fn wire(&self) -> Wire {
        self.wire
    }

    /// Sends one command, and waits for its reply. The timeout is that of the user, or else none for a command that
    /// itself waits, and [`ANSWER`] for all others.
    pub(crate) fn ask(&mut self, command: &str) -> Result<Reply, Failure> {
        let usual = (!waits(command)).then_some(ANSWER);
        self.ask_within(command, self.login.timeout.or(usual))
    }

    /// Sends one command, and waits for its reply for at most `patience`. After a failure the connection is broken
    /// until it is [revived](Self::revive).
    pub(crate) fn ask_within(
        &mut self,
        command: &str,
        patience: Option<Duration>,
    ) -> Result<Reply, Failure> {
        let set = self.reader.get_ref().patient(patience);
        let reply = set.and_then(|()| match self.wire {
            Wire::Json => self.sender.send(command).and_then(|()| self.receive()),
            Wire::Text => self.ask_in_text(command),
        });
        self.answered(reply)
    }

    /// Returns `true` if a failure has broken the connection.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Converts a reply into a failure if it says why the server has closed the connection.
    fn answered(&mut self, reply: io::Result<Reply>) -> Result<Reply, Failure> {
        match reply {
            Ok(Reply::Refused(why)) if why.kind == "idle" => {
                Err(self.fail(io::Error::other(why.message)))
            }
            // Connecting again would only push out the newer client.
            Ok(Reply::Refused(why)) if why.kind == "busy" => {
                self.is_broken = true;
                Err(Failure::Unwelcome(self.loss(why.message)))
            }
            reply => reply.map_err(|error| self.fail(error)),
        }
    }

    fn fail(&mut self, error: io::Error) -> Failure {
        self.is_broken = true;
        self.reader.get_ref().end();
        self.lost(explain(error))
    }

    /// Connects again if the server has closed the connection since the last reply, as it does when a session is idle
    /// for too long. Returns `true` if it did.
    pub(crate) fn revive(&mut self) -> Result<bool, Failure> {
        let is_gone = self.is_gone();
        if is_gone {
            *self = Self::open(&self.login)?;
        }
        Ok(is_gone)
    }

    /// Returns `true` if the server has closed the connection since the last reply, or a failure has broken it.
    pub(crate) fn is_gone(&mut self) -> bool {
        self.is_broken || self.has_hung_up().unwrap_or(true)
    }

    /// Returns the user's settings for the connection.
    pub(crate) fn login(&self) -> &Login {
        &self.login
    }

    /// Returns `true` if there are bytes to read, or the end. As no command is outstanding, both mean that the server
    /// has ended the session.
    fn has_hung_up(&mut self) -> io::Result<bool> {
        self.reader.get_ref().blocking(false)?;
        let read = self.reader.fill_buf().map(|_| ());
        self.reader.get_ref().blocking(true)?;
        Ok(!matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock))
    }

    /// Waits for the next reply of a command with several replies.
    pub(crate) fn next_reply(&mut self, patience: Option<Duration>) -> Result<Reply, Failure> {
        let set = self.reader.get_ref().patient(patience);
        let reply = set.and_then(|()| self.receive());
        self.answered(reply)
    }

    /// Returns the user's timeout, if given.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.login.timeout
    }

    /// Returns a stopper for the command that is sent next, or for the `watch` that runs.
    pub(crate) fn stopper(&self, line_first: bool) -> Result<Stopper, Failure> {
        let socket = self.sender()?;
        Ok(Stopper { socket, line_first })
    }

    /// Returns a second writing half, for sending lines while this connection waits for replies.
    pub(crate) fn sender(&self) -> Result<Sender, Failure> {
        let socket = self.sender.0.another().map_err(|error| self.lost(error))?;
        Ok(Sender(socket))
    }

    /// Sends the handshake, and returns the answer.
    fn greet(&mut self) -> io::Result<String> {
        let login = &self.login;
        let mut greeting = json!({ "terminal_width": login.width, "format": "json" });
        if let Some(token) = &login.token {
            greeting["token"] = token.as_str().into();
        }
        let patience = login.timeout.unwrap_or(GREETING);
        self.reader.get_ref().patient(Some(patience))?;
        self.sender.send(&greeting.to_string())?;
        line(&mut self.reader.by_ref().take(LONGEST_GREETING))
    }

    /// Detects the protocol from the answer, and fails if the server does not admit the client.
    fn understand(&mut self, answer: &str) -> Result<(), Failure> {
        let failed = |why: &str| format!("cannot connect to {}: {why}", self.login.address);
        (self.wire, self.server) = match Reply::from_json(answer) {
            Some(Reply::Done(server)) => (Wire::Json, server.as_str().unwrap_or_default().into()),
            Some(Reply::Refused(why)) => return Err(turned_away(&why, failed(&why.message))),
            None if is_title(answer) => (Wire::Text, answer.into()),
            None => return Err(Failure::Unwelcome(failed("it is no control server"))),
        };
        Ok(())
    }

    fn receive(&mut self) -> io::Result<Reply> {
        let line = line(&mut self.reader)?;
        let garbled = || io::Error::new(ErrorKind::InvalidData, "it does not speak JSON any more");
        Reply::from_json(&line).ok_or_else(garbled)
    }

    fn ask_in_text(&mut self, command: &str) -> io::Result<Reply> {
        self.sender.send(&format!("{command}\n{PROBE}"))?;
        let mut text = line(&mut self.reader)?;
        loop {
            match line(&mut self.reader) {
                Ok(end) if end == "True" || end == "False" => break,
                Ok(more) => text = text + "\n" + &more,
                // The server has answered and closed the connection.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Reply::from_text(command, &text))
    }

    pub(crate) fn lost(&self, error: impl Display) -> Failure {
        Failure::Connection(self.loss(error))
    }

    fn loss(&self, why: impl Display) -> String {
        format!("lost the connection to {}: {why}", self.login.address)
    }
}

/// Converts a refusal of the handshake into a failure. `busy` and `idle` may pass, so the client may try again; the
/// other kinds stay.
fn turned_away(why: &Refusal, message: String) -> Failure {
    match &*why.kind {
        "busy" | "idle" => Failure::Connection(message),
        _ => Failure::Unwelcome(message),
    }
}

/// Returns `true` if the command may take as long as the tasks of the pool do.
fn waits(command: &str) -> bool {
    let name = command.split_whitespace().next();
    matches!(name, Some("until-closed" | "gather-and-close"))
}

impl Stopper {
    /// Stops the command: with an empty line at the first call if that can help, else by closing the connection.
    pub(crate) fn stop(&mut self) {
        let asked = std::mem::take(&mut self.line_first) && self.socket.send("").is_ok();
        if !asked {
            self.socket.0.end();
        }
    }
}

impl Sender {
    /// Sends a line in one write, so that it is not split into two packets.
    pub(crate) fn send(&mut self, line: &str) -> io::Result<()> {
        self.0.write_all(format!("{line}\n").as_bytes())
    }
}

/// Returns `true` for a title of a pool: its class, `-`, and its name, such as `SimpleTaskPool-0`.
fn is_title(line: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let class = line.split_once('-').map_or("", |title| title.0);
    !class.is_empty() && class.chars().all(is_part)
}

/// Reads the next line, without its end.
fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    reader.read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::Error::new(
            ErrorKind::UnexpectedEof,
            "the server has closed it",
        ));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Replaces the system's message for a timeout, "temporarily unavailable", by a clear one.
fn explain(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            io::Error::new(ErrorKind::TimedOut, "no answer in time")
        }
        _ => error,
    }
}
