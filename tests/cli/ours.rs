//! A server of this crate: JSON, quotes, tokens.

use std::future::pending;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use aiopool::control::{Builder, ControlServer};
use aiopool::{AioPool, SimpleTaskPool};

use crate::{Ran, aiopool, run, says};

/// Has a simple pool called `demo`, of size 4, steered while `body` runs, which is given its address.
pub(crate) fn steered<T: Send + 'static>(
    token: Option<&'static str>,
    body: impl FnOnce(&AioPool, &str) -> T + Send + 'static,
) -> T {
    let shape = move |server: Builder| match token {
        Some(token) => server.token(token),
        None => server,
    };
    served(shape, body)
}

/// The same, by a server that is built as `shape` says.
pub(crate) fn served<T: Send + 'static>(
    shape: impl FnOnce(Builder) -> Builder,
    body: impl FnOnce(&AioPool, &str) -> T + Send + 'static,
) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.unwrap().block_on(async move {
        let pool = AioPool::builder().name("demo").size(4).build().unwrap();
        let copies = Arc::new(SimpleTaskPool::new(pool.clone(), pending::<()>));
        let server = shape(ControlServer::builder(copies));
        let (server, serving) = server.serve_tcp("127.0.0.1:0").await.unwrap();
        let serving = tokio::spawn(serving);
        let address = server.local_addr().to_string();
        let done = tokio::task::spawn_blocking(move || body(&pool, &address))
            .await
            .unwrap();
        server.stop().await;
        serving.await.unwrap();
        done
    })
}

fn tcp(address: &str, command: &[&str]) -> Ran {
    aiopool(&[&["tcp", address], command].concat(), "")
}

#[test]
fn one_command_is_obeyed_and_answered() {
    steered(None, |pool, address| {
        assert_eq!(
            tcp(address, &["start", "6"]),
            says(0, "start-group-0\n", "")
        );
        assert_eq!(tcp(address, &["stop", "1"]), says(0, "[3]\n", ""));
        assert_eq!(tcp(address, &["resize", "20"]), says(0, "ok\n", ""));
        assert_eq!(pool.size(), 20);
        assert_eq!(tcp(address, &["pool-size"]), says(0, "20\n", ""));
        assert_eq!(tcp(address, &["is-full"]), says(0, "False\n", ""));
        assert_eq!(
            tcp(address, &["get-group-ids", "start-group-0", "--json"]).code,
            Some(0)
        );
    });
}

#[test]
fn times_and_groups_are_tables_for_people() {
    steered(None, |pool, address| {
        let outer = pool.group("outer", 1).unwrap();
        let inner = outer.group("inner", 1).unwrap();
        drop(inner.task(pending::<()>()).name("slow").spawn_n());
        let tree = "\
name     size  active  waiting  paused  locked
outer    1     1       0        False   False
  inner  1     1       0        False   False
";
        assert_eq!(tcp(address, &["tree"]), says(0, tree, ""));
        let times = "\
tasks    count  p50  p90  p99  longest
running  1      -    -    -    -
waiting  0      -    -    -    -
id  name  group  state   priority  weight  waited  running
0   slow  inner  active  0         1       -       -
";
        assert_eq!(tcp(address, &["times", "-n", "3"]), says(0, times, ""));
        assert_eq!(tcp(address, &["times", "-n", "x"]).code, Some(2));
        assert_eq!(tcp(address, &["times", "-g", "nobody"]).code, Some(1));
    });
}

