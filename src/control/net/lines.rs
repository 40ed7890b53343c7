use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;

use futures_util::io::AsyncRead;

use crate::coop;

/// Splits the bytes that a client sends into lines of bounded length.
pub(crate) struct Lines<R> {
    from: R,
    /// Bytes that were read: never more than `most` bytes, a `\r` and a chunk.
    read: Vec<u8>,
    /// Number of bytes at the start of `read` that were already returned as lines.
    taken: usize,
    /// Index into `read` up to which the untaken bytes contain no `\n`, so that no byte is searched twice.
    searched: usize,
    most: usize,
    /// `true` while the rest of a line that was too long is discarded.
    skips: bool,
    ended: bool,
}

/// A line of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Text(String),
    TooLong,
    NotUtf8,
}

const CHUNK: usize = 4096;

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(from: R, most: usize) -> Self {
        Self {
            from,
            read: Vec::new(),
            taken: 0,
            searched: 0,
            most,
            skips: false,
            ended: false,
        }
    }

    /// Waits for the next line. Returns `None` at the end of the input. If the future is dropped, no input is lost.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
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

    /// Discards all input until its end.
    pub(super) async fn drain(&mut self) -> io::Result<()> {
        while !self.ended {
            self.searched = self.read.len();
            self.forget_all();
            self.fill().await?;
        }
        Ok(())
    }

    /// Waits until the end of the input, and buffers lines that arrive before it. Stops reading while the buffer is
    /// full.
    pub(super) async fn until_end(&mut self) -> io::Result<()> {
        while !self.ended {
            if self.read.len() - self.taken >= self.most {
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
        self.forget_taken();
        self.read.extend_from_slice(&chunk[..count]);
        self.ended = count == 0;
        // A client that never pauses must not delay the other sessions or the timers, which share this future.
        coop::yield_once().await;
        Ok(())
    }

    /// Takes the next line from the buffer, if there is a whole one.
    fn take(&mut self) -> Option<Line> {
        loop {
            let fresh = &self.read[self.searched..];
            let Some(length) = fresh.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.read.len();
                return self.take_unended();
            };
            let end = self.searched + length;
            let line = self.judge(&self.read[self.taken..end]);
            self.taken = end + 1;
            self.searched = self.taken;
            if !std::mem::take(&mut self.skips) {
                return Some(line);
            }
        }
    }

    fn take_unended(&mut self) -> Option<Line> {
        let left = &self.read[self.taken..];
        if self.skips {
            self.forget_all();
        } else if bare(left).len() > self.most {
            self.skips = true;
            self.forget_all();
            return Some(Line::TooLong);
        } else if self.ended && !left.is_empty() {
            let line = self.judge(left);
            self.forget_all();
            return Some(line);
        }
        None
    }

    fn forget_all(&mut self) {
        self.taken = self.read.len();
        self.forget_taken();
    }

    fn forget_taken(&mut self) {
        self.read.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
    }

    fn judge(&self, line: &[u8]) -> Line {
        let line = bare(line);
        if line.len() > self.most {
            return Line::TooLong;
        }
        match std::str::from_utf8(line) {
            Ok(line) => Line::Text(line.to_owned()),
            Err(_) => Line::NotUtf8,
        }
    }
}

/// Strips a `\r` from the end of a line.
fn bare(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::task::{Context, Poll};

    use async_io::block_on;

    use super::*;

    /// A reader that returns its input in pieces.
    struct Pieces(VecDeque<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let piece = self.0.pop_front().unwrap_or_default();
            buffer[..piece.len()].copy_from_slice(&piece);
            Poll::Ready(Ok(piece.len()))
        }
    }

    fn judged(line: &[u8], most: usize) -> Line {
        let line = bare(line);
        match String::from_utf8(line.to_vec()) {
            _ if line.len() > most => Line::TooLong,
            Ok(text) => Line::Text(text),
            Err(_) => Line::NotUtf8,
        }
    }

    fn all(sent: &[u8], piece: usize, most: usize) -> Vec<Line> {
        let pieces = sent.chunks(piece).map(<[u8]>::to_vec).collect();
        let mut lines = Lines::new(Pieces(pieces), most);
        let mut all = Vec::new();
        while let Some(line) = block_on(lines.next()).unwrap() {
            all.push(line);
            assert!(lines.read.len() <= most + CHUNK);
        }
        all
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let mut state = 9_u64;
        let mut roll = |sides: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % sides
        };
        for _ in 0..3_000 {
            let letters = b"ab\n\n\r\xc3\xa9";
            let sent: Vec<u8> = (0..roll(60))
                .map(|_| letters[roll(letters.len() as u64) as usize])
                .collect();
            let (piece, most) = (roll(9) as usize + 1, roll(12) as usize + 1);
            let mut expected: Vec<_> = sent.split(|byte| *byte == b'\n').collect();
            if expected.last().is_some_and(|last| last.is_empty()) {
                expected.pop();
            }
            let expected: Vec<_> = expected
                .into_iter()
                .map(|line| judged(line, most))
                .collect();
            assert_eq!(
                all(&sent, piece, most),
                expected,
                "{sent:?} in {piece}, {most}"
            );
        }
    }

    #[test]
    fn what_was_sent_ahead_is_kept_until_its_turn() {
        let pieces = [&b"a\nb"[..], b"c\n", b"d"].map(<[u8]>::to_vec).into();
        let mut lines = Lines::new(Pieces(pieces), 100);
        assert_eq!(
            block_on(lines.next()).unwrap(),
            Some(Line::Text("a".into()))
        );
        block_on(lines.until_end()).unwrap();
        for text in ["bc", "d"] {
            assert_eq!(
                block_on(lines.next()).unwrap(),
                Some(Line::Text(text.into()))
            );
        }
        assert_eq!(block_on(lines.next()).unwrap(), None);
    }
}
