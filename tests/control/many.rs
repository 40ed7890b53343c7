//! Many tasks and many groups: what a command costs grows with them, and no faster.

use std::time::{Duration, Instant};

use aiopool::AioPool;
use futures::FutureExt;

use crate::support::{Client, Server, eventually, simple, with_work};

/// Far more than it takes, and far less than what grows with the square.
const SOON: Duration = Duration::from_secs(10);

fn is_soon(what: &str, done: impl FnOnce()) {
    let begun = Instant::now();
    done();
    let took = begun.elapsed();
    assert!(took < SOON, "{what}: {took:?}");
}

/// Says a line to each of them at once, and waits until all have answered.
fn at_once(clients: &mut [Client], line: &str) -> Vec<String> {
    clients.iter_mut().for_each(|client| client.say(line));
    clients.iter_mut().map(Client::read).collect()
}

#[test]
fn the_same_many_tasks_are_stopped_by_two_at_once() {
    const TASKS: usize = 20_000;
    for (started, stop) in [
        ("start 20000", "stop-all"),
        ("start 20000", "stop 20000"),
        ("start 20000", "cancel-all"),
    ] {
        let server = Server::tcp(TASKS, simple);
        let mut clients = [server.text(), server.text(), server.text()];
        clients[0].ask(started);
        eventually("all run", || server.pool.active() == TASKS);
        is_soon(stop, || {
            let said = at_once(&mut clients, stop);
            if stop != "cancel-all" {
                let stopped = said.iter().map(|said| said.split(", ").count());
                let longest = stopped.max().unwrap();
                assert_eq!(longest, TASKS, "one of them stops all");
            }
        });
        eventually("all have stopped", || server.pool.active() == 0);
        assert_eq!(clients[0].ask("num-cancelled"), "0");
    }
}

#[test]
fn the_same_group_is_stopped_by_two_at_once() {
    let server = Server::tcp(AioPool::UNBOUNDED, with_work);
    let mut clients = [server.text(), server.text()];
    clients[0].ask("apply work -g theirs -n 5000");
    eventually("all run", || server.pool.active() == 5_000);
    is_soon("cancel-group", || {
        at_once(&mut clients, "cancel-group theirs");
    });
    eventually("all have stopped", || server.pool.active() == 0);
}

#[test]
fn tasks_that_were_asked_before_and_take_their_time_do_not_hold_up_a_stop() {
    let server = Server::tcp(AioPool::UNBOUNDED, simple);
    let (enough, told) = futures::channel::oneshot::channel::<()>();
    let told = told.shared();
    for _ in 0..10_000 {
        let slow = server.pool.task(told.clone());
        slow.grace(Duration::from_secs(3600)).spawn_n();
    }
    let mut client = server.text();
    client.ask("start 10000");
    eventually("all run", || server.pool.active() == 20_000);
    server.pool.abort_all();
    is_soon("what is asked twice", || {
        for command in ["stop-all", "cancel-all", "num-cancelled", "num-running"] {
            client.ask(command);
        }
    });
    drop(enough);
}

#[test]
fn a_start_costs_the_same_however_many_groups_live() {
    let server = Server::tcp(AioPool::UNBOUNDED, simple);
    let mut client = server.text();
    let starts = "start 1\n".repeat(6_000);
    is_soon("start 1, again and again", || {
        client.send(starts.as_bytes());
        for n in 0..6_000 {
            assert_eq!(client.read(), format!("start-group-{n}"));
        }
    });
    assert_eq!(client.ask("get-group-ids start-group-0"), "{0}", "it lives");
    is_soon("groups", || {
        client.ask_block("groups");
    });
    client.ask("cancel-all");
}

#[test]
fn so_does_an_apply() {
    let server = Server::tcp(AioPool::UNBOUNDED, with_work);
    let mut client = server.text();
    let lines = "apply work\n".repeat(3_000);
    is_soon("apply, again and again", || {
        client.send(lines.as_bytes());
        for n in 0..3_000 {
            assert_eq!(client.read(), format!("apply-work-group-{n}"));
        }
    });
    client.ask("cancel-group apply-work-group-7");
    assert_eq!(client.ask("apply work"), "apply-work-group-7");
}

#[test]
fn many_numbers_are_cancelled_at_once() {
    let server = Server::tcp(AioPool::UNBOUNDED, simple);
    let mut client = server.text();
    client.ask("start 20000");
    eventually("all run", || server.pool.active() == 20_000);
    let ids: Vec<String> = (0..9_000).map(|id| id.to_string()).collect();
    is_soon("cancel", || {
        let line = format!("cancel {}", ids.join(" "));
        assert_eq!(client.ask(&line), "ok");
    });
    assert_eq!(client.ask("num-running"), "11000");
}
