use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::time::Duration;

use super::super::protocol::{Answer, Command, Format, Handshake, Reply};
use super::error::ClientError;
use super::line_sender::LineSender;
use super::socket::Socket;

/// A connection to a control server, in JSON.
///
/// All methods block the thread. In asynchronous code, use it on a thread for blocking work, or use the types of
/// [`protocol`](crate::control::protocol) with the sockets of the runtime.
///
/// # Dropping
///
/// Dropping it closes the connection. A command that has not been answered may be executed all the same.
///
/// # Examples
///
/// ```
/// # let runtime = tokio::runtime::Runtime::new().unwrap();
/// # let pool = aiopool::AioPool::builder().size(10).name("demo").build().unwrap();
/// # let builder = aiopool::control::ControlServer::builder(&pool);
/// # let (server, serving) = runtime.block_on(builder.serve_tcp("127.0.0.1:0")).unwrap();
/// # runtime.spawn(serving);
/// # let address = server.local_addr().to_string();
/// use aiopool::control::Client;
/// use aiopool::control::protocol::{Command, Reply};
///
/// let mut client = Client::builder().connect_tcp(address)?;
/// assert_eq!(client.title(), "AioPool-demo");
/// client.run(&Command::Resize { size: 20, group: None })?;
/// if let Reply::Stats(stats) = client.run(&Command::Stats(None))? {
///     println!("{} of {} are active", stats.pool.active, stats.pool.size);
/// #   assert_eq!(stats.pool.size, 20);
/// }
/// # Ok::<(), aiopool::control::ClientError>(())
/// ```
#[derive(Debug)]
pub struct Client {
    title: String,
    format: Format,
    reader: BufReader<Socket>,
    sender: LineSender,
    /// `true` after a failure: an answer may still be outstanding, and would be taken for the next one.
    is_broken: bool,
}

/// Maximum length of the answer to the handshake, in bytes. A server of another kind may send anything.
const LONGEST_TITLE: u64 = 1 << 16;

impl Client {
    /// Shakes hands with the server.
    pub(super) fn new(
        socket: Socket,
        handshake: &Handshake,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        let mut client = Self {
            title: String::new(),
            format: Format::Text,
            sender: LineSender::new(socket.try_clone()?),
            reader: BufReader::new(socket),
            is_broken: false,
        };
        client.set_timeout(Some(timeout))?;
        client.send_line(&handshake.to_string())?;
        let line = read_line(&mut client.reader.by_ref().take(LONGEST_TITLE))?;
        (client.format, client.title) = match line.parse() {
            Ok(Answer::Done { value, .. }) => {
                (Format::Json, value.as_str().unwrap_or_default().into())
            }
            Ok(Answer::Refused { refusal }) => return Err(ClientError::Refused(refusal)),
            Err(_) if is_title(&line) => (Format::Text, line),
            Err(_) => return Err(ClientError::NotAServer),
        };
        client.set_timeout(None)?;
        Ok(client)
    }

