//! A server of asyncio-taskpool 1.1.4, as it was recorded: text alone, no quotes, and an empty line kills the session.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use crate::{aiopool, says};

const HELP: &str = "usage: stop [-h] num\n\nCancels so many.\n\npositional arguments:\n  num         <class 'int'>\n\n\
    options:\n  -h, --help  show this help message and exit\n\n";
const WRONG: &str = "usage: stop [-h] num\nstop: error: argument num: invalid int value: 'x'\n\n";
const COMMANDS: &str =
    "usage: [-h] [command] ...\n\nCommands:\n    lock                Disallows any more tasks.\n\n";

/// Serves one session, and tells which lines came.
fn serve() -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let replies = HashMap::from([
        ("start 2", "start-group-0\n"),
        ("start 1", "Cannot start new tasks\n"),
        ("is-full", "True\n"),
        ("is-locked", "False\n"),
        ("stop 1", "[1]\n"),
        ("get-group-ids start-group-0", "{0, 1}\n"),
        (
            "cancel 99",
            "No task with ID 99 found in SimpleTaskPool-0\n",
        ),
        ("flush", "a failure\nof two lines\n"),
        ("stop -h", HELP),
        ("stop x", WRONG),
        ("-h", COMMANDS),
    ]);
    let session = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(socket.try_clone().unwrap())
            .lines()
            .map(Result::unwrap);
        let handshake = lines.next().unwrap();
        assert!(handshake.contains(r#""terminal_width":"#), "{handshake}");
        socket.write_all(b"SimpleTaskPool-0\n").unwrap();
        let mut asked = Vec::new();
        for line in lines {
            if line == "gone" {
                break;
            }
            socket.write_all(replies[line.as_str()].as_bytes()).unwrap();
            asked.push(line);
        }
        asked
    });
    (address, session)
}

#[test]
fn what_each_command_answers_decides_between_value_and_refusal() {
    for (command, expected) in [
        ("start 2", says(0, "start-group-0\n", "")),
        ("is-full", says(0, "True\n", "")),
        ("stop 1", says(0, "[1]\n", "")),
        ("get-group-ids start-group-0", says(0, "{0, 1}\n", "")),
        ("start 1", says(1, "", "aiopool: Cannot start new tasks\n")),
        (
            "cancel 99",
            says(
                1,
                "",
                "aiopool: No task with ID 99 found in SimpleTaskPool-0\n",
            ),
        ),
        ("flush", says(1, "", "aiopool: a failure\nof two lines\n")),
        (
            "stop x",
            says(
                2,
                "",
                "usage: stop [-h] num\naiopool: argument num: invalid int value: 'x'\n",
            ),
        ),
        ("stop -h", says(0, &format!("{}\n", HELP.trim_end()), "")),
        ("help stop", says(0, &format!("{}\n", HELP.trim_end()), "")),
    ] {
        let (address, session) = serve();
        let words: Vec<&str> = ["tcp", &address]
            .into_iter()
            .chain(command.split(' '))
            .collect();
        assert_eq!(aiopool(&words, ""), expected, "{command}");
        session.join().unwrap();
    }
}

