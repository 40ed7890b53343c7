//! How long tasks wait and run: percentiles, and which of them the longest.

use std::future::pending;
use std::time::Duration;

use aiopool::control::ControlServer;
use aiopool::{AioPool, JoinHandle, TaskState};
use futures::FutureExt;
use futures::channel::oneshot;
use serde_json::{Value, json};

use crate::support::{Runtime, Server, eventually, loopback, simple, with_work};

/// A server of a pool that keeps times, of this size.
fn timed(size: usize) -> (Server, AioPool) {
    let (tell, told) = std::sync::mpsc::channel();
    let begin = move |_| {
        let pool = AioPool::builder().size(size).timed(true).build().unwrap();
        tell.send(pool.clone()).unwrap();
        loopback(ControlServer::builder(pool))
    };
    let server = Server::begin(Runtime::TokioTwoThreads, size, begin).unwrap();
    let pool = told.recv().unwrap();
    // The pool finds its runtime where a command is executed.
    server.json().ask("stats");
    (server, pool)
}

fn ids(list: &Value) -> Vec<u64> {
    let tasks = list.as_array().unwrap();
    tasks
        .iter()
        .map(|task| task["id"].as_u64().unwrap())
        .collect()
}

fn submit(pool: &AioPool, count: usize) -> Vec<JoinHandle<()>> {
    (0..count).map(|_| pool.spawn_n(pending())).collect()
}

#[test]
fn the_longest_come_first_and_percentiles_are_in_order() {
    let server = Server::tcp(2, with_work);
    let mut client = server.json();
    let group = server.pool.group("g", 1).unwrap();
    let _others = submit(&group, 3);
    let _ours = submit(&server.pool, 3);
    let said = client.ask_json("times -n 2");
    let times = &said["ok"];
    assert_eq!(times["timed"], false);
    assert_eq!(times["lacks_permits"], true);
    assert_eq!(
        times["running"],
        json!({"count": 2, "p50": null, "p90": null, "p99": null, "longest": null})
    );
    assert_eq!(ids(&times["longest_running"]), [0, 3]);
    assert_eq!(times["waiting"]["count"], 4);
    assert_eq!(ids(&times["longest_waiting"]), [1, 2]);
    assert_eq!(times["longest_waiting"][0]["group"], "g");
    let said = client.ask_json("times -g g");
    assert_eq!(ids(&said["ok"]["longest_running"]), [0]);
    assert_eq!(ids(&said["ok"]["longest_waiting"]), [1, 2]);
    assert_eq!(
        client.ask_json("times -n 0")["ok"]["longest_waiting"],
        json!([])
    );
    assert_eq!(
        client.ask_json("times -g nobody")["error"]["kind"],
        "not-found"
    );
    for wrong in ["times x", "times -n", "times -n many", "times -x"] {
        assert_eq!(client.ask_json(wrong)["error"]["kind"], "usage", "{wrong}");
    }
}

#[test]
fn a_timed_pool_tells_times_and_a_task_that_has_run_longest_is_the_first() {
    let (server, pool) = timed(2);
    let mut client = server.json();
    let ended = pool.spawn_n(async {});
    let first = pool.spawn_n(pending::<()>());
    eventually("it has ended", || ended.is_finished());
    let _others = submit(&pool, 5);
    eventually("some time has passed", || {
        let said = client.ask_json("times");
        let longest = |state: &str| said["ok"][state]["longest"].as_f64().unwrap_or(0.0);
        longest("running") > 0.01 && longest("waiting") > 0.01
    });
    let said = client.ask_json("times");
    let times = &said["ok"];
    assert_eq!(times["timed"], true);
    assert_eq!(ids(&times["longest_running"]), [first.id().get(), 2]);
    assert_eq!(ids(&times["longest_waiting"]), [3, 4, 5, 6]);
    for state in ["running", "waiting"] {
        let of = |name: &str| times[state][name].as_f64().unwrap();
        assert!(of("p50") <= of("p90") && of("p90") <= of("p99"), "{times}");
        assert!(of("p99") <= of("longest"), "{times}");
    }
    let listed = times["longest_running"][0]["running"].as_f64().unwrap();
    assert!(listed >= times["running"]["longest"].as_f64().unwrap());
}

#[test]
fn as_text_it_is_two_tables() {
    let server = Server::tcp(1, simple);
    let mut client = server.text();
    client.ask("start 3");
    let expected = "\
tasks    count  p50  p90  p99  longest
running  1      -    -    -    -
waiting  2      -    -    -    -
id  state    name    group          priority  weight  waited  running
0   active   demo-0  start-group-0  0         1       -       -
1   waiting  demo-1  start-group-0  0         1       -       -

";
    assert_eq!(client.ask_block("times -n 1"), expected);
    assert!(
        client
            .ask_block("times -g start-group-0")
            .contains("\n2   waiting")
    );
}

