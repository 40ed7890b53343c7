//! Who has a seat, and who keeps nobody out.

use std::time::{Duration, Instant};

use aiopool::AioPool;
use aiopool::control::Builder;

use crate::support::{Client, Runtime, Server, eventually, simple, with_work};

const TITLE: &str = "SimpleTaskPool-demo";

/// Connections that say nothing, or not enough.
fn mutes(server: &Server, count: usize, say: &[u8]) -> Vec<Client> {
    let mute = |_| {
        let mut client = Client::mute(&server.address);
        client.try_send(say);
        client
    };
    (0..count).map(mute).collect()
}

fn is_let_in(server: &Server, handshake: &str) {
    let begun = Instant::now();
    let client = Client::greeting(&server.address, handshake);
    assert_eq!(client.title, TITLE);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn connections_that_are_not_admitted_keep_nobody_out() {
    let with_token: fn(AioPool) -> Builder = |pool| simple(pool).token("sesame");
    let token = r#"{"token": "sesame"}"#;
    for (shape, handshake, said) in [
        (with_token, token, &b""[..]),
        (with_token, token, b"{\"token\": "),
        (with_token, token, b"{}\n"),
        (with_token, token, b"{\"token\": \"wrong\"}\n"),
        (simple, "{}", b""),
        (simple, "{}", b"{\"token\": "),
        (simple, "{}", b"hello\n"),
    ] {
        let server = Server::tcp(1, shape);
        let _mutes = mutes(&server, 300, said);
        for _ in 0..10 {
            is_let_in(&server, handshake);
        }
    }
}

#[test]
fn beyond_a_bounded_room_the_oldest_are_closed_at_once() {
    let server = Server::tcp(1, |pool| simple(pool).max_sessions(2));
    let mut mutes = mutes(&server, 40, b"");
    for mute in &mut mutes[..24] {
        assert_eq!(mute.read_to_end(), "");
    }
    let last = mutes.last_mut().unwrap();
    assert_eq!(last.ask("{}"), TITLE, "it has its place yet");
}

#[test]
fn a_wrong_token_is_told_after_a_while_and_counted() {
    let server = Server::tcp(1, |pool| simple(pool).token("sesame"));
    let begun = Instant::now();
    let wrong = Client::greeting(&server.address, r#"{"token": "open"}"#);
    assert!(wrong.title.contains("token"), "{}", wrong.title);
    assert!(begun.elapsed() >= Duration::from_millis(400));
    Client::greeting(&server.address, "{}");
    is_let_in(&server, r#"{"token": "sesame"}"#);
    assert_eq!(server.wrong_tokens(), 2);
}

#[test]
fn a_client_that_hangs_up_leaves_its_seat_at_once() {
    for said in [
        "until-closed",
        "watch -i 3600",
        "gather-and-close",
        "start 1\nwatch\n",
        "",
    ] {
        let server = Server::tcp(2, |pool| simple(pool).max_sessions(1));
        drop(server.pool.spawn_n(std::future::pending::<()>()));
        let mut gone = server.text();
        gone.say(said);
        drop(gone);
        let begun = Instant::now();
        eventually("its seat is free", || server.text().title == TITLE);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(5), "{said}: {took:?}");
    }
}

#[test]
fn who_waits_with_half_a_connection_is_answered_without_a_seat() {
    let server = Server::tcp(2, |pool| with_work(pool).max_sessions(1));
    let task = server.pool.spawn_n(std::future::pending::<()>());
    let mut half = server.text();
    half.say("gather-and-close");
    half.finish();
    eventually("its seat is free", || server.text().title == "AioPool-demo");
    task.abort();
    assert_eq!(half.read_to_end(), "ok\n");
}

#[test]
#[cfg(unix)]
fn who_reads_nothing_with_half_a_connection_gives_way_too() {
    let path = format!("aiopool-half-{}.sock", std::process::id());
    let path = std::env::temp_dir().join(path);
    let begin = async |pool| simple(pool).max_sessions(1).serve_unix(path).await;
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    for _ in 0..20_000 {
        drop(server.pool.spawn_n(std::future::pending::<()>()));
    }
    let mut half = server.text();
    half.send("tasks -n 10000\n".repeat(30).as_bytes());
    half.finish();
    eventually("its seat is free", || server.text().title == TITLE);
    // A Unix socket takes a small part of an answer: where that begins to arrive, its rest waits.
    half.read();
    let _mutes = mutes(&server, 40, b"");
    is_let_in(&server, "{}");
    let said = half.read_to_end();
    assert!(!said.contains("and 10000 more"), "the answer is cut");
}

const TOKEN: &str = r#"{"token": "sesame"}"#;

/// A server that demands a token and has two seats, and two clients that hold them and wait for long.
fn taken_seats() -> (Server, Vec<Client>) {
    let server = Server::tcp(1, |pool| simple(pool).token("sesame").max_sessions(2));
    let waits = |command: &&str| {
        let mut client = Client::greeting(&server.address, TOKEN);
        assert_eq!(client.title, TITLE);
        client.say(command);
        client
    };
    let clients = ["until-closed", "watch -i 3600"]
        .iter()
        .map(waits)
        .collect();
    (server, clients)
}

#[test]
fn a_client_with_a_token_is_served_though_others_wait_in_all_seats() {
    let (server, mut waiting) = taken_seats();
    let mut operator = Client::greeting(&server.address, TOKEN);
    assert_eq!(operator.title, TITLE);
    assert_eq!(operator.ask("start 1"), "start-group-0");
    assert_eq!(operator.ask("stop-all"), "[0]");
    assert_eq!(operator.ask("lock"), "ok");
    assert_eq!(waiting[0].read(), "True");
}

#[test]
fn the_newest_client_with_a_token_gets_the_kept_seat_and_nobody_else_gives_way() {
    let (server, mut waiting) = taken_seats();
    let told = "error: a newer client has got the last seat\n";
    let mut last = Client::greeting(&server.address, TOKEN);
    for command in ["num-running", "until-closed", "watch -i 3600"] {
        last.say(command);
        if command != "until-closed" {
            last.read();
        }
        let newer = Client::greeting(&server.address, TOKEN);
        assert_eq!(newer.title, TITLE);
        assert_eq!(last.read_to_end(), told, "{command}");
        last = newer;
    }
    waiting[0].finish();
    assert_eq!(waiting[0].read_to_end(), "");
    let mut seated = Client::greeting(&server.address, TOKEN);
    assert_eq!(seated.ask("num-running"), "0");
    assert_eq!(last.ask("num-running"), "0", "there was another seat");
    waiting[1].read();
    assert_eq!(waiting[1].ask(""), "ok");
}

#[test]
fn nobody_without_the_token_gets_the_kept_seat() {
    let (server, _waiting) = taken_seats();
    let mut operator = Client::greeting(&server.address, TOKEN);
    let wrong = Client::greeting(&server.address, "{}");
    assert!(wrong.title.contains("token"), "{}", wrong.title);
    assert_eq!(operator.ask("num-running"), "0");
}
