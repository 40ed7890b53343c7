//! Whole sessions, reply by reply.

use crate::support::{Client, Server, simple, with_work};

/// Holds a session of lines that are answered by one line each.
fn hold(client: &mut Client, session: &[(&str, &str)]) {
    for (place, (line, reply)) in session.iter().enumerate() {
        assert_eq!(client.ask(line), *reply, "line {place}: {line}");
    }
}

#[test]
fn copies_of_a_function_are_started_and_stopped_by_number() {
    let server = Server::tcp(10, simple);
    let mut client = server.text();
    assert_eq!(client.title, "SimpleTaskPool-demo");
    hold(
        &mut client,
        &[
            ("func-name", "work"),
            ("pool-size", "10"),
            ("is-full", "False"),
            ("is-locked", "False"),
            ("num-running", "0"),
            ("get-group-ids", "set()"),
            ("start 3", "start-group-0"),
            ("num-running", "3"),
            ("start 2", "start-group-1"),
            ("get-group-ids start-group-0", "{0, 1, 2}"),
            (
                "get-group-ids start-group-0 start-group-1",
                "{0, 1, 2, 3, 4}",
            ),
            ("stop 1", "[4]"),
            ("num-running", "4"),
            ("num-cancelled", "0"),
            ("num-ended", "1"),
            ("stop 2", "[3, 2]"),
            ("stop 0", "[]"),
            ("stop -1", "[]"),
            ("start -1", "start-group-2"),
            ("start 0", "start-group-3"),
            ("lock", "ok"),
            ("is-locked", "True"),
            ("unlock", "ok"),
            ("cancel 0", "ok"),
            ("cancel", "ok"),
            ("cancel 1 -m hi", "ok"),
            ("cancel-group start-group-0", "ok"),
            ("cancel-all", "ok"),
            ("num-running", "0"),
            ("num-ended", "5"),
            ("flush", "ok"),
            ("num-ended", "0"),
            ("flush -r", "ok"),
            ("pool-size 3", "ok"),
            ("pool-size", "3"),
            ("stop-all", "[]"),
            ("start 4", "start-group-4"),
            ("stop-all", "[7, 6, 5]"),
            ("num-running", "1"),
            ("start 10", "start-group-5"),
            ("num-running", "3"),
            ("is-full", "True"),
            ("cancel-all", "ok"),
            ("gather-and-close", "ok"),
            ("until-closed", "True"),
        ],
    );
}

#[test]
fn those_that_wait_start_when_others_are_stopped() {
    let server = Server::tcp(10, simple);
    hold(
        &mut server.text(),
        &[
            ("start 12", "start-group-0"),
            (
                "get-group-ids start-group-0",
                "{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}",
            ),
            ("stop 3", "[9, 8, 7]"),
            ("num-running", "9"),
            (
                "get-group-ids start-group-0",
                "{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}",
            ),
            ("stop-all", "[11, 10, 6, 5, 4, 3, 2, 1, 0]"),
            ("num-running", "0"),
            ("num-ended", "12"),
            ("cancel-group start-group-0", "ok"),
            ("start 11", "start-group-1"),
            ("start 2", "start-group-2"),
            ("cancel-group start-group-2", "ok"),
            ("stop 1", "[21]"),
            ("num-running", "10"),
            ("pool-size 20", "ok"),
            ("is-full", "False"),
        ],
    );
    assert_eq!(server.pool.waiting(), 0);
}

#[test]
fn registered_work_is_started_once_or_for_each_value() {
    let server = Server::tcp(10, with_work);
    let mut client = server.text();
    assert_eq!(client.title, "AioPool-demo");
    hold(
        &mut client,
        &[
            ("apply work", "apply-work-group-0"),
            ("apply work -n 3", "apply-work-group-1"),
            ("apply work -a (1,2) -n 2", "apply-work-group-2"),
            ("get-group-ids apply-work-group-0", "{0}"),
            (
                "get-group-ids apply-work-group-1 apply-work-group-2",
                "{1, 2, 3, 4, 5}",
            ),
            ("num-running", "6"),
            ("map work [1,2,3] -n 2", "map-work-group-0"),
            ("get-group-ids map-work-group-0", "{6, 7}"),
            ("starmap work [(1,2),(3,4)] -g mine", "mine"),
            ("get-group-ids mine", "{8}"),
            (
                "doublestarmap work [{'a':1},{'a':2}]",
                "doublestarmap-work-group-0",
            ),
            ("num-running", "10"),
            ("apply work -n 0", "apply-work-group-3"),
            ("cancel 0 1", "ok"),
            ("cancel-group map-work-group-0", "ok"),
            ("num-running", "6"),
            ("cancel-all", "ok"),
            ("num-running", "0"),
            ("num-ended", "10"),
            ("apply quick -g mine", "mine"),
            ("apply quick --group-name x --num 2", "x"),
            ("apply quick --gr y", "y"),
            ("get-group-ids x", "{11, 12}"),
            ("flush", "ok"),
            ("apply bad -n 3", "apply-bad-group-0"),
            ("gather-and-close", "ok"),
            ("num-ended", "0"),
        ],
    );
    assert_eq!(server.pool.stats().panicked, 3);
}

