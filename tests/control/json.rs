//! Replies that a program reads: one object a line, where values and errors never look alike.

use serde_json::json;

use crate::support::{Client, Server, eventually, simple, with_work};

#[test]
fn a_session_in_json() {
    let server = Server::tcp(3, simple);
    let mut client = server.json();
    assert_eq!(client.title, r#"{"ok":"SimpleTaskPool-demo"}"#);
    for (line, reply) in [
        ("start 4", json!({"ok": "start-group-0"})),
        ("num-running", json!({"ok": 3})),
        ("pool-size", json!({"ok": 3})),
        ("is-full", json!({"ok": true})),
        ("get-group-ids start-group-0", json!({"ok": [0, 1, 2]})),
        ("stop 1", json!({"ok": [2]})),
        ("cancel 0", json!({"ok": null})),
        ("get-group-ids", json!({"ok": []})),
        ("func-name", json!({"ok": "work"})),
    ] {
        assert_eq!(client.ask_json(line), reply, "{line}");
    }
}

#[test]
fn errors_have_a_kind() {
    let server = Server::tcp(2, with_work);
    let mut client = server.json();
    client.ask("apply work -g busy");
    client.ask("cancel 0");
    for (line, kind) in [
        ("start 1", "usage"),
        ("", "usage"),
        ("pool-size 0", "size"),
        ("cancel 0", "finished"),
        ("cancel 9", "not-found"),
        ("apply nope", "not-found"),
        ("apply work -g busy", "exists"),
    ] {
        let reply = client.ask_json(line);
        assert_eq!(reply["error"]["kind"], kind, "{line}: {reply}");
        assert!(!reply["error"]["message"].as_str().unwrap().is_empty());
        assert_eq!(reply.as_object().unwrap().len(), 1, "{reply}");
    }
    client.ask("lock");
    assert_eq!(client.ask_json("apply work")["error"]["kind"], "closed");
    assert_eq!(
        client.ask_json("cancel-group")["error"]["usage"],
        "usage: cancel-group [-h] [-m MSG] group_name"
    );
}

#[test]
fn what_the_pool_counts_and_holds() {
    let server = Server::tcp(1, with_work);
    let mut client = server.json();
    client.ask("apply work -n 1 -g one");
    let waiting = server
        .pool
        .task(std::future::pending::<()>())
        .name("mine")
        .priority(7)
        .spawn_n();
    let stats = client.ask_json("stats");
    assert_eq!(
        stats,
        json!({"ok": {
            "name": "demo", "size": 1, "active": 1, "waiting": 1, "full": true, "paused": false, "locked": false,
            "submitted": 2, "started": 1, "completed": 0, "panicked": 0, "cancelled": 0, "timed_out": 0, "rejected": 0, "refused": 0, "retries": 0,
        }})
    );
    let tasks = client.ask_json("tasks");
    assert_eq!(
        tasks,
        json!({"ok": {"more": 0, "tasks": [
            {"id": 0, "name": "one-0", "group": "one", "state": "active", "priority": 0, "weight": 1, "waited": null, "running": null},
            {"id": 1, "name": "mine", "group": null, "state": "waiting", "priority": 7, "weight": 1, "waited": null, "running": null},
        ]}})
    );
    let groups = client.ask_json("groups");
    assert_eq!(groups["ok"][0]["name"], "one");
    assert_eq!(groups["ok"][0]["size"], "inf");
    drop(waiting);
}

#[test]
fn the_order_of_keys_is_that_of_the_documentation() {
    let server = Server::tcp(1, with_work);
    let mut client = server.json();
    client.ask("apply work -g one");
    assert_eq!(
        client.ask("stats"),
        r#"{"ok":{"name":"demo","size":1,"active":1,"waiting":0,"paused":false,"locked":false,"full":true,"#
            .to_owned()
            + r#""submitted":1,"started":1,"completed":0,"panicked":0,"cancelled":0,"timed_out":0,"rejected":0,"refused":0,"retries":0}}"#
    );
    assert_eq!(
        client.ask("tasks"),
        r#"{"ok":{"tasks":[{"id":0,"name":"one-0","group":"one","state":"active","priority":0,"weight":1,"#
            .to_owned()
            + r#""waited":null,"running":null}],"more":0}}"#
    );
    assert_eq!(
        client.ask("groups"),
        r#"{"ok":[{"name":"one","size":"inf","active":1,"waiting":0,"paused":false,"locked":false}]}"#
    );
    assert!(
        client
            .ask("resize")
            .starts_with(r#"{"error":{"kind":"usage","message":""#)
    );
    assert!(
        client
            .ask("resize")
            .contains(r#"","usage":"usage: resize "#)
    );
}

#[test]
fn help_is_a_value() {
    let server = Server::tcp(1, simple);
    let mut client = server.json();
    let help = client.ask_json("start -h");
    assert!(
        help["ok"]["help"]
            .as_str()
            .unwrap()
            .starts_with("usage: start [-h] num\n")
    );
}

#[test]
fn a_panic_of_the_pools_function_is_an_error_and_the_session_goes_on() {
    use std::sync::Arc;

    use aiopool::SimpleTaskPool;
    use aiopool::control::ControlServer;

    let server = Server::tcp(1, |pool| {
        let fails = || -> std::future::Ready<()> { panic!("on purpose") };
        ControlServer::builder(Arc::new(SimpleTaskPool::new(pool, fails)))
    });
    let mut client = server.json();
    assert_eq!(client.ask_json("start 1")["error"]["kind"], "panicked");
    assert_eq!(client.ask_json("num-running"), json!({"ok": 0}));
    assert_eq!(client.ask_json("func-name"), json!({"ok": "closure"}));
}

#[test]
fn a_full_queue_is_told() {
    use crate::support::{Runtime, idle_work, loopback};
    use aiopool::AioPool;
    use aiopool::control::ControlServer;

    let begin = |_| {
        let pool = AioPool::builder().size(1).max_waiting(0).build().unwrap();
        loopback(idle_work(ControlServer::builder(pool)))
    };
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    let mut client = server.json();
    assert_eq!(client.ask_json("apply work")["ok"], "apply-work-group-0");
    assert_eq!(client.ask_json("apply work")["error"]["kind"], "too-many");
    assert_eq!(client.ask_json("cancel-all"), json!({"ok": null}));
    eventually("there is room again", || {
        client.ask_json("apply quick").get("ok").is_some()
    });
}

#[test]
fn a_format_that_is_none_is_refused() {
    let server = Server::tcp(1, simple);
    let mut client = Client::greeting(&server.address, r#"{"format": "xml"}"#);
    assert!(
        client.title.starts_with("error: ") && client.title.contains("xml"),
        "{}",
        client.title
    );
    assert_eq!(client.read_to_end(), "");
}
