//! Tests the parser with calls that are written in all allowed ways, and with random input.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::command::{Command, Inputs, ItemKind, Launch};
use super::parse::{Misuse, parse};
use super::table::{PoolKind, commands};
use super::value::value;
use super::words::{Unreadable, quote, split};
use super::{
    Answer, Format, GroupLine, GroupList, GroupTree, Handshake, HelpText, Reply, StatsLine,
    TaskLine, TaskList, TimeSpread, Times, TreeLine,
};
use crate::{AioPool, TaskState};

/// A generator of random numbers, which are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn word(&mut self) -> String {
        const LETTERS: [&str; 22] = [
            "a",
            "b",
            "-",
            "0",
            "7",
            " ",
            "\t",
            "\"",
            "'",
            "\\",
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            ",",
            ":",
            "é",
            "\u{1f980}",
            "\n",
            "=",
        ];
        let length = self.roll(9);
        (0..length)
            .map(|_| LETTERS[self.roll(LETTERS.len())])
            .collect()
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.roll(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.roll(2) == 0),
            2 => json!(self.roll(1_000_000) as i64 - 500_000),
            // Any float; what is no number is null.
            3 => json!(f64::from_bits(self.roll(usize::MAX) as u64)),
            4 => json!(self.word()),
            5 => (0..self.roll(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(self.object(depth - 1)),
        }
    }

    fn object(&mut self, depth: usize) -> Map<String, Value> {
        let members = (0..self.roll(4)).map(|_| (self.word(), self.value(depth)));
        members.collect()
    }

    fn number(&mut self) -> i64 {
        self.roll(50) as i64 - 10
    }

    fn maybe_word(&mut self) -> Option<String> {
        (self.roll(2) == 0).then(|| self.word())
    }
}

#[test]
fn words_are_parted_by_blanks() {
    let words = |line| split(line).unwrap();
    assert_eq!(words(""), [""; 0]);
    assert_eq!(words(" \t "), [""; 0]);
    assert_eq!(words("start   3\t"), ["start", "3"]);
    assert_eq!(words("it's fine"), ["it's", "fine"]);
}

