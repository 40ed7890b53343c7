//! The reply of a server: a value or a refusal, read from either protocol.
//!
//! A JSON reply says which of the two it is. A text reply does not, but the possible values of each command are known:
//! a text of another form is a refusal.

use serde_json::{Map, Value, json};

/// The reply to one command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Done(Value),
    Refused(Refusal),
}

/// Why the server has refused a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) kind: String,
    pub(crate) message: String,
    /// Usage of the command, if the refusal is about wrong usage.
    pub(crate) usage: Option<String>,
}

impl Reply {
    /// Parses a line of the JSON protocol. Returns `None` if it is no reply.
    pub(crate) fn from_json(line: &str) -> Option<Self> {
        let mut reply: Map<String, Value> = serde_json::from_str(line).ok()?;
        if let Some(value) = reply.remove("ok") {
            return Some(Self::Done(match reply.remove("more") {
                Some(more) => json!({ "groups": value, "more": more }),
                None => value,
            }));
        }
        let error = reply.remove("error")?;
        let part = |key: &str| error.get(key)?.as_str().map(String::from);
        Some(Self::Refused(Refusal {
            kind: part("kind")?,
            message: part("message")?,
            usage: part("usage"),
        }))
    }

    /// Parses a reply of the text protocol to the command at the start of `asked`.
    pub(crate) fn from_text(asked: &str, text: &str) -> Self {
        let text = text.trim_end();
        if text.starts_with("usage:") {
            return help_or_error(text);
        }
        let command = asked.split(' ').next().unwrap_or_default();
        match value(command, text) {
            Some(value) => Self::Done(value),
            None => Self::Refused(Refusal {
                kind: "refused".into(),
                message: text.into(),
                usage: None,
            }),
        }
    }

    /// Returns the reply as a line of the JSON protocol.
    pub(crate) fn to_json(&self) -> String {
        let reply = match self {
            Self::Done(Value::Object(cut)) if cut.contains_key("groups") => {
                json!({ "ok": cut["groups"], "more": cut["more"] })
            }
            Self::Done(value) => json!({ "ok": value }),
            Self::Refused(Refusal {
                kind,
                message,
                usage: None,
            }) => json!({ "error": { "kind": kind, "message": message } }),
            Self::Refused(Refusal {
                kind,
                message,
                usage,
            }) => json!({ "error": { "kind": kind, "message": message, "usage": usage } }),
        };
        reply.to_string()
    }
}

/// Tells help from wrong usage. Wrong usage has a line `{command}: error: {what}`; help has no such line, as its lines
/// are indented or whole sentences.
fn help_or_error(text: &str) -> Reply {
    const ERROR: &str = ": error: ";
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = lines.iter().position(|line| line.contains(ERROR)) else {
        return Reply::Done(json!({ "help": text }));
    };
    let message = lines[at..].join("\n");
    Reply::Refused(Refusal {
        kind: "usage".into(),
        message: message.split_once(ERROR).unwrap_or_default().1.into(),
        usage: Some(lines[..at].join("\n")),
    })
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
    use serde_json::json;

    use super::{Refusal, Reply};
    use crate::readable::readable;

    fn refusal(kind: &str, message: &str, usage: Option<&str>) -> Reply {
        Reply::Refused(Refusal {
            kind: kind.into(),
            message: message.into(),
            usage: usage.map(Into::into),
        })
    }

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
            match Reply::from_text(asked, &format!("{text}\n")) {
                Reply::Done(value) => assert_eq!(readable(asked, &value), text, "{asked}"),
                refused => panic!("{asked}: {refused:?}"),
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
                Reply::from_text(asked, text),
                refusal("refused", text, None),
                "{asked}"
            );
        }
    }

    #[test]
    fn help_is_a_value_and_wrong_usage_is_not() {
        let help = "usage: start [-h] num\n\nStarts some.\n\noptions:\n  -h, --help  show this\n\n";
        let read = Reply::from_text("start -h", help);
        assert_eq!(read, Reply::Done(json!({ "help": help.trim_end() })));
        let wrong = "usage: stop [-h] num\nstop: error: argument num: invalid int value: 'x'\n\n";
        let what = "argument num: invalid int value: 'x'";
        let expected = refusal("usage", what, Some("usage: stop [-h] num"));
        assert_eq!(Reply::from_text("stop x", wrong), expected);
    }

    #[test]
    fn a_reply_of_the_json_wire_survives_a_round_trip() {
        for line in [
            r#"{"ok":null}"#,
            r#"{"ok":[1,2]}"#,
            r#"{"ok":[{"name":"a"}],"more":3}"#,
            r#"{"error":{"kind":"k","message":"m"}}"#,
            r#"{"error":{"kind":"usage","message":"m","usage":"u"}}"#,
        ] {
            assert_eq!(Reply::from_json(line).unwrap().to_json(), line);
        }
        for line in [
            "",
            "True",
            "5",
            "{}",
            "[]",
            r#"{"error":"x"}"#,
            "start-group-0",
        ] {
            assert_eq!(Reply::from_json(line), None, "{line}");
        }
    }
}