    /// Returns the server's name for its pool: `AioPool-{name}` or `SimpleTaskPool-{name}`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the format in which the server answers. It is [`Format::Text`] for a server of asyncio-taskpool, which
    /// knows no other. With such a server, use [`send_line`](Self::send_line) and [`read_line`](Self::read_line): the
    /// other methods expect JSON.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Sets how long each answer may take. `None`, which is the default, waits for ever.
    ///
    /// # Errors
    ///
    /// Returns the error of the system, also if the timeout is zero.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.reader.get_ref().set_timeout(timeout)
    }

    /// Executes a command, and waits for its reply. For `watch`, this is the first of the replies:
    /// [`next_reply`](Self::next_reply) waits for the others.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError::Refused`] if the server refuses the command. After any other error, and after a refusal
    /// that [ends the session](crate::control::protocol::RefusalKind::ends_session), the connection is closed.
    pub fn run(&mut self, command: &Command) -> Result<Reply, ClientError> {
        let answer = self.request(&command.to_string())?;
        self.reply(command, answer)
    }

    /// Waits for the next reply to a `watch`. The last one, after the next line was sent, is [`Reply::Done`].
    ///
    /// # Errors
    ///
    /// The same as for [`run`](Self::run).
    ///
    /// # Examples
    ///
    /// ```
    /// # let runtime = tokio::runtime::Runtime::new().unwrap();
    /// # let builder = aiopool::control::ControlServer::builder(aiopool::AioPool::new(10));
    /// # let (server, serving) = runtime.block_on(builder.serve_tcp("127.0.0.1:0")).unwrap();
    /// # runtime.spawn(serving);
    /// # let address = server.local_addr().to_string();
    /// use std::time::Duration;
    ///
    /// use aiopool::control::Client;
    /// use aiopool::control::protocol::{Command, Reply};
    ///
    /// let mut client = Client::builder().connect_tcp(address)?;
    /// let watch = Command::Watch { group: None, every: Duration::from_millis(100) };
    /// let first = client.run(&watch)?;
    /// let second = client.next_reply(&watch)?;
    /// # assert!(matches!((first, second), (Reply::Stats(_), Reply::Stats(_))));
    /// client.send_line("")?;               // ends it
    /// while client.next_reply(&watch)? != Reply::Done {}
    /// # Ok::<(), aiopool::control::ClientError>(())
    /// ```
    pub fn next_reply(&mut self, command: &Command) -> Result<Reply, ClientError> {
        let answer = self.next_answer()?;
        self.reply(command, answer)
    }

    /// Sends a line, and waits for its answer. This is for lines that the user has typed: the program need not know the
    /// command.
    ///
    /// A refusal is an [`Answer`], too, and no error.
    ///
    /// # Errors
    ///
    /// Returns an error if the line cannot be sent, or if there is no answer to it. The connection is closed then.
    ///
    /// # Examples
    ///
    /// ```
    /// # let runtime = tokio::runtime::Runtime::new().unwrap();
    /// # let builder = aiopool::control::ControlServer::builder(aiopool::AioPool::new(10));
    /// # let (server, serving) = runtime.block_on(builder.serve_tcp("127.0.0.1:0")).unwrap();
    /// # runtime.spawn(serving);
    /// # let address = server.local_addr().to_string();
    /// use aiopool::control::Client;
    ///
    /// let mut client = Client::builder().connect_tcp(address)?;
    /// assert_eq!(client.request("pool-size")?.to_string(), r#"{"ok":10}"#);
    /// assert!(client.request("no-such-command")?.to_string().starts_with(r#"{"error":"#));
    /// # Ok::<(), aiopool::control::ClientError>(())
    /// ```
    pub fn request(&mut self, line: &str) -> Result<Answer, ClientError> {
        self.send_line(line)?;
        self.next_answer()
    }

    /// Waits for the next answer.
    ///
    /// # Errors
    ///
    /// The same as for [`request`](Self::request).
    pub fn next_answer(&mut self) -> Result<Answer, ClientError> {
        let line = self.read_line()?;
        let answer = line.parse().map_err(|error| self.unexpected(error))?;
        if let Answer::Refused { refusal } = &answer {
            self.is_broken |= refusal.kind.ends_session();
        }
        Ok(answer)
    }

    /// Sends a line.
    ///
    /// # Errors
    ///
    /// Returns the error of the system. The connection is closed then.
    pub fn send_line(&mut self, line: &str) -> io::Result<()> {
        self.check()?;
        let sent = self.sender.send(line);
        sent.map_err(|error| self.broken(error))
    }

    /// Waits for the next line of the server, and returns it without its end.
    ///
    /// # Errors
    ///
    /// Returns the error of the system; [`TimedOut`](ErrorKind::TimedOut) if it takes longer than the
    /// [timeout](Self::set_timeout); [`UnexpectedEof`](ErrorKind::UnexpectedEof) if the server has closed the
    /// connection. The connection is closed then.
    pub fn read_line(&mut self) -> io::Result<String> {
        self.check()?;
        let line = read_line(&mut self.reader);
        line.map_err(|error| self.broken(error))
    }

    /// Returns `true` if the connection has failed, or if the server has closed it since the last answer, as it does
    /// when a session is idle for too long.
    ///
    /// The answer is only right while no command is being executed.
    pub fn is_closed(&mut self) -> bool {
        self.is_broken || self.has_input().unwrap_or(true)
    }

    /// Returns a sender of lines for another thread. It can also close the connection, which makes a method of the
    /// client that waits return an error.
    ///
    /// # Errors
    ///
    /// Returns the error of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// # let runtime = tokio::runtime::Runtime::new().unwrap();
    /// # let builder = aiopool::control::ControlServer::builder(aiopool::AioPool::new(10));
    /// # let (server, serving) = runtime.block_on(builder.serve_tcp("127.0.0.1:0")).unwrap();
    /// # runtime.spawn(serving);
    /// # let address = server.local_addr().to_string();
    /// use std::thread;
    ///
    /// use aiopool::control::Client;
    /// use aiopool::control::protocol::Command;
    ///
    /// let mut client = Client::builder().connect_tcp(address)?;
    /// let sender = client.line_sender()?;
    /// let waiting = thread::spawn(move || client.run(&Command::UntilClosed));
    /// sender.close();
    /// assert!(waiting.join().unwrap().is_err());
    /// # Ok::<(), aiopool::control::ClientError>(())
    /// ```
    pub fn line_sender(&self) -> io::Result<LineSender> {
        self.sender.try_clone()
    }

    fn reply(&mut self, command: &Command, answer: Answer) -> Result<Reply, ClientError> {
        match answer.into_reply(command) {
            Ok(result) => result.map_err(ClientError::Refused),
            Err(error) => Err(self.unexpected(error)),
        }
    }

    fn check(&self) -> io::Result<()> {
        match self.is_broken {
            false => Ok(()),
            true => Err(io::Error::new(
                ErrorKind::NotConnected,
                "it is closed after an error",
            )),
        }
    }

    fn unexpected(&mut self, error: serde_json::Error) -> ClientError {
        self.close();
        ClientError::UnexpectedAnswer(error)
    }

    fn broken(&mut self, error: io::Error) -> io::Error {
        self.close();
        explain(error)
    }

    fn close(&mut self) {
        self.is_broken = true;
        self.reader.get_ref().close();
    }

    /// Returns `true` if there are bytes to read, or the end. As no command is outstanding, both mean that the server
    /// has ended the session.
    fn has_input(&mut self) -> io::Result<bool> {
        self.reader.get_ref().set_blocking(false)?;
        let read = self.reader.fill_buf().map(|_| ());
        self.reader.get_ref().set_blocking(true)?;
        Ok(!matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock))
    }
}

/// Returns `true` for a title of a pool in the text format: its class, `-`, and its name, such as `SimpleTaskPool-0`.
fn is_title(line: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let class = line.split_once('-').map_or("", |title| title.0);
    !class.is_empty() && class.chars().all(is_part)
}

/// Reads the next line, without its end.
fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    reader.read_until(b'\n', &mut bytes).map_err(explain)?;
    if bytes.pop() != Some(b'\n') {
        let message = "the server has closed it";
        return Err(io::Error::new(ErrorKind::UnexpectedEof, message));
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
