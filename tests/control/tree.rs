//! The groups as a tree, the busiest first.

use std::future::pending;

use aiopool::AioPool;
use serde_json::json;

use crate::support::{Server, simple, with_work};

fn submit(pool: &AioPool, count: usize) {
    (0..count).for_each(|_| drop(pool.spawn_n(pending::<()>())));
}

#[test]
fn each_group_is_below_the_one_that_it_is_in() {
    let server = Server::tcp(3, with_work);
    let quiet = server.pool.group("quiet", 1).unwrap();
    let busy = server.pool.group("busy", 2).unwrap();
    let inner = busy.group("in\tner", 1).unwrap();
    submit(&quiet, 1);
    submit(&busy, 1);
    submit(&inner, 3);
    quiet.close();
    inner.pause();
    let expected = "\
name       size  active  waiting  paused  locked
busy       2     2       2        False   False
  in\\tner  1     1       2        True    False
quiet      1     1       0        False   True

";
    assert_eq!(server.text().ask_block("tree"), expected);
    let mut client = server.json();
    let said = client.ask_json("tree");
    assert_eq!(
        said["ok"]["groups"][1],
        json!({"depth": 1, "name": "in\tner", "size": 1, "active": 1, "waiting": 2, "paused": true, "locked": false})
    );
    assert_eq!(said["ok"]["more"], 0);
    for wrong in ["tree x", "tree -n", "tree -g busy"] {
        assert_eq!(client.ask_json(wrong)["error"]["kind"], "usage", "{wrong}");
    }
}

#[test]
fn a_feed_counts_with_what_it_has_yet_to_submit() {
    let server = Server::tcp(1, with_work);
    let few = server.pool.group("few", 1).unwrap();
    let many = server.pool.group("many", 1).unwrap();
    submit(&few, 2);
    let _feed = many.feed(0..100, |_| pending::<()>());
    let said = server.json().ask_json("tree");
    assert_eq!(said["ok"]["groups"][0]["name"], "many");
    assert_eq!(
        said["ok"]["groups"][0]["waiting"].as_u64().unwrap() / 100,
        1
    );
}

#[test]
fn groups_that_a_client_has_started_are_in_it() {
    let server = Server::tcp(2, simple);
    let mut client = server.text();
    client.ask("start 1");
    client.ask("start 4");
    let expected = "\
name           size  active  waiting  paused  locked
start-group-1  inf   1       3        False   False
start-group-0  inf   1       0        False   False

";
    assert_eq!(client.ask_block("tree"), expected);
    assert!(client.ask_block("tree -n 1").ends_with("and 1 more\n\n"));
}

#[test]
fn ten_thousand_groups_give_a_short_answer_with_the_busiest_in_it() {
    let server = Server::tcp(1, with_work);
    let groups: Vec<_> = (0..10_000)
        .map(|n| server.pool.group(format!("group-{n}"), 1).unwrap())
        .collect();
    submit(&groups[8_765], 3);
    submit(&groups[4_321], 2);
    let mut client = server.json();
    let line = client.ask("tree -n 40");
    assert!(line.len() < 8_000, "{} bytes", line.len());
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["ok"]["groups"][0]["name"], "group-8765");
    assert_eq!(said["ok"]["groups"][1]["name"], "group-4321");
    assert_eq!(said["ok"]["more"], 9_960);
    for (command, lines) in [
        ("tree -n -1", 0),
        ("tree", 1_000),
        ("tree -n 20000", 10_000),
    ] {
        let said = client.ask_json(command);
        assert_eq!(said["ok"]["groups"].as_array().unwrap().len(), lines);
        assert_eq!(said["ok"]["more"], 10_000 - lines);
    }
}

#[test]
fn long_names_of_groups_make_no_longer_an_answer() {
    let server = Server::tcp(1, with_work);
    let long = "é".repeat(10_000);
    let _groups: Vec<_> = (0..1_000)
        .map(|n| server.pool.group(format!("{long}{n}"), 1).unwrap())
        .collect();
    let said = server.json().ask("tree");
    assert!(said.len() < 3 << 20, "{} bytes", said.len());
}
