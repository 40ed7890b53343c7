//! `watch`: a stream, until the client says something.

use crate::support::{Server, eventually, simple};

#[test]
fn watching_shows_what_becomes_of_the_pool_until_an_empty_line() {
    let server = Server::tcp(5, simple);
    let (mut watcher, mut client) = (server.json(), server.text());
    watcher.say("watch -i 0.1");
    let active = |watcher: &mut crate::support::Client| {
        let line: serde_json::Value = serde_json::from_str(&watcher.read()).unwrap();
        line["ok"]["active"].as_u64().unwrap()
    };
    assert_eq!(active(&mut watcher), 0, "the first comes at once");
    client.ask("start 3");
    eventually("it shows three", || active(&mut watcher) == 3);
    watcher.say("");
    let mut last = watcher.read();
    while last.contains("active") {
        last = watcher.read();
    }
    assert_eq!(last, r#"{"ok":null}"#);
    assert_eq!(watcher.ask("num-running"), r#"{"ok":3}"#);
}

#[test]
fn any_other_line_ends_it_too_and_is_a_command() {
    let server = Server::tcp(5, simple);
    let mut client = server.text();
    client.send(b"watch -i 3600\nnum-running\n");
    assert!(client.read().starts_with("name=demo size=5 active=0 "));
    assert_eq!(client.read(), "ok");
    assert_eq!(client.read(), "0");
}

#[test]
fn a_watcher_that_goes_or_does_not_read_leaves_its_seat() {
    let server = Server::tcp(5, |pool| {
        simple(pool)
            .max_sessions(1)
            .idle_timeout(std::time::Duration::from_millis(300))
    });
    let mut gone = server.text();
    gone.say("watch -i 0.1");
    gone.read();
    drop(gone);
    eventually("its seat is free", || {
        server.text().title == "SimpleTaskPool-demo"
    });
}

#[test]
fn a_watcher_may_be_silent_for_longer_than_others() {
    let server = Server::tcp(5, |pool| {
        simple(pool).idle_timeout(std::time::Duration::from_millis(150))
    });
    let mut client = server.text();
    client.say("watch -i 0.1");
    for _ in 0..5 {
        assert!(client.read().starts_with("name=demo "));
    }
}

#[test]
fn the_end_of_the_server_ends_a_watch() {
    let mut server = Server::tcp(5, simple);
    let mut client = server.text();
    client.say("watch");
    client.read();
    server.stop();
    assert_eq!(client.read_to_end(), "");
}
