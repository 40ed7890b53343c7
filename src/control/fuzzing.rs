//! What the fuzzers in `fuzz/` try about the control protocol. Each function takes one input, which may be anything, and
//! panics if a promise is broken.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_util::io::AsyncRead;

use super::net::{Line, Lines};
use super::protocol::{
    Answer, Command, Format, Handshake, PoolKind, Refusal, Reply, parse, quote, usage,
};

/// The first two bytes say how long a line may be, and in pieces of which length the rest arrives. The lines are the
/// same however the bytes are cut, and none is longer than it may be.
pub fn lines(input: &[u8]) {
    let [most, piece, sent @ ..] = input else {
        return;
    };
    let most = usize::from(*most) + 1;
    let mut expected: Vec<_> = sent.split(|byte| *byte == b'\n').collect();
    // What follows the last `\n` is a line only if there is something.
    if expected.last().is_some_and(|last| last.is_empty()) {
        expected.pop();
    }
    let expected = expected.into_iter().map(|line| judged(line, most));
    let read = read_lines(sent, usize::from(*piece) + 1, most);
    assert!(expected.eq(read), "{sent:?}");
}

/// The input is what a client sends: its first line is a handshake, and each other line is a command. What the server
/// reads, a client writes as one line, which is read as the same again. What it refuses, it refuses in one line.
pub fn session(input: &[u8]) {
    const LONGEST: usize = 4096;
    let mut lines = read_lines(input, LONGEST, LONGEST).into_iter();
    let Some(Line::Text(first)) = lines.next() else {
        return;
    };
    let handshake = match Handshake::read(&first) {
        Ok(handshake) => {
            assert_eq!(
                Handshake::read(&one_line(&handshake)),
                Ok(handshake.clone())
            );
            handshake
        }
        Err(_) => Handshake::default(),
    };
    for line in lines {
        if let Line::Text(line) = line {
            assert!(line.len() <= LONGEST);
            for pool_kind in [PoolKind::Aio, PoolKind::Simple] {
                execute(&line, pool_kind, handshake.terminal_width);
            }
        }
    }
}

/// The first line is a command, and the second one is what a server answers. What the client reads is written as a line
/// that is read as the same again.
pub fn answer(input: &[u8]) {
    let Some((asked, line)) = std::str::from_utf8(input)
        .unwrap_or_default()
        .split_once('\n')
    else {
        return;
    };
    let Ok(answer) = line.parse::<Answer>() else {
        return;
    };
    assert_eq!(
        one_line(&answer).parse::<Answer>().ok().as_ref(),
        Some(&answer)
    );
    for pool_kind in [PoolKind::Aio, PoolKind::Simple] {
        let Ok(command) = parse(asked, pool_kind) else {
            continue;
        };
        if let Ok(result) = answer.clone().into_reply(&command) {
            Format::Text.write(&result);
            assert_eq!(answered(&result, &command), result);
        }
    }
}

fn execute(line: &str, pool_kind: PoolKind, width: usize) {
    match parse(line, pool_kind) {
        Ok(command) => {
            assert_eq!(
                parse(&one_line(&command), pool_kind),
                Ok(command),
                "{line:?}"
            );
        }
        Err(misuse) => {
            let usage = usage(misuse.command, pool_kind, width).short();
            let refused = Err(Refusal::wrong_usage(misuse.message, usage));
            // A character of a line needs no more than eight in a text of a text.
            let longest = 8 * line.len() + 8192;
            assert!(Format::Text.write(&refused).len() <= longest, "{line:?}");
            assert!(Format::Json.write(&refused).len() <= longest, "{line:?}");
            assert_eq!(answered(&refused, &Command::Lock), refused);
        }
    }
    // Any text may be one word.
    let named = parse(&format!("cancel-group -- {}", quote(line)), pool_kind);
    assert_eq!(named, Ok(Command::CancelGroup(line.to_owned())));
}

/// Returns what a client reads when it is answered so.
fn answered(result: &Result<Reply, Refusal>, command: &Command) -> Result<Reply, Refusal> {
    let written = Format::Json.write(result);
    let line = written.strip_suffix('\n').expect("an answer ends its line");
    assert!(!line.contains('\n'), "{line:?}");
    let answer: Answer = line.parse().expect("an answer is read");
    let read = answer.into_reply(command);
    read.expect("an answer is one of its command")
}

fn one_line(written: &impl ToString) -> String {
    let line = written.to_string();
    assert!(!line.contains('\n'), "{line:?}");
    line
}

fn judged(line: &[u8], most: usize) -> Line {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        _ if line.len() > most => Line::TooLong,
        Ok(text) => Line::Text(text.to_owned()),
        Err(_) => Line::NotUtf8,
    }
}

/// Reads all lines of what arrives in pieces of this length.
fn read_lines(sent: &[u8], piece: usize, most: usize) -> Vec<Line> {
    let mut lines = Lines::new(Pieces(sent, piece), most);
    let mut read = Vec::new();
    while let Some(line) = ready(lines.next()).expect("it is read from memory") {
        read.push(line);
    }
    read
}

struct Pieces<'s>(&'s [u8], usize);

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let length = self.1.min(buffer.len()).min(self.0.len());
        let (piece, rest) = self.0.split_at(length);
        buffer[..length].copy_from_slice(piece);
        self.0 = rest;
        Poll::Ready(Ok(length))
    }
}

/// Polls a future that waits for nothing, until it is ready.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::each_seed;

    #[test]
    fn every_seed_of_the_control_fuzzers_keeps_the_promises() {
        each_seed("control_lines", lines);
        each_seed("control_session", session);
        each_seed("control_answer", answer);
    }
}