#[test]
fn what_keeps_tasks_back_is_told_apart_from_a_lack_of_permits() {
    let server = Server::tcp(2, with_work);
    let pool = &server.pool;
    let mut client = server.json();
    let mut lacks_permits = || client.ask_json("times")["ok"]["lacks_permits"] == true;
    assert!(!lacks_permits(), "nothing waits");
    let paused = pool.group("paused", 1).unwrap();
    paused.pause();
    let waiting = submit(&paused, 3);
    assert!(!lacks_permits(), "it waits for the end of a pause");
    let held = pool.group("held", 1).unwrap();
    held.hold(Duration::from_secs(3600));
    let held = submit(&held, 1);
    assert!(!lacks_permits(), "it waits for the end of a hold");
    let small = pool.group("small", 1).unwrap();
    let running = submit(&small, 2);
    assert!(lacks_permits(), "its group has one permit");
    drop((waiting, held, running));
}

#[test]
fn a_feed_and_code_in_place_lack_permits_too() {
    let server = Server::tcp(1, with_work);
    let mut client = server.json();
    let feed = server.pool.feed(0..9, |_| pending::<()>());
    eventually("its first item runs", || server.pool.active() == 1);
    let said = client.ask_json("times");
    assert_eq!(
        said["ok"]["waiting"]["count"], 0,
        "items are tasks once they run"
    );
    assert_eq!(said["ok"]["lacks_permits"], true);
    assert_eq!(said["ok"]["in_place"], 0);
    drop(feed);

    let server = Server::tcp(1, with_work);
    let mut client = server.json();
    let permit = server.pool.try_acquire().unwrap();
    assert_eq!(client.ask_json("times")["ok"]["in_place"], 1);
    assert_eq!(client.ask_json("times")["ok"]["lacks_permits"], false);
    let mut waiting = std::pin::pin!(server.pool.acquire());
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(client.ask_json("times")["ok"]["lacks_permits"], true);
    drop(permit);
}

#[test]
fn a_task_that_has_lent_its_permit_counts_as_running() {
    let server = Server::tcp(1, with_work);
    let mut client = server.json();
    let lent = server.pool.spawn_n(aiopool::lend(pending::<()>()));
    eventually("it lends", || {
        client.ask_json("tasks")["ok"]["tasks"][0]["state"] == "waiting"
    });
    let said = client.ask_json("times");
    assert_eq!(ids(&said["ok"]["longest_running"]), [0]);
    assert_eq!(said["ok"]["waiting"]["count"], 0);
    assert_eq!(said["ok"]["lacks_permits"], false);
    drop(lent);
}

#[test]
fn a_task_that_wants_its_permit_back_lacks_one() {
    let server = Server::tcp(1, with_work);
    let (end, ended) = oneshot::channel::<()>();
    let lends = server.pool.spawn_n(aiopool::lend(ended));
    let other = server.pool.spawn_n(pending::<()>());
    eventually("the other runs", || {
        other.state() == TaskState::Active && lends.state() == TaskState::Waiting
    });
    let mut client = server.json();
    assert_eq!(client.ask_json("times")["ok"]["lacks_permits"], false);
    end.send(()).unwrap();
    eventually("it wants its permit back", || {
        client.ask_json("times")["ok"]["lacks_permits"] == true
    });
    assert_eq!(client.ask_json("times")["ok"]["running"]["count"], 2);
    server.pool.pause();
    let paused = client.ask_json("times");
    assert_eq!(paused["ok"]["lacks_permits"], true, "to go on is no start");
}

#[test]
fn a_hundred_thousand_tasks_give_an_answer_as_short_as_ten() {
    let server = Server::tcp(1, with_work);
    let _tasks = submit(&server.pool, 100_001);
    let mut client = server.json();
    let line = client.ask("times");
    assert!(line.len() < 4_000, "{} bytes", line.len());
    let said: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["ok"]["waiting"]["count"], 100_000);
    assert_eq!(
        ids(&said["ok"]["longest_waiting"]),
        (1..11).collect::<Vec<_>>()
    );
    let said = client.ask_json("times -n 9999999999");
    assert_eq!(ids(&said["ok"]["longest_waiting"]).len(), 1_000);
}

#[test]
fn long_names_make_no_longer_an_answer() {
    let server = Server::tcp(1, simple);
    let long = "é".repeat(10_000);
    for _ in 0..500 {
        drop(
            server
                .pool
                .task(pending::<()>())
                .name(long.clone())
                .spawn_n(),
        );
    }
    let said = server.json().ask("times -n 1000");
    assert!(said.len() < 3 << 20, "{} bytes", said.len());
}
