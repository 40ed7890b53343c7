use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;

use futures_util::io::AsyncRead;

use super::time::yield_now;

/// Takes what a client sends apart into lines, of which none is too long.
pub(super) struct Lines<R> {
    from: R,
    /// What was read and not taken yet: never more than `most` bytes and a chunk.
    read: Vec<u8>,
    /// So much of it is known to hold no line's end.
    searched: usize,
    most: usize,
    /// The rest of a line that was too long is to be thrown away.
    skips: bool,
    ended: bool,
}

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    TooLong,
    NotUtf8,
}

const CHUNK: usize = 4096;

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(from: R, most: usize) -> Self {
        Self {
            from,
            read: Vec::new(),
            searched: 0,
            most,
            skips: false,
            ended: false,
        }
    }

    /// Waits for the next line; `None` if there will be no more. Dropped before, it loses nothing.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            if let Some(line) = self.take() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            self.fill().await?;
        }
    }

    /// Throws away what comes, until nothing more does.
    pub(super) async fn drain(&mut self) -> io::Result<()> {
        while !self.ended {
            self.read.clear();
            self.fill().await?;
        }
        Ok(())
    }

    /// Waits until the client has no more to say, while there is room for what it says before.
    pub(super) async fn until_end(&mut self) -> io::Result<()> {
        while !self.ended {
            if self.read.len() >= self.most {
                pending::<()>().await;
            }
            self.fill().await?;
        }
        Ok(())
    }

    async fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; CHUNK];
        let from = &mut self.from;
        let count = poll_fn(|cx| Pin::new(&mut *from).poll_read(cx, &mut chunk)).await?;
        self.read.extend_from_slice(&chunk[..count]);
        self.ended = count == 0;
        // A client that never pauses is not to hold up the others, nor the clock.
        yield_now().await;
        Ok(())
    }

    /// Takes a line that is there.
    fn take(&mut self) -> Option<Line> {
        loop {
            let fresh = &self.read[self.searched..];
            let end = fresh.iter().position(|byte| *byte == b'\n');
            let Some(end) = end.map(|at| self.searched + at) else {
                return self.take_unended();
            };
            let rest = self.read.split_off(end + 1);
            let line = std::mem::replace(&mut self.read, rest);
            self.searched = 0;
            if std::mem::take(&mut self.skips) {
                continue;
            }
            return Some(self.judge(&line[..end]));
        }
    }

    fn take_unended(&mut self) -> Option<Line> {
        if self.skips {
            self.read.clear();
        }
        self.searched = self.read.len();
        if self.read.len() > self.most {
            self.skips = true;
            self.read.clear();
            self.searched = 0;
            return Some(Line::TooLong);
        }
        if self.ended && !self.read.is_empty() {
            let line = std::mem::take(&mut self.read);
            self.searched = 0;
            return Some(self.judge(&line));
        }
        None
    }

    fn judge(&self, line: &[u8]) -> Line {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > self.most {
            return Line::TooLong;
        }
        match std::str::from_utf8(line) {
            Ok(line) => Line::Text(line.to_owned()),
            Err(_) => Line::NotUtf8,
        }
    }
}