#[test]
fn json_is_printed_also_for_a_server_that_has_none() {
    for (command, code, expected) in [
        ("start 2", 0, r#"{"ok":"start-group-0"}"#),
        ("is-full", 0, r#"{"ok":true}"#),
        ("get-group-ids start-group-0", 0, r#"{"ok":[0,1]}"#),
        (
            "start 1",
            1,
            r#"{"error":{"kind":"refused","message":"Cannot start new tasks"}}"#,
        ),
        (
            "stop x",
            2,
            r#"{"error":{"kind":"usage","message":"argument num: invalid int value: 'x'","usage":"usage: stop [-h] num"}}"#,
        ),
    ] {
        let (address, session) = serve();
        let words = ["--json", "tcp", &address]
            .into_iter()
            .chain(command.split(' '));
        let ran = aiopool(&words.collect::<Vec<_>>(), "");
        assert_eq!(ran, says(code, &format!("{expected}\n"), ""), "{command}");
        session.join().unwrap();
    }
}

#[test]
fn an_argument_that_this_server_would_take_apart_is_not_sent() {
    let (address, session) = serve();
    let ran = aiopool(
        &["tcp", &address, "apply", "asyncio.sleep", "-a", "(1, 2)"],
        "",
    );
    assert!(ran.code == Some(2) && ran.err.contains("quotes"), "{ran:?}");
    assert!(session.join().unwrap().is_empty());
}

#[test]
fn a_script_is_obeyed_line_by_line_and_its_first_refusal_is_the_exit_code() {
    let (address, session) = serve();
    let script = "start 2\n\n  is-full  \nhelp stop\nstart 1\nstop x\nstop 1\nexit\nis-full\n";
    let ran = aiopool(&["tcp", &address], script);
    let out = format!("start-group-0\nTrue\n{}\n[1]\n", HELP.trim_end());
    assert_eq!((ran.code, ran.out), (Some(1), out));
    let asked = session.join().unwrap();
    let asked: Vec<&String> = asked.iter().filter(|line| *line != "is-locked").collect();
    assert_eq!(
        asked,
        [
            "-h", "start 2", "is-full", "stop -h", "start 1", "stop x", "stop 1"
        ]
    );
}

#[test]
fn a_connection_that_ends_in_the_middle_is_told_and_ends_with_3() {
    let (address, session) = serve();
    let ran = aiopool(&["tcp", &address], "is-full\ngone\nis-full\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), "True\n"));
    assert!(
        ran.err
            .contains(&format!("lost the connection to {address}")),
        "{ran:?}"
    );
    session.join().unwrap();
}

#[test]
fn a_session_that_ended_between_two_commands_is_begun_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let session = move || {
        let mut socket = listener.accept().unwrap().0;
        let mut lines = BufReader::new(socket.try_clone().unwrap())
            .lines()
            .map(Result::unwrap);
        let mut answers = |questions: usize, answer: &str| {
            lines.by_ref().take(questions).for_each(drop);
            socket.write_all(answer.as_bytes()).unwrap();
        };
        answers(1, "SimpleTaskPool-0\n");
        // A command, and what shows where its answer ends.
        answers(2, "True\nTrue\n");
        listener
    };
    let mut program = Command::new(env!("CARGO_BIN_EXE_aiopool"));
    program
        .args(["tcp", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = program.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The first answers what the prompt asks for completion, and is gone before anything is typed.
    let first = thread::spawn(session);
    let listener = first.join().unwrap();
    stdin.write_all(b"is-full\n").unwrap();
    let second = thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        let mut lines = BufReader::new(socket.try_clone().unwrap())
            .lines()
            .map(Result::unwrap);
        lines.next();
        socket.write_all(b"SimpleTaskPool-1\n").unwrap();
        let asked = lines.next();
        socket.write_all(b"False\nFalse\n").unwrap();
        asked
    });
    assert_eq!(second.join().unwrap().as_deref(), Some("is-full"));
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), &*output.stdout),
        (Some(0), &b"False\n"[..])
    );
    assert_eq!(
        output.stderr,
        b"aiopool: connected again to SimpleTaskPool-1\n"
    );
}

#[test]
fn a_server_that_hangs_up_at_once_is_none() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || drop(listener.accept().unwrap()));
    let ran = aiopool(&["tcp", &address, "is-full"], "");
    assert!(
        ran.code == Some(3) && ran.err.contains("cannot connect"),
        "{ran:?}"
    );
    server.join().unwrap();
}

#[test]
fn a_server_of_another_kind_is_none() {
    for greeting in [
        "HTTP/1.1 400 Bad Request\r\n",
        "220 mail.example.org\n",
        "<!DOCTYPE HTML>\n",
        "\n",
        "-\n",
        "\u{fffd}\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let mut socket = listener.accept().unwrap().0;
            BufReader::new(socket.try_clone().unwrap())
                .read_line(&mut String::new())
                .unwrap();
            socket.write_all(greeting.as_bytes()).unwrap();
        });
        let ran = aiopool(&["tcp", &address, "is-full"], "");
        let reason = format!("aiopool: cannot connect to {address}: it is no control server\n");
        assert_eq!(ran, says(3, "", &reason), "{greeting:?}");
        server.join().unwrap();
    }
}

#[test]
fn a_greeting_without_end_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        while socket.write_all(&[b'x'; 1024]).is_ok() {}
    });
    assert_eq!(aiopool(&["tcp", &address, "is-full"], "").code, Some(3));
    server.join().unwrap();
}

#[test]
fn there_is_no_dashboard_of_it() {
    let (address, session) = serve();
    let ran = aiopool(&["tcp", &address, "top"], "");
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(2), ""),
        "and no terminal here"
    );
    session.join().unwrap();
}
