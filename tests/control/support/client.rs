use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use aiopool::control::Address;
use serde_json::Value;

/// A client that waits for every answer, unless it is told not to.
pub(crate) struct Client {
    stream: BufReader<Stream>,
    /// What the server said first.
    pub(crate) title: String,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// An answer takes no longer, or the test fails.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

impl Client {
    /// Connects, and says nothing.
    pub(crate) fn mute(address: &Address) -> Self {
        let stream = match address {
            Address::Tcp(address) => Stream::Tcp(TcpStream::connect(address).unwrap()),
            Address::Unix(path) => Stream::Unix(UnixStream::connect(path).unwrap()),
            other => panic!("{other}"),
        };
        if let Stream::Tcp(tcp) = &stream {
            tcp.set_write_timeout(PATIENCE).unwrap();
            tcp.set_nodelay(true).unwrap();
        }
        stream.set_patience(PATIENCE);
        Self {
            stream: BufReader::new(stream),
            title: String::new(),
        }
    }

    pub(crate) fn text(address: &Address) -> Self {
        Self::greeting(address, r#"{"terminal_width": 80}"#)
    }

    pub(crate) fn json(address: &Address) -> Self {
        Self::greeting(address, r#"{"terminal_width": 80, "format": "json"}"#)
    }

    pub(crate) fn greeting(address: &Address, handshake: &str) -> Self {
        let mut client = Self::mute(address);
        client.title = client.ask(handshake);
        client
    }

    /// Says a line, and reads one.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.read()
    }

    /// Says a line, and reads up to an empty one, which is there too.
    pub(crate) fn ask_block(&mut self, line: &str) -> String {
        self.say(line);
        self.read_block()
    }

    pub(crate) fn ask_json(&mut self, line: &str) -> Value {
        serde_json::from_str(&self.ask(line)).unwrap()
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// Sends what the server may be too tired to take.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).is_ok()
    }

    /// Reads a line, without its end.
    pub(crate) fn read(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the connection ended after {line:?}");
        line.pop();
        line
    }

    pub(crate) fn read_block(&mut self) -> String {
        let mut block = String::new();
        while !block.ends_with("\n\n") {
            block.push_str(&self.read());
            block.push('\n');
        }
        block
    }

    /// Reads several lines, of which the last is empty, and after which nothing comes for a while.
    pub(crate) fn read_until_silent(&mut self) -> String {
        let mut said = self.read_block();
        self.stream
            .get_ref()
            .set_patience(Some(Duration::from_millis(200)));
        let mut more = Vec::new();
        while self
            .stream
            .read_until(b'\n', &mut more)
            .is_ok_and(|count| count > 0)
        {}
        self.stream.get_ref().set_patience(PATIENCE);
        said.push_str(&String::from_utf8(more).unwrap());
        said
    }

    /// Says that nothing more will be said, if the server is there yet.
    pub(crate) fn finish(&mut self) {
        self.stream.get_ref().finish();
    }

    /// Reads all that there is before the connection ends.
    pub(crate) fn read_to_end(&mut self) -> String {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}"),
        }
        String::from_utf8(rest).unwrap()
    }
}

impl Stream {
    fn set_patience(&self, time: Option<Duration>) {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(time).unwrap(),
            Self::Unix(stream) => stream.set_read_timeout(time).unwrap(),
        }
    }

    fn finish(&self) {
        match self {
            Self::Tcp(stream) => _ = stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => _ = stream.shutdown(Shutdown::Write),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