#[test]
fn work_is_given_what_the_client_wrote() {
    use std::sync::mpsc::channel;

    use crate::support::{Runtime, loopback};
    use aiopool::control::ControlServer;

    let (tell, told) = channel();
    let begin = move |pool| {
        loopback(ControlServer::builder(pool).command("tell", move |args| {
            tell.send(args.to_string()).unwrap();
            async {}
        }))
    };
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    let mut client = server.text();
    for (line, given) in [
        ("apply tell", vec!["null"]),
        ("apply tell -n 2 -a [1]", vec!["[1]", "[1]"]),
        (
            "apply tell -k {\"path\": \"a b.png\"}",
            vec![r#"{"path":"a b.png"}"#],
        ),
        ("map tell ['x', None, 1.5]", vec!["\"x\"", "null", "1.5"]),
        ("starmap tell [(1, 2)]", vec!["[1,2]"]),
        (
            "doublestarmap tell '[{\"a\": true}]'",
            vec![r#"{"a":true}"#],
        ),
    ] {
        client.ask(line);
        for value in given {
            assert_eq!(told.recv().unwrap(), value, "{line}");
        }
    }
}

#[test]
fn help_and_wrong_usage_are_blocks_that_begin_with_usage_and_end_with_an_empty_line() {
    let server = Server::tcp(10, simple);
    let mut client = server.text();
    for (line, begins, says) in [
        (
            "-h",
            "usage: [-h] [command] ...\noptions:\n",
            "gather-and-close",
        ),
        ("start -h", "usage: start [-h] num\nStarts ", "how many"),
        (
            "cancel --help",
            "usage: cancel [-h] [-m MSG] [task_ids ...]\nStops ",
            "-m MSG, --msg MSG",
        ),
        (
            "start abc",
            "usage: start [-h] num\nstart: error: ",
            "num: \"abc\"",
        ),
        (
            "stop",
            "usage: stop [-h] num\nstop: error: ",
            "missing arguments: num",
        ),
        ("bogus", "usage: [-h] [command] ...\n: error: ", "\"bogus\""),
        (
            "apply work",
            "usage: [-h] [command] ...\n: error: ",
            "start, stats, stop, stop-all",
        ),
        (
            "is-full x",
            "usage: is-full [-h]\nis-full: error: ",
            "\"x\"",
        ),
        ("", "usage: [-h] [command] ...\n: error: ", "no command"),
        (
            "   \t",
            "usage: [-h] [command] ...\n: error: ",
            "no command",
        ),
        (
            "stop \"1",
            "usage: [-h] [command] ...\n: error: ",
            "not closed",
        ),
    ] {
        let block = client.ask_block(line);
        assert!(
            block.starts_with(begins) && block.contains(says),
            "{line}: {block}"
        );
    }
    assert_eq!(client.ask("num-running"), "0");
}

#[test]
fn help_is_as_wide_as_the_terminal() {
    let server = Server::tcp(1, with_work);
    let mut narrow = Client::greeting(&server.address, r#"{"terminal_width": 40}"#);
    let block = narrow.ask_block("apply -h");
    assert!(
        block.starts_with("usage: apply [-h] [-a ARGS] [-k KWARGS]\n             [-n NUM]"),
        "{block}"
    );
    let mut wide = Client::greeting(&server.address, r#"{"terminal_width": 200}"#);
    let block = wide.ask_block("apply -h");
    assert!(
        block.starts_with(
            "usage: apply [-h] [-a ARGS] [-k KWARGS] [-n NUM] [-g GROUP_NAME] [-e END_CALLBACK] [-c CANCEL_CALLBACK] func\nStarts "
        ),
        "{block}"
    );
}

#[test]
fn refusals_are_one_line_and_change_nothing() {
    let server = Server::tcp(4, with_work);
    let mut client = server.text();
    client.ask("apply work -n 4 -g busy");
    client.ask("cancel 0");
    for (line, says) in [
        ("get-group-ids nope", "\"nope\""),
        ("cancel-group nope", "\"nope\""),
        ("cancel 99", "no task 99"),
        ("cancel -1", "no task -1"),
        ("cancel 1 0", "task 0 has finished"),
        ("pool-size 0", "pause"),
        ("pool-size -1", "-1"),
        ("resize 0 -g busy", "pause"),
        ("resize 3 -g nope", "\"nope\""),
        ("apply nope", "only: bad, ended, quick, work"),
        ("apply work -g busy", "\"busy\" already"),
        ("map work [1] -n 0", "NUM_CONCURRENT"),
        ("stats -g nope", "\"nope\""),
        ("watch -g nope", "\"nope\""),
    ] {
        let reply = client.ask(line);
        assert!(reply.contains(says), "{line}: {reply}");
    }
    client.ask("lock");
    for line in ["apply work", "map work [1]"] {
        assert!(client.ask(line).contains("locked"), "{line}");
    }
    assert_eq!(
        (client.ask("num-running"), client.ask("pool-size")),
        ("3".into(), "4".into())
    );
}

#[test]
fn more_copies_than_can_be_made_at_once_are_refused() {
    let server = Server::tcp(1, simple);
    let mut client = server.text();
    assert!(
        client
            .ask("start 9223372036854775807")
            .contains("no more than")
    );
    assert_eq!(client.ask("num-running"), "0");
}

#[test]
fn a_pool_without_a_name_has_its_number_and_a_size_without_bound_is_inf() {
    use crate::support::{Runtime, loopback};
    use aiopool::AioPool;
    use aiopool::control::ControlServer;

    let begin = |_| {
        let pool = AioPool::new(AioPool::UNBOUNDED);
        loopback(ControlServer::builder(pool))
    };
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    let mut client = server.text();
    let number = client.title.strip_prefix("AioPool-").unwrap();
    assert!(number.parse::<u64>().is_ok(), "{}", client.title);
    assert_eq!(client.ask("pool-size"), "inf");
    assert_eq!(client.ask("pool-size 2"), "ok");
    assert_eq!(client.ask("pool-size"), "2");
}

#[test]
fn callbacks_are_registered_too_and_are_told_which_task_was_stopped_and_which_has_ended() {
    use std::sync::mpsc::channel;

    use crate::support::{Runtime, idle_work, loopback};
    use aiopool::control::ControlServer;

    let (tell, told) = channel();
    let begin = move |pool| {
        let (ended, cancelled) = (tell.clone(), tell);
        let builder = idle_work(ControlServer::builder(pool))
            .command("told-ended", move |id| {
                ended.send(format!("ended {id}")).unwrap();
                async { panic!("and the server goes on") }
            })
            .command("cancelled", move |id| {
                cancelled.send(format!("cancelled {id}")).unwrap();
                async {}
            });
        loopback(builder)
    };
    let server = Server::begin(Runtime::TokioOneThread, 9, begin).unwrap();
    let mut client = server.text();
    let mut tell = |line: &str, expected: &[&str]| {
        client.ask(line);
        for event in expected {
            assert_eq!(told.recv().unwrap(), *event, "{line}");
        }
    };
    tell("apply quick -e told-ended -c cancelled", &["ended 0"]);
    tell(
        "apply bad --end-callback=told-ended -c cancelled",
        &["ended 1"],
    );
    tell("map work [1] -e told-ended -c cancelled", &[]);
    tell("starmap work [[1]] -c cancelled", &[]);
    tell("cancel 2", &["cancelled 2", "ended 2"]);
    tell("cancel-all", &["cancelled 3"]);
    assert!(client.ask("apply work -e nope").contains("\"nope\""));
    assert_eq!(client.ask("num-ended"), "4");
}

#[test]
fn inputs_that_are_no_inputs_are_wrong_usage() {
    let server = Server::tcp(1, with_work);
    let mut client = server.json();
    for (line, why) in [
        ("apply work -a 1 -k {}", "exclude each other"),
        ("apply work -k [1]", "is no object"),
        ("doublestarmap work [1]", "is no object"),
        ("starmap work [1]", "is no list"),
        ("map work {}", "is no list"),
    ] {
        let error = &client.ask_json(line)["error"];
        assert_eq!(error["kind"], "usage", "{line}");
        assert!(error["message"].as_str().unwrap().contains(why), "{error}");
    }
}

#[test]
fn a_first_line_that_is_too_long_is_refused_before_it_has_ended() {
    let server = Server::tcp(1, simple);
    let mut client = Client::mute(&server.address);
    client.send(&[b'x'; 100_000]);
    assert!(client.read_to_end().contains("the first line is too long"));
}
