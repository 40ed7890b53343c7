//! Who may connect, and what they may do.

use std::io::ErrorKind;

use aiopool::AioPool;
use aiopool::control::Builder;

use crate::support::{Client, Runtime, Server, simple, with_work};

fn at(address: &'static str, shape: fn(AioPool) -> Builder) -> std::io::Result<Server> {
    let begin = move |pool| {
        let builder = shape(pool);
        async move { builder.serve_tcp(address).await }
    };
    Server::begin(Runtime::TokioOneThread, 1, begin)
}

#[test]
fn without_a_token_tcp_is_served_on_loopback_only() {
    for address in ["0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0"] {
        let refused = at(address, simple).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{address}");
        assert!(refused.to_string().contains("token"), "{refused}");
    }
    for address in ["127.0.0.1:0", "localhost:0", "127.9.9.9:0"] {
        assert_eq!(
            at(address, simple).unwrap().text().ask("num-running"),
            "0",
            "{address}"
        );
    }
    assert!(at("nonsense", simple).is_err());
}

#[test]
fn with_a_token_it_is_served_anywhere_to_those_who_know_it() {
    let server = at("0.0.0.0:0", |pool| simple(pool).token("sesame")).unwrap();
    let address = aiopool::control::Address::Tcp(([127, 0, 0, 1], server.port()).into());
    let mut client = Client::greeting(&address, r#"{"token": "sesame"}"#);
    assert_eq!(client.title, "SimpleTaskPool-demo");
    assert_eq!(client.ask("num-running"), "0");
    for wrong in [
        r#"{"terminal_width": 80}"#,
        r#"{"token": ""}"#,
        r#"{"token": "sesam"}"#,
        r#"{"token": "sesame "}"#,
        r#"{"token": "sesamesesame"}"#,
        r#"{"token": null}"#,
    ] {
        let mut client = Client::mute(&address);
        client.say(wrong);
        client.say("start 1");
        client.finish();
        let said = client.read_to_end();
        assert!(
            said.starts_with("error: ") && said.contains("token"),
            "{wrong}: {said}"
        );
        assert!(
            !said.contains("sesame") && said.lines().count() == 1,
            "{said}"
        );
    }
    let json = Client::greeting(&address, r#"{"format": "json", "token": "x"}"#);
    assert!(json.title.contains(r#""kind":"token""#), "{}", json.title);
    assert_eq!(
        client.ask("num-running"),
        "0",
        "nobody has started anything"
    );
}

#[test]
fn a_token_is_shown_nowhere() {
    let builder = simple(AioPool::new(1)).token("sesame");
    assert!(!format!("{builder:?}").contains("sesame"));
}

#[test]
fn who_may_only_look_changes_nothing() {
    let server = Server::tcp(3, |pool| simple(pool).read_only(true));
    server.pool.spawn_n(std::future::pending::<()>());
    let mut client = server.json();
    for line in [
        "start 1",
        "stop 1",
        "stop-all",
        "cancel 0",
        "cancel",
        "cancel-group x",
        "cancel-all",
        "flush",
        "lock",
        "unlock",
        "gather-and-close",
        "pool-size 5",
        "resize 5",
        "pause",
        "resume",
    ] {
        assert_eq!(
            client.ask_json(line)["error"]["kind"],
            "read-only",
            "{line}"
        );
    }
    for line in [
        "pool-size",
        "is-full",
        "is-locked",
        "num-running",
        "num-cancelled",
        "num-ended",
        "get-group-ids",
        "func-name",
        "stats",
        "tasks",
        "groups",
        "-h",
        "start -h",
    ] {
        assert!(client.ask_json(line).get("ok").is_some(), "{line}");
    }
    assert_eq!((server.pool.active(), server.pool.size()), (1, 3));

    let aio = Server::tcp(3, |pool| with_work(pool).read_only(true));
    let mut client = aio.json();
    for line in [
        "apply work",
        "map work [1]",
        "starmap work [[1]]",
        "doublestarmap work [{}]",
    ] {
        assert_eq!(
            client.ask_json(line)["error"]["kind"],
            "read-only",
            "{line}"
        );
    }
    assert_eq!(aio.pool.stats().submitted, 0);
}

#[test]
fn nothing_runs_that_was_not_registered() {
    let server = Server::tcp(3, with_work);
    let mut client = server.json();
    for name in [
        "asyncio.create_subprocess_exec",
        "std::process::exit",
        "/bin/sh",
        "Work",
        "",
    ] {
        let line = format!("apply {} -a ['touch','x']", aiopool::control::quote(name));
        assert_eq!(
            client.ask_json(&line)["error"]["kind"],
            "not-found",
            "{name}"
        );
    }
    assert_eq!(server.pool.stats().submitted, 0);
}