#[test]
fn a_refusal_ends_with_1_and_wrong_usage_with_2() {
    steered(None, |pool, address| {
        for (command, code) in [
            (&["resize", "0"][..], 1),
            (&["cancel", "99"], 1),
            (&["cancel-group", "no such group"], 1),
            (&["resize", "many"], 2),
            (&["resize"], 2),
            (&["bogus"], 2),
            (&["cancel", ""], 2),
        ] {
            let ran = tcp(address, command);
            assert!(
                ran.code == Some(code) && ran.out.is_empty(),
                "{command:?}: {ran:?}"
            );
            assert!(ran.err.contains("aiopool: "), "{command:?}: {ran:?}");
            let json = tcp(address, &[command, &["--json"]].concat());
            assert!(
                json.code == Some(code) && json.err.is_empty(),
                "{command:?}: {json:?}"
            );
            assert!(
                json.out.starts_with(r#"{"error":{"kind":"#),
                "{command:?}: {json:?}"
            );
        }
        assert_eq!(pool.size(), 4);
    });
}

#[test]
fn a_word_with_spaces_quotes_and_brackets_stays_one() {
    steered(None, |_, address| {
        for name in [
            "a b",
            "",
            "a\"b c",
            "[1, 2",
            "\\n\n",
            "'",
            "(",
            "{\"a\": 1}",
            "-x y",
        ] {
            let ran = tcp(address, &["get-group-ids", "--", "--", name]);
            let refusal = "{\"error\":{\"kind\":\"not-found\"";
            let json = tcp(address, &["get-group-ids", "--json", "--", "--", name]);
            assert!(
                ran.code == Some(1) && json.out.starts_with(refusal),
                "{name:?}: {ran:?}, {json:?}"
            );
        }
    });
}

#[test]
fn the_token_comes_from_an_option_or_from_the_environment() {
    steered(Some("geheim"), |_, address| {
        for args in [
            &["tcp", address, "is-full"][..],
            &["--token", "x", "tcp", address, "is-full"],
        ] {
            let ran = aiopool(args, "");
            assert!(ran.code == Some(3) && ran.err.contains("token"), "{ran:?}");
            assert!(!ran.err.contains("geheim"), "{ran:?}");
        }
        let ran = aiopool(&["--token", "geheim", "tcp", address, "is-full"], "");
        assert_eq!(ran, says(0, "False\n", ""));
        let mut program = Command::new(env!("CARGO_BIN_EXE_aiopool"));
        program
            .args(["tcp", address, "is-full"])
            .env("AIOPOOL_TOKEN", "geheim");
        assert_eq!(run(program, ""), says(0, "False\n", ""));
    });
}

#[test]
fn a_script_may_quote_and_watch() {
    steered(None, |pool, address| {
        let script = "start 2\ncancel 0 -m \"too slow\"\nwatch -i 0.1\nnum-running\nhelp watch\n";
        let ran = aiopool(&["tcp", address, "--json"], script);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        let lines: Vec<&str> = ran.out.lines().collect();
        assert_eq!(lines.len(), 5, "a watch in a script tells once: {lines:?}");
        assert_eq!(lines[..2], [r#"{"ok":"start-group-0"}"#, r#"{"ok":null}"#]);
        assert!(
            lines[2].starts_with(r#"{"ok":{"name":"demo","size":4,"#),
            "{lines:?}"
        );
        assert!(
            lines[4].starts_with(r#"{"ok":{"help":"usage: watch"#),
            "{lines:?}"
        );
        assert_eq!(pool.stats().submitted, 2);
    });
}

#[test]
fn a_watch_goes_on_until_its_server_ends() {
    let mut child = steered(None, |_, address| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_aiopool"));
        program
            .args(["tcp", address, "watch", "-i", "0.1"])
            .stdout(Stdio::piped());
        let mut child = program.stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let lines: Vec<String> = lines.take(3).map(Result::unwrap).collect();
        assert!(
            lines
                .iter()
                .all(|line| line.starts_with("name=demo size=4 active=0 ")),
            "{lines:?}"
        );
        child
    });
    // Its reader is there and does not read: what is left fits into the pipe.
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn what_a_terminal_would_obey_is_escaped_for_people_and_left_alone_in_json() {
    steered(None, |pool, address| {
        let evil = "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\r\tz";
        let group = pool.group(evil, 1).unwrap();
        drop(group.task(pending::<()>()).name(evil).spawn_n());
        let obeyed = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        for command in [
            &["tasks"][..],
            &["groups"],
            &["tree"],
            &["times"],
            &["stats", "-g", evil],
            &["stats", "-g", "\u{1b}nobody"],
            &["resize", "\u{1b}[2J"],
            &["\u{1b}[2J"],
            &["get-group-ids", evil],
        ] {
            let ran = tcp(address, command);
            let shown = ran.out + &ran.err;
            assert!(!shown.is_empty() && !shown.contains(obeyed), "{shown:?}");
        }
        let script = format!("stats -g \"{evil}\"\nbad\u{1b}\nwatch -g \"{evil}\"\n");
        let ran = aiopool(&["tcp", address], &script);
        let shown = ran.out + &ran.err;
        assert!(!shown.contains(obeyed), "{shown:?}");
        let json = tcp(address, &["--json", "groups"]).out;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["ok"][0]["name"], evil);
    });
}
