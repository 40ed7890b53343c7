use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use aiopool::control::Address;
use serde_json::Value;

/// A client that waits for every answer, unless it is told not to.
pub(crate) struct Client {
    reads: BufReader<Box<dyn Read + Send>>,
    writes: Box<dyn Write + Send>,
    shut: Box<dyn Fn(Shutdown) + Send>,
    /// What the server said first.
    pub(crate) title: String,
}

/// An answer takes no longer, or the test fails.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

impl Client {
    /// Connects, and says nothing.
    pub(crate) fn mute(address: &Address) -> Self {
        match address {
            Address::Tcp(address) => Self::over_tcp(*address),
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).unwrap();
                stream.set_read_timeout(PATIENCE).unwrap();
                let (reads, writes) = (stream.try_clone().unwrap(), stream.try_clone().unwrap());
                let shut = move |how| stream.shutdown(how).unwrap();
                Self::of(Box::new(reads), Box::new(writes), Box::new(shut))
            }
            other => panic!("{other}"),
        }
    }

    fn over_tcp(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(PATIENCE).unwrap();
        stream.set_write_timeout(PATIENCE).unwrap();
        stream.set_nodelay(true).unwrap();
        let (reads, writes) = (stream.try_clone().unwrap(), stream.try_clone().unwrap());
        let shut = move |how| stream.shutdown(how).unwrap();
        Self::of(Box::new(reads), Box::new(writes), Box::new(shut))
    }

    fn of(
        reads: Box<dyn Read + Send>,
        writes: Box<dyn Write + Send>,
        shut: Box<dyn Fn(Shutdown) + Send>,
    ) -> Self {
        let reads = BufReader::new(reads);
        let title = String::new();
        Self {
            reads,
            writes,
            shut,
            title,
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
        self.writes.write_all(bytes).unwrap();
    }

    /// Sends what the server may be too tired to take.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.writes.write_all(bytes).is_ok()
    }

    /// Reads a line, without its end.
    pub(crate) fn read(&mut self) -> String {
        let mut line = String::new();
        self.reads.read_line(&mut line).unwrap();
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

    /// Says that nothing more will be said.
    pub(crate) fn finish(&mut self) {
        (self.shut)(Shutdown::Write);
    }

    /// Reads all that there is before the connection ends.
    pub(crate) fn read_to_end(&mut self) -> String {
        let mut rest = Vec::new();
        match self.reads.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}"),
        }
        String::from_utf8(rest).unwrap()
    }
}
