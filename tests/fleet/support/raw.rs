use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::Server;

/// A client that sends what it likes.
pub(crate) struct Raw {
    stream: BufReader<TcpStream>,
}

impl Raw {
    pub(crate) fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).expect("a connection");
        let mut raw = Self {
            stream: BufReader::new(stream),
        };
        raw.line();
        raw.send(b"CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB _INBOX.raw 1\r\n");
        raw
    }

    /// Publishes, and waits until the server has stored it, or said that it does not.
    pub(crate) fn publish(
        &mut self,
        subject: &str,
        headers: &[(&str, &str)],
        payload: &[u8],
    ) -> String {
        let mut head = b"NATS/1.0\r\n".to_vec();
        for (name, value) in headers {
            head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        let total = head.len() + payload.len();
        let command = format!("HPUB {subject} _INBOX.raw {} {total}\r\n", head.len());
        self.send(&[command.as_bytes(), &head, payload, b"\r\n"].concat());
        self.answer()
    }

    pub(crate) fn request(&mut self, subject: &str, payload: &str) -> serde_json::Value {
        let command = format!(
            "PUB {subject} _INBOX.raw {}\r\n{payload}\r\n",
            payload.len()
        );
        self.send(command.as_bytes());
        serde_json::from_str(&self.answer()).expect("JSON")
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream
            .get_mut()
            .write_all(bytes)
            .expect("a connection");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line");
        line
    }

    fn answer(&mut self) -> String {
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "the server has closed the connection");
            if line.starts_with("MSG") || line.starts_with("HMSG") {
                let length = line.split_whitespace().next_back().expect("a length");
                let mut bytes = vec![0; length.parse::<usize>().expect("a number") + 2];
                self.stream.read_exact(&mut bytes).expect("a message");
                return String::from_utf8_lossy(&bytes).trim_end().to_owned();
            }
            if line.starts_with("PING") {
                self.send(b"PONG\r\n");
            }
        }
    }
}
