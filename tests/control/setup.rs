//! How a server is set up: where it is polled, on which socket, who hears of it; and what it says of what it can start.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use aiopool::control::{AuditEvent, ControlServer, Peer};
use aiopool::{AioPool, SimpleTaskPool};
use serde_json::json;

use crate::support::{Client, Runtime, Server, eventually, idle_work, loopback, simple, with_work};

#[test]
fn a_pool_that_has_run_nothing_is_served_from_a_thread_without_a_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for copies in [false, true] {
        let (server, serving) = runtime.block_on(async {
            let pool = AioPool::new(2);
            let builder = if copies {
                ControlServer::builder(Arc::new(SimpleTaskPool::new(pool, || async {})))
            } else {
                with_work(pool)
            };
            builder.serve_tcp("127.0.0.1:0").await.unwrap()
        });
        let thread = std::thread::spawn(move || futures::executor::block_on(serving));
        let mut client = Client::json(server.local_addr());
        let line = if copies { "start 1" } else { "apply quick" };
        assert!(client.ask_json(line).get("ok").is_some(), "{line}");
        futures::executor::block_on(server.stop());
        thread.join().unwrap();
    }
}

#[cfg(not(any(feature = "smol", feature = "async-std")))]
#[test]
fn without_any_runtime_a_start_is_refused_in_words() {
    let builder = with_work(AioPool::new(2));
    let served = futures::executor::block_on(builder.serve_tcp("127.0.0.1:0"));
    let (server, serving) = served.unwrap();
    let thread = std::thread::spawn(move || futures::executor::block_on(serving));
    let mut client = Client::json(server.local_addr());
    let said = client.ask_json("apply quick");
    assert_eq!(said["error"]["kind"], "no-runtime", "{said}");
    assert!(client.ask_json("stats").get("ok").is_some());
    futures::executor::block_on(server.stop());
    thread.join().unwrap();
}

#[test]
fn a_socket_that_listens_already_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let begin = move |pool| simple(pool).serve_listener(listener);
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    assert_eq!(server.port(), port);
    assert_eq!(server.text().ask("num-running"), "0");

    let open = TcpListener::bind("0.0.0.0:0").unwrap();
    let begin = move |pool| simple(pool).serve_listener(open);
    let refused = Server::begin(Runtime::TokioOneThread, 1, begin)
        .err()
        .unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
}

type Heard = Arc<Mutex<Vec<String>>>;

fn audited(heard: &Heard) -> Server {
    let heard = heard.clone();
    let begin = move |pool| {
        let builder = simple(pool).token("sesame").audit(move |peer, event| {
            assert!(matches!(peer, Peer::Tcp(from) if from.ip().is_loopback()));
            if event == AuditEvent::Line("lock") {
                panic!("on purpose");
            }
            heard.lock().unwrap().push(format!("{event:?}"));
        });
        loopback(builder)
    };
    Server::begin(Runtime::TokioOneThread, 1, begin).unwrap()
}

