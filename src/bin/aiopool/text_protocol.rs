//! The text protocol of asyncio-taskpool 1.1.4.
//!
//! Nothing marks the end of a reply. So each command is followed by a second one with a known reply: a line `True` or
//! `False`, which comes after the reply to the first.
//!
//! Nothing says either whether a reply is a value or a refusal. But the possible values of each command are known: a
//! text of another form is a refusal.

use std::io::ErrorKind;

use aiopool::control::protocol::{Answer, Refusal, RefusalKind};
use aiopool::control::{Client, ClientError};
use serde_json::{Value, json};

/// A command that every server has and that changes nothing.
const PROBE: &str = "is-locked";

/// Sends a line with a command, and waits for its answer.
pub(crate) fn request(client: &mut Client, line: &str) -> Result<Answer, ClientError> {
    client.send_line(&format!("{line}\n{PROBE}"))?;
    let mut text = client.read_line()?;
    loop {
        match client.read_line() {
            Ok(end) if end == "True" || end == "False" => break,
            Ok(more) => text = text + "\n" + &more,
            // The server has answered and closed the connection.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(answer(line, &text))
}

/// Reads the answer to the command at the start of `asked`.
fn answer(asked: &str, text: &str) -> Answer {
    let text = text.trim_end();
    if text.starts_with("usage:") {
        return help_or_error(text);
    }
    let command = asked.split(' ').next().unwrap_or_default();
    match value(command, text) {
        Some(value) => done_with(value),
        None => refused(Refusal::new(RefusalKind::Other("refused".into()), text)),
    }
}

fn done_with(value: Value) -> Answer {
    Answer::Done { value, more: None }
}

fn refused(refusal: Refusal) -> Answer {
    Answer::Refused { refusal }
}

/// Tells help from wrong usage. Wrong usage has a line `{command}: error: {what}`; help has no such line, as its lines
/// are indented or whole sentences.
fn help_or_error(text: &str) -> Answer {
    const ERROR: &str = ": error: ";
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = lines.iter().position(|line| line.contains(ERROR)) else {
        return done_with(json!({ "help": text }));
    };
    let message = lines[at..].join("\n");
    let message = message.split_once(ERROR).unwrap_or_default().1;
    refused(Refusal::wrong_usage(message, lines[..at].join("\n")))
}

/// Returns the value of the text, if it is a possible value of this command.
fn value(command: &str, text: &str) -> Option<Value> {
    match command {
        "pool-size" => number(text).or_else(|| done(text)),
        "num-running" | "num-cancelled" | "num-ended" => number(text),
        "is-full" | "is-locked" | "until-closed" => truth(text),
        "lock" | "unlock" | "cancel" | "cancel-group" | "cancel-all" | "flush"
        | "gather-and-close" => done(text),
        "stop" | "stop-all" => numbers(text.strip_prefix('[')?.strip_suffix(']')?),
        "get-group-ids" if text == "set()" => Some(json!([])),
        "get-group-ids" => numbers(text.strip_prefix('{')?.strip_suffix('}')?),
        // A name has no space, but a refusal is a sentence.
        "start" | "apply" | "map" | "starmap" | "doublestarmap" | "func-name" => {
            (!text.is_empty() && !text.contains(' ')).then(|| text.into())
        }
        _ => Some(text.into()),
    }
}

fn done(text: &str) -> Option<Value> {
    (text == "ok").then_some(Value::Null)
}

fn truth(text: &str) -> Option<Value> {
    match text {
        "True" => Some(true.into()),
        "False" => Some(false.into()),
        _ => None,
    }
}

/// Parses a number, or `inf` for an unbounded size, which is no JSON number.
fn number(text: &str) -> Option<Value> {
    match text {
        "inf" => Some(text.into()),
        _ => text.parse::<u64>().ok().map(Value::from),
    }
}

fn numbers(text: &str) -> Option<Value> {
    let items = text.split(", ").filter(|item| !item.is_empty());
    items
        .map(number)
        .collect::<Option<Vec<_>>>()
        .map(Value::from)
}

#[cfg(test)]
mod tests {
    use aiopool::control::protocol::{Answer, Refusal, RefusalKind};
    use serde_json::json;

    use super::{answer, done_with, refused};
    use crate::readable::readable;

    /// Commands and values that asyncio-taskpool 1.1.4 answers.
    const VALUES: [(&str, &str); 17] = [
        ("pool-size", "5"),
        ("pool-size", "inf"),
        ("pool-size 7", "ok"),
        ("is-full", "False"),
        ("is-locked", "True"),
        ("num-running", "2"),
        ("start 2", "start-group-0"),
        ("stop 1", "[1]"),
        ("stop 0", "[]"),
        ("stop-all", "[3, 2, 0]"),
        ("get-group-ids start-group-0", "{0, 1}"),
        ("get-group-ids", "set()"),
        ("cancel", "ok"),
        ("func-name", "work"),
        ("until-closed", "True"),
        ("apply asyncio.sleep -a (1,) -n 2", "apply-sleep-group-0"),
        ("gather-and-close", "ok"),
    ];

    #[test]
    fn a_value_of_the_text_wire_is_read_and_written_to_the_byte() {
        for (asked, text) in VALUES {
            match answer(asked, &format!("{text}\n")) {
                Answer::Done { value, .. } => assert_eq!(readable(asked, &value), text, "{asked}"),
                other => panic!("{asked}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_refusal_of_the_text_wire_looks_like_no_value_of_its_command() {
        for (asked, text) in [
            ("start 1", "Cannot start new tasks"),
            ("start 1", "You must use another pool"),
            ("start 1", ""),
            ("cancel 99", "No task with ID 99 found in SimpleTaskPool-0"),
            ("cancel 1", "SimpleTaskPool-0_Task-1 has finished running"),
            (
                "get-group-ids nix",
                "No task group named nix exists in this pool.",
            ),
            (
                "cancel-group nix",
                "No task group named nix exists in this pool.",
            ),
            ("apply asyncio.sleep -g x", "Group named x already exists!"),
            ("flush", "division by zero"),
        ] {
            assert_eq!(
                answer(asked, text),
                refused(Refusal::new(RefusalKind::Other("refused".into()), text)),
                "{asked}"
            );
        }
    }

    #[test]
    fn help_is_a_value_and_wrong_usage_is_not() {
        let help = "usage: start [-h] num\n\nStarts some.\n\noptions:\n  -h, --help  show this\n\n";
        let read = answer("start -h", help);
        assert_eq!(read, done_with(json!({ "help": help.trim_end() })));
        let wrong = "usage: stop [-h] num\nstop: error: argument num: invalid int value: 'x'\n\n";
        let what = "argument num: invalid int value: 'x'";
        let expected = refused(Refusal::wrong_usage(what, "usage: stop [-h] num"));
        assert_eq!(answer("stop x", wrong), expected);
    }
}
