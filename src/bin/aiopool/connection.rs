//! The connection to the server that the user has named: a control server of this crate, or of asyncio-taskpool 1.1.4.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use aiopool::control::protocol::{Answer, Command, Format, Refusal, RefusalKind, Reply};
use aiopool::control::{Client, ClientError, LineSender};

use crate::address::Address;
use crate::failure::Failure;
use crate::text_protocol;

/// Maximum time for an answer, unless the command itself waits.
const ANSWER: Duration = Duration::from_secs(30);

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
    client: Client,
    /// `true` after a failure, until the connection is [revived](Connection::revive).
    is_broken: bool,
}

/// Stops a command that the server is executing.
#[derive(Debug)]
pub(crate) struct Stopper {
    sender: LineSender,
    /// `true` if the first attempt is to send an empty line, which ends a `watch`. Otherwise, and if that does not
    /// help, the connection is closed.
    line_first: bool,
}

impl Connection {
    /// Connects, sends the handshake, and detects the protocol.
    pub(crate) fn open(login: &Login) -> Result<Self, Failure> {
        let client = connect(login).map_err(|error| not_connected(&login.address, error))?;
        Ok(Self {
            login: login.clone(),
            client,
            is_broken: false,
        })
    }

    /// Returns the server's name of its pool: `SimpleTaskPool-demo`.
    pub(crate) fn server(&self) -> &str {
        self.client.title()
    }

    pub(crate) fn address(&self) -> &Address {
        &self.login.address
    }

    /// Returns the format of the server's answers: a server of asyncio-taskpool only has text.
    pub(crate) fn format(&self) -> Format {
        self.client.format()
    }

    /// Executes a command. The server has to answer in JSON.
    pub(crate) fn run(&mut self, command: &Command) -> Result<Result<Reply, Refusal>, Failure> {
        let answer = self.request(&command.to_string())?;
        let reply = answer.into_reply(command);
        reply.map_err(|error| self.fail(error))
    }

    /// Sends a line with a command, and waits for its answer. The timeout is that of the user, or else none for a
    /// command that itself waits, and [`ANSWER`] for all others.
    pub(crate) fn request(&mut self, line: &str) -> Result<Answer, Failure> {
        let usual = (!waits(line)).then_some(ANSWER);
        self.request_within(line, self.login.timeout.or(usual))
    }

    /// Sends a line with a command, and waits for its answer for at most `timeout`. After a failure the connection is
    /// broken until it is [revived](Self::revive).
    pub(crate) fn request_within(
        &mut self,
        line: &str,
        timeout: Option<Duration>,
    ) -> Result<Answer, Failure> {
        let answer = match self.client.set_timeout(timeout) {
            Err(error) => Err(error.into()),
            Ok(()) => match self.client.format() {
                Format::Json => self.client.request(line),
                Format::Text => text_protocol::request(&mut self.client, line),
            },
        };
        self.answered(answer)
    }

    /// Waits for the next answer to a command with several answers.
    pub(crate) fn next_answer(&mut self, timeout: Option<Duration>) -> Result<Answer, Failure> {
        let answer = match self.client.set_timeout(timeout) {
            Ok(()) => self.client.next_answer(),
            Err(error) => Err(error.into()),
        };
        self.answered(answer)
    }

    /// Converts an answer into a failure if it says why the server has closed the connection.
    fn answered(&mut self, answer: Result<Answer, ClientError>) -> Result<Answer, Failure> {
        match answer {
            Ok(Answer::Refused { refusal }) if refusal.kind == RefusalKind::Idle => {
                Err(self.fail(refusal))
            }
            // Connecting again would only push out the newer client.
            Ok(Answer::Refused { refusal }) if refusal.kind == RefusalKind::Busy => {
                self.is_broken = true;
                Err(Failure::Unwelcome(self.loss(refusal)))
            }
            Ok(answer) => Ok(answer),
            Err(ClientError::UnexpectedAnswer(_)) => {
                Err(self.fail("it does not speak JSON any more"))
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    fn fail(&mut self, why: impl Display) -> Failure {
        self.is_broken = true;
        self.lost(why)
    }

    /// Returns `true` if a failure has broken the connection.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Returns `true` if the server has closed the connection since the last answer, or a failure has broken it.
    pub(crate) fn is_gone(&mut self) -> bool {
        self.is_broken || self.client.is_closed()
    }

    /// Connects again if the server has closed the connection since the last answer, as it does when a session is idle
    /// for too long. Returns `true` if it did.
    pub(crate) fn revive(&mut self) -> Result<bool, Failure> {
        let is_gone = self.is_gone();
        if is_gone {
            *self = Self::open(&self.login)?;
        }
        Ok(is_gone)
    }

    /// Returns the user's settings for the connection.
    pub(crate) fn login(&self) -> &Login {
        &self.login
    }

    /// Returns the user's timeout, if given.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.login.timeout
    }

    /// Returns a stopper for the command that is sent next, or for the `watch` that runs.
    pub(crate) fn stopper(&self, line_first: bool) -> Result<Stopper, Failure> {
        let sender = self.sender()?;
        Ok(Stopper { sender, line_first })
    }

    /// Returns a second sender of lines, for sending while this connection waits for answers.
    pub(crate) fn sender(&self) -> Result<LineSender, Failure> {
        let sender: io::Result<LineSender> = self.client.line_sender();
        sender.map_err(|error| self.lost(error))
    }

    pub(crate) fn lost(&self, why: impl Display) -> Failure {
        Failure::Connection(self.loss(why))
    }

    fn loss(&self, why: impl Display) -> String {
        format!("lost the connection to {}: {why}", self.login.address)
    }
}

fn connect(login: &Login) -> Result<Client, ClientError> {
    let mut builder = Client::builder().terminal_width(login.width.into());
    if let Some(token) = &login.token {
        builder = builder.token(token);
    }
    if let Some(timeout) = login.timeout {
        builder = builder.timeout(timeout);
    }
    match &login.address {
        Address::Tcp(address) => builder.connect_tcp(address),
        #[cfg(unix)]
        Address::Unix(path) => builder.connect_unix(path),
        #[cfg(not(unix))]
        Address::Unix(_) => {
            let message = "no Unix sockets on this system";
            Err(io::Error::new(io::ErrorKind::Unsupported, message).into())
        }
    }
}

/// Converts an error into a failure. The refusals `busy` and `idle` may pass, so the program may try again; the other
/// kinds stay.
fn not_connected(address: &Address, error: ClientError) -> Failure {
    let message = format!("cannot connect to {address}: {error}");
    match error {
        ClientError::Io(_) => Failure::Connection(message),
        ClientError::Refused(why) => match why.kind {
            RefusalKind::Busy | RefusalKind::Idle => Failure::Connection(message),
            _ => Failure::Unwelcome(message),
        },
        _ => Failure::Unwelcome(message),
    }
}

/// Returns `true` if the command may take as long as the tasks of the pool do.
fn waits(line: &str) -> bool {
    let name = line.split_whitespace().next();
    matches!(name, Some("until-closed" | "gather-and-close"))
}

impl Stopper {
    /// Stops the command: with an empty line at the first call if that can help, else by closing the connection.
    pub(crate) fn stop(&mut self) {
        let is_sent = std::mem::take(&mut self.line_first) && self.sender.send("").is_ok();
        if !is_sent {
            self.sender.close();
        }
    }
}