#[test]
fn an_audit_hears_who_sends_what_before_it_is_done() {
    let heard = Heard::default();
    let server = audited(&heard);
    Client::greeting(&server.address, r#"{"token": "wrong"}"#);
    let mut client = Client::greeting(&server.address, r#"{"token": "sesame", "format": "json"}"#);
    client.ask("start 1");
    client.ask("no such thing");
    let refused = client.ask_json("lock");
    assert_eq!(refused["error"]["kind"], "panicked");
    assert_eq!(
        client.ask("is-locked"),
        r#"{"ok":false}"#,
        "it was not obeyed"
    );
    let expected = [
        "WrongToken",
        "Admitted",
        r#"Line("start 1")"#,
        r#"Line("no such thing")"#,
        r#"Line("is-locked")"#,
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[test]
fn registered_work_is_listed() {
    let server = Server::tcp(1, with_work);
    assert_eq!(
        server.text().ask_block("functions"),
        "name\nbad\nended\nquick\nwork\n\n"
    );
    assert_eq!(
        server.json().ask_json("functions"),
        json!({"ok": ["bad", "ended", "quick", "work"]})
    );
    let copies = Server::tcp(1, simple);
    assert_eq!(
        copies.json().ask_json("functions")["error"]["kind"],
        "usage"
    );
}

#[test]
fn what_a_feed_has_yet_to_start_is_counted_as_waiting() {
    let begin = |pool| loopback(idle_work(ControlServer::builder(pool)));
    let server = Server::begin(Runtime::TokioOneThread, 10, begin).unwrap();
    let mut client = server.json();
    client.ask("apply work -n 1000 -g copies");
    client.ask("map work [1,2,3,4,5] -n 2 -g each");
    let mut waiting = |line: &str| client.ask_json(line)["ok"]["waiting"].clone();
    assert_eq!(waiting("stats"), 995);
    assert_eq!(waiting("stats -g copies"), 990);
    assert_eq!(waiting("stats -g each"), 5);
    let groups = client.ask_json("groups");
    assert_eq!(groups["ok"][0]["waiting"], 990);
    client.ask("cancel-group copies");
    let mut waiting = |line: &str| client.ask_json(line)["ok"]["waiting"].clone();
    assert_eq!(waiting("stats"), 3);
    client.ask("cancel-all");
    let mut waiting = |line: &str| client.ask_json(line)["ok"]["waiting"].clone();
    assert_eq!(waiting("stats"), 0);
}

#[test]
fn what_a_feed_of_the_program_has_yet_to_start_is_counted_as_waiting() {
    let server = Server::tcp(10, with_work);
    let (pool, group) = (&server.pool, server.pool.group("theirs", 5).unwrap());
    let own = pool.feed(0..1000, |_| std::future::pending::<()>());
    let theirs = group.feed(vec![(); 200], |()| std::future::pending::<()>());
    eventually("the pool is full", || pool.active() == 10);
    let mut client = server.json();
    let mut waiting = |line: &str| client.ask_json(line)["ok"]["waiting"].as_u64().unwrap();
    assert_eq!(waiting("stats"), 1200 - 10);
    assert_eq!(waiting("stats -g theirs"), 200 - group.active() as u64);
    own.abort();
    eventually("the group is full", || {
        own.is_finished() && group.active() == 5
    });
    assert_eq!(waiting("stats"), 195);
    theirs.abort();
    eventually("all have ended", || pool.is_empty());
    assert_eq!(waiting("stats"), 0);
    assert_eq!(waiting("stats -g theirs"), 0);
    let _endless = group.feed(0_u64.., |_| std::future::pending::<()>());
    eventually("the group is full", || group.active() == 5);
    assert_eq!(waiting("stats"), 1);
}

#[test]
fn a_feed_that_breaks_is_counted_as_waiting_no_longer() {
    let server = Server::tcp(1, with_work);
    let pool = &server.pool;
    let mut client = server.json();
    let mut waiting = || client.ask_json("stats")["ok"]["waiting"].as_u64().unwrap();
    let careless = |n| {
        assert_ne!(n, 5, "a panic of the closure");
        async {}
    };
    let _broken = pool.feed(0..1000, careless);
    eventually("it has broken", || pool.is_empty());
    assert_eq!(waiting(), 0);
    let _runs = pool.feed(0..1000, |_| std::future::pending::<()>());
    eventually("its first task runs", || pool.active() == 1);
    let _behind = pool.feed(0..1000, |_| std::future::pending::<()>());
    assert_eq!(waiting(), 999 + 1000);
    pool.abort_all();
    eventually("all have ended", || pool.is_empty());
    assert_eq!(waiting(), 0);
}

#[test]
fn tasks_may_be_asked_for_by_their_state() {
    let server = Server::tcp(2, simple);
    let mut client = server.json();
    client.ask("start 5");
    for (line, ids, more) in [
        ("tasks -s active", &[0, 1][..], 0),
        ("tasks --state waiting -n 1", &[2], 2),
        ("tasks -s waiting -g start-group-0", &[2, 3, 4], 0),
    ] {
        let said = client.ask_json(line);
        let listed = said["ok"]["tasks"].as_array().unwrap();
        let listed: Vec<_> = listed
            .iter()
            .map(|task| task["id"].as_u64().unwrap())
            .collect();
        assert_eq!(
            (&listed[..], &said["ok"]["more"]),
            (ids, &json!(more)),
            "{line}"
        );
    }
    assert_eq!(client.ask_json("tasks -s odd")["error"]["kind"], "usage");
}

#[test]
fn a_text_without_quotes_is_told_so_once() {
    let server = Server::tcp(1, with_work);
    let said = server.json().ask_json("apply work -a \"bob\"");
    let message = said["error"]["message"].as_str().unwrap();
    assert_eq!(message.matches("is no value").count(), 1, "{message}");
    assert!(message.contains(r#"'"bob"'"#), "{message}");
    assert!(
        server
            .json()
            .ask_json(r#"apply quick -a '"bob"'"#)
            .get("ok")
            .is_some()
    );
}
