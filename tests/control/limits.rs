//! How many, how long, how much.

use std::time::Duration;

use crate::support::{Client, Server, eventually, simple};

#[test]
fn who_comes_when_all_seats_are_taken_is_told_so_and_may_come_again() {
    let server = Server::tcp(1, |pool| simple(pool).max_sessions(2));
    let (first, _second) = (server.text(), server.text());
    let mut third = server.text();
    assert_eq!(third.title, "error: there are 2 sessions already");
    assert_eq!(third.read_to_end(), "");
    let fourth = server.json();
    assert!(
        fourth.title.contains(r#""kind":"busy""#),
        "{}",
        fourth.title
    );
    drop(first);
    eventually("there is a seat again", || {
        server.text().title == "SimpleTaskPool-demo"
    });
}

#[test]
fn two_hundred_at_once_are_served() {
    let server = Server::tcp(1000, simple);
    let mut clients: Vec<_> = (0..200).map(|_| Client::mute(&server.address)).collect();
    for client in &mut clients {
        client.send(b"{\"terminal_width\": null}\nstart 1\n");
    }
    for client in &mut clients {
        assert_eq!(client.read(), "SimpleTaskPool-demo");
        assert!(client.read().starts_with("start-group-"));
    }
    assert_eq!(clients[99].ask("num-running"), "200");
}

#[test]
fn a_client_that_says_nothing_is_sent_away() {
    let server = Server::tcp(1, |pool| {
        simple(pool).idle_timeout(Duration::from_millis(100))
    });
    let mut mute = Client::mute(&server.address);
    assert!(mute.read().starts_with("error: nothing was said for"));
    assert_eq!(mute.read_to_end(), "");
    let mut tired = server.json();
    assert!(tired.read().contains(r#""kind":"idle""#));
    assert_eq!(tired.read_to_end(), "");
}

#[test]
fn letter_by_letter_is_not_a_line() {
    let server = Server::tcp(1, |pool| {
        simple(pool).idle_timeout(Duration::from_millis(300))
    });
    let mut slow = server.text();
    let begun = std::time::Instant::now();
    while slow.try_send(b"n") {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it listens for ever"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_one_answered() {
    let server = Server::tcp(1, |pool| simple(pool).max_line(100));
    let mut client = server.json();
    let long = "x".repeat(100_000);
    assert!(client.ask(&long).contains(r#""kind":"line-too-long""#));
    assert_eq!(client.ask("num-running"), r#"{"ok":0}"#);
    let fits = format!("start {}1", " ".repeat(93));
    assert_eq!(client.ask(&fits), r#"{"ok":"start-group-0"}"#);
    assert!(client.ask(&format!("{fits} ")).contains("line-too-long"));
}

#[test]
fn limits_of_nothing_are_refused() {
    use crate::support::{Runtime, loopback};
    use aiopool::AioPool;
    use aiopool::control::Builder;

    let shapes: [fn(AioPool) -> Builder; 4] = [
        |pool| simple(pool).max_sessions(0),
        |pool| simple(pool).max_line(0),
        |pool| simple(pool).idle_timeout(Duration::ZERO),
        |pool| simple(pool).token(""),
    ];
    for shape in shapes {
        let begin = move |pool| loopback(shape(pool));
        let refused = Server::begin(Runtime::TokioOneThread, 1, begin);
        assert_eq!(
            refused.err().unwrap().kind(),
            std::io::ErrorKind::InvalidInput
        );
    }
}
