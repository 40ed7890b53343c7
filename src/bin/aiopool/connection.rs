//! A session with a control server, of this crate or of asyncio-taskpool 1.1.4.
//!
//! The handshake asks for JSON: what answers it in JSON goes on so, and what
//! does not is a server that only has text.
//!
//! On the JSON wire a reply is a line. On the text wire nothing says where a
//! reply ends, so each command is followed by a second one whose reply is
//! known: a line that is `True` or `False`, once the first has been answered.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::time::Duration;

use serde_json::json;

use crate::address::Address;
use crate::failure::Failure;
use crate::reply::{Refusal, Reply};
use crate::socket::Socket;

const LONGEST_GREETING: u64 = 1 << 16;

/// So long a server may take to accept a connection, and to greet.
const GREETING: Duration = Duration::from_secs(5);

/// So long a server may take to answer, unless the command is one that waits.
const ANSWER: Duration = Duration::from_secs(30);

/// Looks, and no more: every server has it.
const PROBE: &str = "is-locked";

/// What the user gave to connect with.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) address: Address,
    pub(crate) token: Option<String>,
    /// The columns that help is wrapped to.
    pub(crate) width: u16,
    /// How long to wait for the server, each time, if the user has said so.
    pub(crate) timeout: Option<Duration>,
}

/// The server's half of what is said, and ours.
#[derive(Debug)]
pub(crate) struct Connection {
    login: Login,
    server: String,
    wire: Wire,
    reader: BufReader<Socket>,
    sender: Sender,
    /// An answer was not waited for: the next one would be taken for it.
    is_broken: bool,
}

/// Stops what the server does for a command that goes on.
#[derive(Debug)]
pub(crate) struct Stopper {
    socket: Sender,
    /// A line ends it, if it is a `watch`; where that does not help, and otherwise, the end of the connection does.
    line_first: bool,
}

/// The half that is written to, for another thread too.
#[derive(Debug)]
pub(crate) struct Sender(Socket);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Text,
    Json,
}

impl Connection {
    /// Connects, greets, and finds out which wire it is.
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

    /// What the server calls its pool: `SimpleTaskPool-demo`.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn address(&self) -> &Address {
        &self.login.address
    }

    pub(crate) fn wire(&self) -> Wire {
        self.wire
    }

    /// Sends one command, and waits for its reply: as long as it takes for a command that waits, else as long as a
    /// server may take to answer.
    pub(crate) fn ask(&mut self, command: &str) -> Result<Reply, Failure> {
        let usual = (!waits(command)).then_some(ANSWER);
        self.ask_within(command, self.login.timeout.or(usual))
    }

    /// The same within this time. After a failure there is no connection any more, until it is [revived](Self::revive).
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

    /// Whether a failure has left no connection.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Takes a farewell for what it is: the server has hung up, and says why.
    fn answered(&mut self, reply: io::Result<Reply>) -> Result<Reply, Failure> {
        match reply {
            Ok(Reply::Refused(why)) if why.kind == "idle" => {
                Err(self.fail(io::Error::other(why.message)))
            }
            // The newer client would be sent away in its turn.
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

    /// Connects anew if the server has hung up since the last reply, as it does when nobody says anything for long.
    /// Tells whether it did.
    pub(crate) fn revive(&mut self) -> Result<bool, Failure> {
        let is_gone = self.is_gone();
        if is_gone {
            *self = Self::open(&self.login)?;
        }
        Ok(is_gone)
    }

    /// Whether the server has hung up since the last reply, or a failure has left no connection.
    pub(crate) fn is_gone(&mut self) -> bool {
        self.is_broken || self.has_hung_up().unwrap_or(true)
    }

    /// What the user gave to connect with.
    pub(crate) fn login(&self) -> &Login {
        &self.login
    }

    /// Nobody has been asked: whatever there is to be read is a farewell.
    fn has_hung_up(&mut self) -> io::Result<bool> {
        self.reader.get_ref().blocking(false)?;
        let read = self.reader.fill_buf().map(|_| ());
        self.reader.get_ref().blocking(true)?;
        Ok(!matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock))
    }

    /// The next reply of a command that has more than one.
    pub(crate) fn next_reply(&mut self, patience: Option<Duration>) -> Result<Reply, Failure> {
        let set = self.reader.get_ref().patient(patience);
        let reply = set.and_then(|()| self.receive());
        self.answered(reply)
    }

    /// How long the user would wait for the server, if that was said.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.login.timeout
    }

    /// What stops the command that is about to be sent, or the `watch` that goes on.
    pub(crate) fn stopper(&self, line_first: bool) -> Result<Stopper, Failure> {
        let socket = self.sender()?;
        Ok(Stopper { socket, line_first })
    }

    /// Sends lines while this waits for replies.
    pub(crate) fn sender(&self) -> Result<Sender, Failure> {
        let socket = self.sender.0.another().map_err(|error| self.lost(error))?;
        Ok(Sender(socket))
    }

    /// Says the first line, and returns what is answered.
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

    /// Finds out which wire it is, and whether the client is let in.
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
                // It has answered, and gone.
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

/// There may be a seat later, and time to answer. What else a server has against a client stays.
fn turned_away(why: &Refusal, message: String) -> Failure {
    match &*why.kind {
        "busy" | "idle" => Failure::Connection(message),
        _ => Failure::Unwelcome(message),
    }
}

/// Whether a command may take as long as tasks do.
fn waits(command: &str) -> bool {
    let name = command.split_whitespace().next();
    matches!(name, Some("until-closed" | "gather-and-close"))
}

impl Stopper {
    /// Stops it: asks at first, and insists then.
    pub(crate) fn stop(&mut self) {
        let asked = std::mem::take(&mut self.line_first) && self.socket.send("").is_ok();
        if !asked {
            self.socket.0.end();
        }
    }
}

impl Sender {
    /// In one piece, so that nobody has to wait for the second.
    pub(crate) fn send(&mut self, line: &str) -> io::Result<()> {
        self.0.write_all(format!("{line}\n").as_bytes())
    }
}

/// A pool is called by its class and its name: `SimpleTaskPool-0`.
fn is_title(line: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let class = line.split_once('-').map_or("", |title| title.0);
    !class.is_empty() && class.chars().all(is_part)
}

/// The next line, without its end.
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

/// Says what a silence means, which the system calls "temporarily unavailable".
fn explain(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            io::Error::new(ErrorKind::TimedOut, "no answer in time")
        }
        _ => error,
    }
}
