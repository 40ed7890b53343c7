//! What a client asks for costs the pool and the server no more than it may, whatever the pool holds.

use std::future::pending;

use aiopool::JoinHandle;

use crate::support::{Server, eventually, simple, with_work};

/// A pool in which one task runs, and so many wait.
fn waiting(server: &Server, count: usize) {
    drop(server.pool.spawn_n(pending::<()>()));
    (0..count).for_each(|_| drop(server.pool.spawn_n(pending::<()>())));
}

#[test]
fn a_list_is_cut_after_so_many_lines_and_says_how_many_more_there_are() {
    let server = Server::tcp(1, simple);
    waiting(&server, 20_000);
    let mut client = server.json();
    for (command, lines) in [
        ("tasks -n 0", 0),
        ("tasks -n -3", 0),
        ("tasks -n 7", 7),
        ("tasks", 1_000),
        ("tasks -n 9999999999", 10_000),
        ("tasks -n 9223372036854775807", 10_000),
    ] {
        let said = client.ask_json(command);
        let tasks = said["ok"]["tasks"].as_array().unwrap();
        let ids = tasks.iter().map(|task| task["id"].as_u64().unwrap());
        assert!(ids.eq(0..lines), "{command}: {} lines", tasks.len());
        assert_eq!(said["ok"]["more"], 20_001 - lines, "{command}");
    }
    let text = server.text().ask_block("tasks -n 9999999999");
    assert!(
        text.ends_with("and 10001 more\n\n"),
        "{:?}",
        &text[text.len() - 50..]
    );
}

#[test]
fn a_list_of_long_names_has_no_more_bytes_than_others() {
    let server = Server::tcp(1, simple);
    let long = "é".repeat(10_000);
    for n in 0..2_000 {
        let task = server.pool.task(pending::<()>());
        drop(
            task.name(if n == 7 {
                "é".repeat(100_000)
            } else {
                long.clone()
            })
            .spawn_n(),
        );
    }
    for format in ["tasks -n 5000", "tasks"] {
        let said = server.json().ask(format);
        assert!(said.len() < 3 << 20, "{} bytes", said.len());
        let said = server.text().ask_block(format);
        assert!(said.len() < 3 << 20, "{} bytes", said.len());
    }
}

#[test]
fn so_are_groups_and_the_numbers_of_groups() {
    let server = Server::tcp(1, with_work);
    let groups: Vec<_> = (0..3_000)
        .map(|n| server.pool.group(format!("group-{n:05}"), 1).unwrap())
        .collect();
    let _inside = groups[1].group("inside", 1).unwrap();
    let mut client = server.json();
    let said = client.ask_json("groups");
    assert_eq!(said["ok"].as_array().unwrap().len(), 1_000);
    assert_eq!(said["ok"][2]["name"], "inside");
    assert_eq!(said["more"], 2_001);
    assert_eq!(
        client.ask_json("groups -n 20000")["ok"]
            .as_array()
            .unwrap()
            .len(),
        3_001
    );
    assert!(client.ask_json("groups -n 20000").get("more").is_none());
    let text = server.text().ask_block("groups -n 1");
    assert!(text.ends_with("and 2999 more\n\n"), "{text}");
    assert!(client.ask_json("stats -g inside").get("ok").is_some());

    client.ask("pool-size 1000");
    client.ask("apply quick -n 60000 -g many");
    let all: Vec<u64> = Vec::new();
    eventually("all have run", || {
        client.ask("num-ended") == r#"{"ok":60000}"#
    });
    assert_ne!(
        client.ask_json("get-group-ids many")["ok"],
        serde_json::json!(all)
    );
    let too_many = client.ask_json("get-group-ids many many");
    assert_eq!(too_many["error"]["kind"], "too-many", "{too_many:.200}");
}

#[test]
fn many_names_of_groups_are_asked_for_at_once_in_time() {
    let server = Server::tcp(1, with_work);
    waiting(&server, 20_000);
    let group = server.pool.group("g", 1).unwrap();
    let inside: Vec<JoinHandle<()>> = group.map_n(0..10, |_| pending::<()>());
    let mut client = server.json();
    let said = client.ask(&format!("get-group-ids {}", "g ".repeat(20_000)));
    assert_eq!(said, r#"{"ok":[]}"#);
    drop(inside);
}