#[test]
fn quotes_keep_a_word_together() {
    let words = |line| split(line).unwrap();
    assert_eq!(
        words(r#"cancel-group "my group""#),
        ["cancel-group", "my group"]
    );
    assert_eq!(words(r#"'a "b"' """#), ["a \"b\"", ""]);
    assert_eq!(words(r#""a\"b\\c\nd""#), ["a\"b\\c\nd"]);
}

#[test]
fn brackets_keep_a_word_together() {
    let words = |line| split(line).unwrap();
    assert_eq!(
        words(r#"map f [1, "a ] b", {"c": (2, 3)}] -n 2"#)[2],
        r#"[1, "a ] b", {"c": (2, 3)}]"#
    );
    assert_eq!(words("['x', 'y'] z"), ["['x', 'y']", "z"]);
    assert_eq!(words("apply f -a [1]x y")[3], "[1]x");
}

#[test]
fn what_is_open_at_the_end_of_the_line_is_said() {
    assert_eq!(split("a \"b"), Err(Unreadable::Open('"')));
    assert_eq!(split("a 'b\\'"), Err(Unreadable::Open('\'')));
    assert_eq!(split("a [1, (2"), Err(Unreadable::Open('(')));
    assert_eq!(split("a [\"x]"), Err(Unreadable::Open('"')));
    assert_eq!(split("'a'b"), Err(Unreadable::Glued));
}

#[test]
fn any_words_come_back_as_they_were_quoted() {
    let mut dice = Dice(1);
    for _ in 0..20_000 {
        let words: Vec<String> = (0..dice.roll(5)).map(|_| dice.word()).collect();
        let line: Vec<_> = words.iter().map(|word| quote(word)).collect();
        let line = line.join(" ");
        assert!(!line.contains('\n'), "{line}");
        assert_eq!(split(&line).as_ref(), Ok(&words), "{line}");
    }
}

#[test]
fn any_json_is_the_value_that_it_is() {
    let mut dice = Dice(2);
    for _ in 0..5_000 {
        let original = dice.value(4);
        let written = original.to_string();
        assert_eq!(value(&written).as_ref(), Ok(&original), "{written}");
    }
}

#[test]
fn what_python_writes_is_read_too() {
    for (written, read) in [
        ("(1, 2)", json!([1, 2])),
        ("(1,)", json!([1])),
        ("()", json!([])),
        ("(1)", json!(1)),
        ("((1, 2))", json!([1, 2])),
        ("[(1,2),(3,4),]", json!([[1, 2], [3, 4]])),
        ("{'a': None, \"b\": True,}", json!({"a": null, "b": true})),
        ("'it\\'s \\u00e9'", json!("it's é")),
        ("\"\\ud83e\\udd80\"", json!("\u{1f980}")),
        (r#""\b\f\n\r\t\/\\""#, json!("\u{8}\u{c}\n\r\t/\\")),
        ("-1.5e3", json!(-1500.0)),
        ("false", json!(false)),
    ] {
        assert_eq!(value(written), Ok(read), "{written}");
    }
}

#[test]
fn what_is_no_value_is_said_and_deep_ones_do_no_harm() {
    for written in [
        "",
        "abc",
        "[1 2]",
        "[1",
        "{1: 2}",
        "{'a' 1}",
        "'a",
        "1 2",
        "[1]]",
        "\"\\ud83e\"",
        "[\"\\ud800\\u0041\"]",
        "\"\\ud800\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud800\\ue000\"",
        "\"\\x\"",
        "nan",
        "inf",
        "--1",
        "]",
        ",",
        "[,]",
    ] {
        assert!(value(written).is_err(), "{written}");
    }
    assert!(
        value(&"[".repeat(100_000))
            .unwrap_err()
            .contains("brackets")
    );
    assert!(value(&format!("{}{}", "[".repeat(60), "]".repeat(60))).is_ok());
}

/// Writes the command as a client may write it, in one of several ways.
fn written(command: &Command, dice: &mut Dice) -> String {
    let mut words: Vec<String> = Vec::new();
    let option = |dice: &mut Dice, short: &str, long: &str, value: &str| match dice.roll(3) {
        0 if !value.starts_with('-') => vec![short.to_owned(), value.to_owned()],
        1 if !value.is_empty() => vec![format!("{short}{value}")],
        _ => vec![format!("--{long}={value}")],
    };
    let group = |dice: &mut Dice, words: &mut Vec<String>, group: &Option<String>| {
        if let Some(group) = group {
            words.extend(option(dice, "-g", "group-name", group));
        }
    };
    let name = match command {
        Command::PoolSize(size) => {
            words.extend(size.map(|size| size.to_string()));
            "pool-size"
        }
        Command::GroupIds(names) => {
            words.push("--".into());
            words.extend(names.iter().cloned());
            "get-group-ids"
        }
        Command::Cancel(ids) => {
            words.extend(ids.iter().map(i64::to_string));
            "cancel"
        }
        Command::CancelGroup(name) => {
            words.extend(["--".into(), name.clone()]);
            "cancel-group"
        }
        Command::Start(count) => {
            words.push(count.to_string());
            "start"
        }
        Command::Resize { size, group: name } => {
            group(dice, &mut words, name);
            words.push(size.to_string());
            "resize"
        }
        Command::Tasks {
            group: name,
            state,
            most,
        } => {
            words.push(format!("-n{most}"));
            if let Some(state) = state {
                words.push("--state".into());
                words.push(format!("{state:?}").to_lowercase());
            }
            group(dice, &mut words, name);
            "tasks"
        }
        Command::Watch { group: name, every } => {
            words.push(format!("--int={}", every.as_secs_f64()));
            group(dice, &mut words, name);
            "watch"
        }
        Command::Launch(launch) => {
            group(dice, &mut words, &launch.group);
            if let Some(name) = &launch.on_end {
                words.extend(option(dice, "-e", "end-callback", name));
            }
            if let Some(name) = &launch.on_cancel {
                words.extend(option(dice, "-c", "cancel-callback", name));
            }
            match &launch.inputs {
                Inputs::Copies { count, input } => {
                    words.push(format!("--num={count}"));
                    words.push(format!("--args={input}"));
                    words.extend(["--".into(), launch.function.clone()]);
                }
                Inputs::Each { items, at_once, .. } => {
                    words.push(format!("-n{at_once}"));
                    words.extend(["--".into(), launch.function.clone()]);
                    words.push(Value::from(items.clone()).to_string());
                }
            }
            launch.inputs.verb()
        }
        _ => "flush",
    };
    let words: Vec<_> = words.iter().map(|word| quote(word)).collect();
    format!("{name} {}", words.join(" "))
}

fn any_command(dice: &mut Dice) -> (Command, PoolKind) {
    let command = match dice.roll(11) {
        0 => Command::PoolSize((dice.roll(2) == 0).then(|| dice.number())),
        1 => Command::GroupIds((0..dice.roll(4)).map(|_| dice.word()).collect()),
        2 => Command::Cancel((0..dice.roll(4)).map(|_| dice.number()).collect()),
        3 => Command::CancelGroup(dice.word()),
        4 => return (Command::Start(dice.number()), PoolKind::Simple),
        5 => Command::Resize {
            size: dice.number(),
            group: dice.maybe_word(),
        },
        6 => Command::Tasks {
            group: dice.maybe_word(),
            state: [None, Some(TaskState::Active), Some(TaskState::Waiting)][dice.roll(3)],
            most: dice.roll(100),
        },
        7 => Command::Watch {
            group: dice.maybe_word(),
            every: Duration::from_millis(100 + dice.roll(1000) as u64),
        },
        8 => {
            let inputs = Inputs::Copies {
                count: dice.number(),
                input: dice.value(3),
            };
            return (launch(inputs, dice), PoolKind::Aio);
        }
        9 => {
            let inputs = Inputs::Each {
                kind: ItemKind::Value,
                items: (0..dice.roll(4)).map(|_| dice.value(2)).collect(),
                at_once: dice.number(),
            };
            return (launch(inputs, dice), PoolKind::Aio);
        }
        _ => Command::Flush,
    };
    (command, PoolKind::All)
}

fn launch(inputs: Inputs, dice: &mut Dice) -> Command {
    Command::Launch(Launch {
        function: dice.word(),
        inputs,
        group: dice.maybe_word(),
        on_end: dice.maybe_word(),
        on_cancel: dice.maybe_word(),
    })
}

#[test]
fn any_command_is_read_as_it_was_written() {
    let mut dice = Dice(3);
    for _ in 0..20_000 {
        let (command, sort) = any_command(&mut dice);
        let line = written(&command, &mut dice);
        assert_eq!(parse(&line, sort), Ok(command), "{line}");
    }
}

/// One of each command, and the kind of pool that has it.
fn one_of_each() -> Vec<(Command, PoolKind)> {
    let group = || Some("-my \"group\"".to_owned());
    let launch = |inputs| {
        Command::Launch(Launch {
            function: "--f".into(),
            inputs,
            group: group(),
            on_end: Some("-e".into()),
            on_cancel: None,
        })
    };
    let each = |kind, item: Value| {
        launch(Inputs::Each {
            kind,
            items: vec![item],
            at_once: -3,
        })
    };
    let copies = Inputs::Copies {
        count: 2,
        input: json!({"a b": [1.5, null]}),
    };
    let all = [
        Command::PoolSize(None),
        Command::PoolSize(Some(-1)),
        Command::IsFull,
        Command::IsLocked,
        Command::NumRunning,
        Command::NumCancelled,
        Command::NumEnded,
        Command::GroupIds(vec!["-h".into(), "".into(), "a b".into()]),
        Command::UntilClosed,
        Command::Lock,
        Command::Unlock,
        Command::Cancel(vec![1, -2]),
        Command::CancelGroup("--".into()),
        Command::CancelAll,
        Command::Flush,
        Command::GatherAndClose,
        Command::Resize {
            size: 5,
            group: group(),
        },
        Command::Pause(group()),
        Command::Resume(None),
        Command::Stats(group()),
        Command::Tasks {
            group: group(),
            state: Some(TaskState::Waiting),
            most: 7,
        },
        Command::Groups { most: 7 },
        Command::Tree { most: 7 },
        Command::Times {
            group: group(),
            most: 7,
        },
        Command::Watch {
            group: None,
            every: Duration::from_millis(1250),
        },
        Command::Help(None),
        Command::Help(Some("stats".into())),
    ];
    let of_aio = [
        Command::Functions,
        launch(copies),
        each(ItemKind::Value, json!("\n")),
        each(ItemKind::List, json!(["x y"])),
        each(ItemKind::Object, json!({"k": 1})),
    ];
    let of_simple = [
        Command::FuncName,
        Command::Start(3),
        Command::Stop(-3),
        Command::StopAll,
    ];
    let all = all.map(|command| (command, PoolKind::All));
    let of_aio = of_aio.map(|command| (command, PoolKind::Aio));
    let of_simple = of_simple.map(|command| (command, PoolKind::Simple));
    all.into_iter().chain(of_aio).chain(of_simple).collect()
}

#[test]
fn every_command_is_read_from_the_line_that_it_is_written_as() {
    for (command, pool_kind) in one_of_each() {
        let line = command.to_string();
        assert_eq!(parse(&line, pool_kind), Ok(command), "{line}");
    }
}

#[test]
fn the_table_has_every_command() {
    let mut tested: Vec<_> = one_of_each()
        .iter()
        .map(|(command, _)| command.to_string())
        .filter_map(|line| Some(line.split(' ').next()?.to_owned()))
        .filter(|name| name != "-h")
        .collect();
    tested.sort();
    tested.dedup();
    let kinds = [PoolKind::Aio, PoolKind::Simple];
    let mut names: Vec<_> = kinds
        .into_iter()
        .flat_map(commands)
        .map(|entry| entry.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(tested, names);
}

#[test]
fn any_command_is_read_from_the_line_that_it_is_written_as() {
    let mut dice = Dice(5);
    for _ in 0..20_000 {
        let (command, pool_kind) = any_command(&mut dice);
        let line = command.to_string();
        assert_eq!(parse(&line, pool_kind), Ok(command), "{line}");
    }
}

fn any_group(name: &str) -> GroupLine {
    GroupLine {
        name: name.into(),
        size: AioPool::UNBOUNDED,
        active: 1,
        waiting: 2,
        paused: true,
        locked: false,
    }
}

fn any_task() -> TaskLine {
    TaskLine {
        id: 7,
        name: "a \u{1b}".into(),
        group: None,
        state: TaskState::Active,
        priority: -1,
        weight: 2,
        waited: Some(Duration::from_millis(250)),
        running: None,
    }
}

/// A reply to each command that has one of its own, and its value in JSON.
fn replies() -> Vec<(Command, Reply, &'static str)> {
    let stats = StatsLine {
        pool: any_group("g"),
        full: true,
        submitted: 1,
        started: 2,
        completed: 3,
        panicked: 4,
        cancelled: 5,
        timed_out: 6,
        rejected: 7,
        refused: 8,
        retries: 9,
    };
    let tasks = TaskList {
        tasks: vec![any_task()],
        more: 9,
    };
    let groups = GroupList {
        groups: vec![any_group("a")],
        more: 0,
    };
    let tree = GroupTree {
        groups: vec![TreeLine {
            depth: 1,
            group: any_group("a"),
        }],
        more: 9,
    };
    let times = Times {
        timed: true,
        lacks_permits: true,
        in_place: 3,
        waiting: TimeSpread::default(),
        running: TimeSpread {
            count: 1,
            p50: Some(Duration::from_millis(500)),
            p90: None,
            p99: None,
            longest: Some(Duration::from_secs(1)),
        },
        longest_waiting: Vec::new(),
        longest_running: vec![any_task()],
    };
    let help = HelpText {
        help: "usage: x".into(),
    };
    vec![
        (Command::Lock, Reply::Done, "null"),
        (Command::IsFull, Reply::Flag(true), "true"),
        (Command::NumEnded, Reply::Count(3), "3"),
        (Command::PoolSize(None), Reply::Size(10), "10"),
        (
            Command::PoolSize(None),
            Reply::Size(AioPool::UNBOUNDED),
            r#""inf""#,
        ),
        (Command::FuncName, Reply::Name("f".into()), r#""f""#),
        (
            Command::Functions,
            Reply::Names(vec!["f".into()]),
            r#"["f"]"#,
        ),
        (
            Command::GroupIds(Vec::new()),
            Reply::Ids(vec![[1, 2].into()]),
            "[1,2]",
        ),
        (Command::StopAll, Reply::Stopped(vec![2, 1]), "[2,1]"),
        (
            Command::Help(None),
            Reply::Help(help),
            r#"{"help":"usage: x"}"#,
        ),
        (
            Command::Stats(None),
            Reply::Stats(Box::new(stats)),
            r#"{"name":"g","size":"inf","active":1,"waiting":2,"paused":true,"locked":false,"full":true,"submitted":1,"started":2,"completed":3,"panicked":4,"cancelled":5,"timed_out":6,"rejected":7,"refused":8,"retries":9}"#,
        ),
        (
            Command::Tasks {
                group: None,
                state: None,
                most: 1,
            },
            Reply::Tasks(tasks),
            r#"{"tasks":[{"id":7,"name":"a \u001b","group":null,"state":"active","priority":-1,"weight":2,"waited":0.25,"running":null}],"more":9}"#,
        ),
        (
            Command::Groups { most: 1 },
            Reply::Groups(groups),
            r#"[{"name":"a","size":"inf","active":1,"waiting":2,"paused":true,"locked":false}]"#,
        ),
        (
            Command::Tree { most: 1 },
            Reply::Tree(tree),
            r#"{"groups":[{"depth":1,"name":"a","size":"inf","active":1,"waiting":2,"paused":true,"locked":false}],"more":9}"#,
        ),
        (
            Command::Times {
                group: None,
                most: 1,
            },
            Reply::Times(Box::new(times)),
            r#"{"timed":true,"lacks_permits":true,"in_place":3,"waiting":{"count":0,"p50":null,"p90":null,"p99":null,"longest":null},"running":{"count":1,"p50":0.5,"p90":null,"p99":null,"longest":1.0},"longest_waiting":[],"longest_running":[{"id":7,"name":"a \u001b","group":null,"state":"active","priority":-1,"weight":2,"waited":0.25,"running":null}]}"#,
        ),
    ]
}

#[test]
fn a_reply_is_read_from_the_json_that_it_is_written_as() {
    for (command, reply, json) in replies() {
        let line = Format::Json.write(&Ok(reply.clone()));
        assert_eq!(line, format!("{{\"ok\":{json}}}\n"));
        let answer: Answer = line.parse().unwrap();
        assert_eq!(answer.into_reply(&command).unwrap(), Ok(reply), "{line}");
    }
}

#[test]
fn a_list_of_groups_that_is_cut_says_so_beside_it() {
    let cut = GroupList {
        groups: Vec::new(),
        more: 3,
    };
    let reply = Ok(Reply::Groups(cut));
    let line = Format::Json.write(&reply);
    assert_eq!(line, "{\"ok\":[],\"more\":3}\n");
    let answer: Answer = line.parse().unwrap();
    let read = answer.into_reply(&Command::Groups { most: 0 });
    assert_eq!(read.unwrap(), reply);
}

#[test]
fn an_answer_survives_a_round_trip_and_nothing_else_is_one() {
    for line in [
        r#"{"ok":null}"#,
        r#"{"ok":[1,2]}"#,
        r#"{"ok":[{"name":"a"}],"more":3}"#,
        r#"{"error":{"kind":"k","message":"m"}}"#,
        r#"{"error":{"kind":"not-utf-8","message":"m"}}"#,
        r#"{"error":{"kind":"usage","message":"m","usage":"u"}}"#,
    ] {
        let answer: Answer = line.parse().unwrap();
        assert_eq!(answer.to_string(), line);
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
        assert!(line.parse::<Answer>().is_err(), "{line}");
    }
}

#[test]
fn a_value_of_another_shape_is_no_reply() {
    for (command, reply, json) in replies() {
        let line = format!("{{\"ok\":{{\"odd\":{json}}}}}");
        let answer: Answer = line.parse().unwrap();
        // All fields of these counts may be missing: an older server has fewer.
        let lenient = matches!(reply, Reply::Stats(_) | Reply::Tree(_) | Reply::Times(_));
        assert_eq!(answer.into_reply(&command).is_ok(), lenient, "{line}");
    }
}

#[test]
fn a_handshake_is_read_as_it_was_written() {
    for token in [None, Some("s\"e".to_owned())] {
        let handshake = Handshake {
            terminal_width: 120,
            format: Format::Json,
            token,
        };
        assert!(Handshake::read(&handshake.to_string()) == Ok(handshake.clone()));
        assert!(!format!("{handshake:?}").contains("s\\\"e"));
    }
}

#[test]
fn noise_is_refused_in_words_and_breaks_nothing() {
    let mut dice = Dice(4);
    let names: Vec<_> = commands(PoolKind::Aio)
        .chain(commands(PoolKind::Simple))
        .collect();
    let (mut read, mut refused) = (0, 0);
    for _ in 0..50_000 {
        let mut line = names[dice.roll(names.len())].name.to_owned();
        for _ in 0..dice.roll(5) {
            line.push_str([" ", " -", " --", "\t", ""][dice.roll(5)]);
            line.push_str(&dice.word());
        }
        for sort in [PoolKind::Aio, PoolKind::Simple] {
            match parse(&line, sort) {
                Ok(_) => read += 1,
                Err(misuse) => {
                    assert!(!misuse.message.is_empty());
                    refused += 1;
                }
            }
        }
    }
    assert!(
        read > 1000 && refused > 1000,
        "{read} read, {refused} refused"
    );
}

fn refusal(line: &str) -> Misuse {
    parse(line, PoolKind::Simple).unwrap_err()
}

#[test]
fn options_may_be_written_as_argparse_takes_them() {
    for line in [
        "cancel 1 -m hi 2",
        "cancel -mhi 1 2",
        "cancel --msg hi 1 2",
        "cancel --msg=hi 1 2",
        "cancel --m hi -- 1 2",
        "\"cancel\" '1' 2",
    ] {
        assert_eq!(
            parse(line, PoolKind::Simple),
            Ok(Command::Cancel(vec![1, 2])),
            "{line}"
        );
    }
    assert_eq!(parse("stop -1", PoolKind::Simple), Ok(Command::Stop(-1)));
    assert_eq!(parse("flush --ret", PoolKind::Simple), Ok(Command::Flush));
    assert_eq!(
        parse("start 1 -h", PoolKind::Simple),
        Ok(Command::Help(Some("start".into())))
    );
    assert_eq!(parse("--help", PoolKind::Simple), Ok(Command::Help(None)));
}

#[test]
fn wrong_usage_names_what_is_wrong() {
    for (line, names) in [
        ("start abc", "num: \"abc\""),
        ("start ''", "num: \"\""),
        ("start", "missing arguments: num"),
        ("stop 1 2", "\"2\""),
        ("bogus", "\"bogus\""),
        ("Start 1", "\"Start\""),
        ("num_running", "\"num_running\""),
        ("apply work", "\"apply\""),
        ("cancel -x", "-x"),
        ("cancel --bogus=1", "--bogus"),
        ("cancel -m", "-m/--msg"),
        ("flush -rx", "-r/--return-exceptions"),
        ("watch -i 0", "-i/--interval: \"0\""),
        ("watch -i nan", "\"nan\""),
        ("pool-size 1.5", "value: \"1.5\""),
        ("cancel 99999999999999999999", "task_ids"),
        ("", "no command"),
        ("start \"3", "not closed"),
    ] {
        let message = refusal(line).message;
        assert!(message.contains(names), "{line}: {message}");
    }
    let message = parse("map f 5", PoolKind::Aio).unwrap_err().message;
    assert!(message.contains("arg_iter: 5 is no list"), "{message}");
    let message = parse("starmap f [1]", PoolKind::Aio).unwrap_err().message;
    assert!(message.contains("1 is no list"), "{message}");
    let message = parse("apply f -k [1]", PoolKind::Aio).unwrap_err().message;
    assert!(message.contains("[1] is no object"), "{message}");
}

#[test]
fn help_fits_the_width_and_explains_every_command() {
    for width in [40, 60, 80, 200] {
        for sort in [PoolKind::Aio, PoolKind::Simple] {
            let all = super::usage(None, sort, width).help();
            for command in commands(sort) {
                assert!(
                    all.contains(&format!("\n  {}", command.name)),
                    "{}",
                    command.name
                );
                let help = super::usage(Some(command.name), sort, width).help();
                assert!(help.starts_with(&format!("usage: {} [-h]", command.name)));
                let longest = help.lines().chain(all.lines()).map(str::len).max();
                assert!(
                    longest <= Some(width.max(56)),
                    "{longest:?} columns: {help}"
                );
            }
        }
    }
}
