//! asyncio-taskpool 1.1.4 as a peer: its client at our server, and the same session at its own.

mod peer;

use std::io::Write;
use std::process::{Command, Stdio};

use aiopool::control::{Address, Builder};

use self::peer::{PythonServer, python};
use crate::support::{Client, Runtime, Server, eventually, simple, with_work};

/// How the answers of the two servers have to be alike.
#[derive(Clone, Copy, Debug)]
enum Alike {
    /// To the byte.
    Same,
    /// Each one line, in words of its own.
    Refused,
    /// Each begins with this line, and ends with an empty one.
    Usage(&'static str),
    /// The same, and names this.
    Misuse(&'static str, &'static str),
}

use Alike::{Misuse, Refused, Same, Usage};

const TOP: &str = "usage: [-h] [command] ...";

const SIMPLE: &[(&str, Alike)] = &[
    ("func-name", Same),
    ("pool-size", Same),
    ("is-full", Same),
    ("is-locked", Same),
    ("num-running", Same),
    ("num-cancelled", Same),
    ("num-ended", Same),
    ("get-group-ids", Same),
    ("start 3", Same),
    ("num-running", Same),
    ("start 2", Same),
    ("get-group-ids start-group-0", Same),
    ("get-group-ids start-group-0 start-group-1", Same),
    ("get-group-ids nope", Refused),
    ("stop 1", Same),
    ("num-running", Same),
    ("num-cancelled", Same),
    ("num-ended", Same),
    ("stop 2", Same),
    ("stop 0", Same),
    ("stop -1", Same),
    ("start -1", Same),
    ("start 0", Same),
    ("start 1.5", Misuse("usage: start [-h] num", "1.5")),
    ("start", Misuse("usage: start [-h] num", "num")),
    ("stop a b", Misuse("usage: stop [-h] num", "a")),
    ("lock", Same),
    ("start 1", Refused),
    ("is-locked", Same),
    ("unlock", Same),
    ("is-locked", Same),
    ("cancel 0", Same),
    ("cancel 0", Refused),
    ("cancel 1 0", Refused),
    ("num-running", Same),
    ("cancel 99", Refused),
    ("cancel -5", Refused),
    ("cancel", Same),
    (
        "cancel x",
        Misuse("usage: cancel [-h] [-m MSG] [task_ids ...]", "x"),
    ),
    ("cancel 1 -m hi", Same),
    (
        "cancel -m",
        Misuse("usage: cancel [-h] [-m MSG] [task_ids ...]", "-m/--msg"),
    ),
    ("cancel-group start-group-0", Same),
    ("cancel-group start-group-0", Refused),
    (
        "cancel-group",
        Misuse("usage: cancel-group [-h] [-m MSG] group_name", "group_name"),
    ),
    ("cancel-all", Same),
    ("cancel-all --msg=bye", Same),
    ("num-running", Same),
    ("num-cancelled", Same),
    ("num-ended", Same),
    ("flush", Same),
    ("num-ended", Same),
    ("flush -r", Same),
    ("flush --return-exceptions", Same),
    ("get-group-ids start-group-1", Refused),
    ("pool-size 3", Same),
    ("pool-size", Same),
    ("pool-size x", Misuse("usage: pool-size [-h] [value]", "x")),
    ("bogus", Misuse(TOP, "bogus")),
    ("num_running", Misuse(TOP, "num_running")),
    ("apply registered.work", Misuse(TOP, "apply")),
    ("stop-all", Same),
    ("start 4", Same),
    ("num-running", Same),
    ("is-full", Same),
    ("stop-all", Same),
    ("num-running", Same),
    ("start -h", Usage("usage: start [-h] num")),
    ("-h", Usage(TOP)),
    ("--help", Usage(TOP)),
    (
        "cancel --help",
        Usage("usage: cancel [-h] [-m MSG] [task_ids ...]"),
    ),
    ("pool-size -h", Usage("usage: pool-size [-h] [value]")),
    ("func-name -h", Usage("usage: func-name [-h]")),
    ("flush -h", Usage("usage: flush [-h] [-r]")),
    ("stop 1", Same),
    ("lock", Same),
    ("stop 1", Same),
    ("cancel-all", Same),
    ("gather-and-close", Same),
    ("num-ended", Same),
    ("is-locked", Same),
    ("start 1", Refused),
    ("until-closed", Same),
];

const WAITING: &[(&str, Alike)] = &[
    ("start 12", Same),
    ("get-group-ids start-group-0", Same),
    ("stop 3", Same),
    ("num-running", Same),
    ("get-group-ids start-group-0", Same),
    ("stop-all", Same),
    ("num-running", Same),
    ("start 2", Same),
    ("get-group-ids start-group-1", Same),
    ("cancel-group start-group-0", Same),
    ("num-ended", Same),
    ("start 3", Same),
    ("get-group-ids start-group-2", Same),
    ("start 11", Same),
    ("num-running", Same),
    ("get-group-ids start-group-0 start-group-1", Refused),
    (
        "get-group-ids start-group-1 start-group-2 start-group-3",
        Same,
    ),
    ("cancel-group start-group-3", Same),
    ("is-full", Same),
    ("cancel-all", Same),
    ("num-running", Same),
    ("num-ended", Same),
];

const NUMBERS: &[(&str, Alike)] = &[
    ("pool-size 900", Same),
    ("start 5", Same),
    ("start 37", Same),
    ("start 700", Same),
    ("start 1", Same),
    ("get-group-ids start-group-0", Same),
    ("get-group-ids start-group-1", Same),
    ("get-group-ids start-group-1 start-group-0", Same),
    ("get-group-ids start-group-2", Same),
    (
        "get-group-ids start-group-3 start-group-2 start-group-0 start-group-2",
        Same,
    ),
];

const TASKS: &[(&str, Alike)] = &[
    ("pool-size", Same),
    ("func-name", Misuse(TOP, "func-name")),
    ("start 1", Misuse(TOP, "start")),
    ("apply registered.work", Same),
    ("apply registered.work -n 3", Same),
    ("apply registered.work -a (1,2) -n 2", Same),
    ("apply registered.work -k {\"a\":1} --num=0", Same),
    ("get-group-ids apply-work-group-0", Same),
    ("get-group-ids apply-work-group-1 apply-work-group-2", Same),
    ("num-running", Same),
    ("map registered.work [1,2,3] -n 2", Same),
    ("get-group-ids map-work-group-0", Same),
    ("starmap registered.work [(1,2),(3,4)] -g mine", Same),
    ("get-group-ids mine", Same),
    (
        "doublestarmap registered.work [{'a':1},{'b':2}] --num-concurrent 1",
        Same,
    ),
    ("num-running", Same),
    ("is-full", Same),
    ("apply registered.work -g mine", Refused),
    (
        "apply",
        Misuse(
            "usage: apply [-h] [-a ARGS] [-k KWARGS] [-n NUM] [-g GROUP_NAME]",
            "func",
        ),
    ),
    (
        "apply registered.work -n x",
        Misuse(
            "usage: apply [-h] [-a ARGS] [-k KWARGS] [-n NUM] [-g GROUP_NAME]",
            "-n/--num: ",
        ),
    ),
    (
        "map registered.work",
        Misuse(
            "usage: map [-h] [-n NUM_CONCURRENT] [-g GROUP_NAME] [-e END_CALLBACK]",
            "arg_iter",
        ),
    ),
    (
        "starmap -h",
        Usage("usage: starmap [-h] [-n NUM_CONCURRENT] [-g GROUP_NAME] [-e END_CALLBACK]"),
    ),
    ("map registered.work [1] -n 0", Refused),
    ("map registered.work [1] -n -1", Refused),
    ("cancel 0 1", Same),
    ("num-running", Same),
    ("num-ended", Same),
    ("cancel-group map-work-group-0", Same),
    ("num-running", Same),
    ("cancel-all", Same),
    ("num-running", Same),
    ("num-ended", Same),
    ("flush", Same),
    ("num-ended", Same),
    (
        "get-group-ids -h",
        Usage("usage: get-group-ids [-h] [group_names ...]"),
    ),
    ("-h", Usage(TOP)),
    ("lock", Same),
    ("apply registered.work", Refused),
    ("map registered.work [1]", Refused),
    ("unlock", Same),
    ("apply registered.quick -g x --num 2", Same),
    ("apply registered.quick --gr y", Same),
    ("map registered.quick [1,2,3] -n 3", Same),
    ("apply registered.work", Same),
    ("get-group-ids apply-work-group-0", Same),
    ("cancel-all", Same),
    ("apply registered.bad -e registered.ended", Same),
    (
        "apply registered.quick -e registered.ended -c registered.ended",
        Same,
    ),
    ("flush -r", Same),
    ("gather-and-close -r", Same),
    ("num-ended", Same),
    ("until-closed", Same),
    ("apply registered.work", Refused),
];

/// Holds a session with both servers, and compares reply by reply.
fn compare(
    kind: &str,
    size: usize,
    shape: fn(aiopool::AioPool) -> Builder,
    session: &[(&str, Alike)],
) {
    let Some(python) = python() else { return };
    let theirs = PythonServer::start(&python, kind, size);
    let ours = Server::tcp(size, shape);
    let mut there = Client::text(&theirs.address);
    let mut here = ours.text();
    let title = |client: &Client| client.title.split('-').next_back().map(str::to_owned);
    assert_eq!(title(&here), title(&there));
    for (place, (line, alike)) in session.iter().enumerate() {
        there.say(line);
        here.say(&line.replace("registered.", ""));
        let (there, here) = (answer(&mut there, *alike), answer(&mut here, *alike));
        let both = format!("line {place}, {line}, {alike:?}:\nthere {there:?}\nhere  {here:?}");
        match alike {
            Same => assert_eq!(here, there, "{both}"),
            Refused => assert!(here != "ok" && here.parse::<u64>().is_err(), "{both}"),
            Usage(first) | Misuse(first, _) => {
                for answer in [&there, &here] {
                    assert_eq!(answer.lines().next(), Some(*first), "{both}");
                    assert!(answer.ends_with("\n\n"), "{both}");
                }
                if let Misuse(_, names) = alike {
                    let error = here.trim_end().lines().last().unwrap();
                    assert!(
                        error.contains(": error: ") && error.contains(names),
                        "{both}"
                    );
                    let before = |answer: &str| answer.split(": error: ").next().map(str::to_owned);
                    assert_eq!(before(&here), before(&there), "{both}");
                }
            }
        }
    }
}

/// Python's help has empty lines inside, so what it sends is read until it is silent.
fn answer(client: &mut Client, alike: Alike) -> String {
    match alike {
        Same | Refused => client.read(),
        Misuse(..) => client.read_block(),
        Usage(_) => client.read_until_silent(),
    }
}

#[test]
fn a_session_of_a_simple_pool_is_that_of_python() {
    compare("simple", 10, simple, SIMPLE);
}

#[test]
fn a_session_where_tasks_wait_is_that_of_python() {
    compare("simple", 10, simple, WAITING);
}

#[test]
fn numbers_of_tasks_are_listed_in_the_order_of_python() {
    compare("simple", 10, simple, NUMBERS);
}

#[test]
fn a_session_of_a_pool_with_registered_work_is_that_of_python() {
    compare("task", 10, with_work, TASKS);
}

/// Runs the client of 1.1.4 as its users do. Returns what it printed.
fn client(python: &str, place: &[&str], lines: &str) -> String {
    let mut client = Command::new(python)
        .args(["-m", "asyncio_taskpool.control"])
        .args(place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let ran = client.wait_with_output().unwrap();
    let errors = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn the_client_of_python_holds_a_whole_session_over_tcp() {
    let Some(python) = python() else { return };
    let mut lines: String = SIMPLE
        .iter()
        .filter(|(_, alike)| matches!(alike, Same))
        .map(|(line, _)| format!("{line}\n"))
        .collect();
    lines.push_str("exit\n");
    let theirs = PythonServer::start(&python, "simple", 10);
    let ours = Server::tcp(10, simple);
    let printed = |port: u16| client(&python, &["tcp", "127.0.0.1", &port.to_string()], &lines);
    let (there, here) = (printed(theirs.port), printed(ours.port()));
    assert!(
        here.starts_with("Connected to SimpleTaskPool-demo\n"),
        "{here}"
    );
    assert!(
        here.contains("> start-group-0\n") && here.contains("> [3, 2]\n"),
        "{here}"
    );
    assert_eq!(here, there);
}

#[test]
fn the_client_of_python_is_told_about_wrong_usage_over_a_unix_socket() {
    let Some(python) = python() else { return };
    let path = std::env::temp_dir().join(format!("aiopool-python-{}.sock", std::process::id()));
    let socket = path.clone();
    let begin = |pool| async move { simple(pool).serve_unix(socket).await };
    let server = Server::begin(Runtime::TokioTwoThreads, 3, begin).unwrap();
    let place = ["unix", path.to_str().unwrap()];
    let here = client(
        &python,
        &place,
        "START 2\nstart x\nbogus\nstop 1\n-h\nstart -h\nnum-running\nexit\n",
    );
    for said in [
        "Connected to SimpleTaskPool-demo\n",
        "> start-group-0\n",
        "> usage: start [-h] num\nstart: error: argument num: \"x\"",
        "> usage: [-h] [command] ...\n: error: there is no command \"bogus\"",
        "> [1]\n",
        "> usage: [-h] [command] ...\noptions:\n",
        "> usage: start [-h] num\nStarts so many",
        "> 1\n",
        "> Disconnected from control server.\n",
    ] {
        assert!(here.contains(said), "{said:?} is missing in {here}");
    }
    drop(server);
    assert!(!path.exists());
}

#[test]
fn clients_of_python_survive_the_end_of_the_server() {
    let Some(python) = python() else { return };
    let mut server = Server::tcp(3, simple);
    let port = server.port().to_string();
    let mut client = Command::new(&python)
        .args(["-m", "asyncio_taskpool.control", "tcp", "127.0.0.1", &port])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"start 1\n").unwrap();
    eventually("it has started one", || server.pool.active() == 1);
    server.stop();
    for _ in 0..3 {
        _ = stdin.write_all(b"num-running\n");
    }
    drop(stdin);
    client.wait().unwrap();
    assert!(matches!(server.address, Address::Tcp(_)));
}
