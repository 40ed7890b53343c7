//! The end of a server, and of its pool.

use std::net::TcpListener;

use aiopool::control::{Builder, ControlServer};

use crate::support::{Runtime, Server, eventually, idle_work, loopback, simple, with_work};

fn until_closed(pool: aiopool::AioPool) -> Builder {
    simple(pool).until_closed(true)
}

#[test]
fn stopping_ends_all_sessions_at_once_and_frees_the_port() {
    let mut server = Server::tcp(2, simple);
    let (mut idle, mut waiting, mut mute) = (server.text(), server.text(), server.text());
    waiting.say("until-closed");
    waiting.say("num-running");
    mute.send(b"half a li");
    let port = server.port();
    server.stop();
    assert_eq!(idle.read_to_end(), "");
    assert_eq!(waiting.read_to_end(), "");
    assert_eq!(mute.read_to_end(), "");
    TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
}

#[test]
fn dropping_the_handle_stops_the_server() {
    let mut server = Server::tcp(2, simple);
    let mut client = server.text();
    server.drop_handle();
    assert_eq!(client.read_to_end(), "");
    eventually("it ends", || server.has_ended());
}

#[test]
fn stopping_before_anything_was_served_frees_the_port_too() {
    let port = futures::executor::block_on(async {
        let pool = aiopool::AioPool::new(1);
        let (server, serving) = simple(pool).serve_tcp("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().to_string();
        drop(serving);
        server.stop().await;
        address
    });
    TcpListener::bind(port).expect("the port is free");
}

#[test]
fn the_pool_goes_on_when_the_server_has_stopped() {
    let mut server = Server::tcp(2, simple);
    server.text().ask("start 2");
    let pool = server.pool.clone();
    server.drop_handle();
    assert_eq!(pool.active(), 2);
    assert!(!pool.is_closed());
}

#[test]
fn a_server_ends_with_its_pool_if_asked_to() {
    let server = Server::tcp(2, until_closed);
    let (mut client, mut other) = (server.text(), server.text());
    client.ask("start 2");
    other.say("until-closed");
    assert_eq!(client.ask("cancel-all"), "ok");
    assert_eq!(
        client.ask("gather-and-close"),
        "ok",
        "who ends the pool is answered"
    );
    assert_eq!(other.read_to_end(), "True\n", "and who waits for it");
    assert_eq!(client.read_to_end(), "");
    eventually("it ends", || server.has_ended());
}

#[test]
fn a_server_ends_when_the_program_closes_its_pool() {
    let server = Server::tcp(2, until_closed);
    let mut client = server.text();
    client.ask("start 1");
    server.pool.close();
    assert_eq!(client.ask("is-locked"), "True", "as long as a task runs");
    server.pool.abort_all();
    assert_eq!(client.read_to_end(), "");
    eventually("it ends", || server.has_ended());
}

#[test]
fn who_is_told_of_ends_is_told_of_that_of_the_last_task_too() {
    let (tell, told) = std::sync::mpsc::channel();
    let begin = move |pool| {
        let builder = idle_work(ControlServer::builder(pool)).command("told", move |id| {
            tell.send(id).unwrap();
            std::future::ready(())
        });
        loopback(builder.until_closed(true))
    };
    let server = Server::begin(Runtime::TokioOneThread, 2, begin).unwrap();
    let mut client = server.text();
    assert_eq!(client.ask("apply work -e told"), "apply-work-group-0");
    server.pool.close();
    server.pool.abort_all();
    assert_eq!(client.read_to_end(), "");
    eventually("it ends", || server.has_ended());
    assert_eq!(told.recv().unwrap(), 0);
}

#[test]
fn a_server_outlives_its_pool_otherwise() {
    let server = Server::tcp(2, simple);
    let mut client = server.text();
    assert_eq!(client.ask("gather-and-close"), "ok");
    assert_eq!(client.ask("is-locked"), "True");
    assert_eq!(client.ask("unlock"), "ok");
    assert_eq!(client.ask("start 1"), "start-group-0");
}

#[test]
fn gathering_waits_for_the_tasks_and_holds_up_no_other_session() {
    let server = Server::tcp(2, with_work);
    let (mut client, mut other) = (server.text(), server.text());
    client.ask("apply work -n 3");
    client.say("gather-and-close");
    eventually("it is locked", || other.ask("is-locked") == "True");
    assert_eq!(other.ask("num-running"), "2");
    assert_eq!(other.ask("cancel-all"), "ok");
    assert_eq!(client.read(), "ok");
}

#[test]
fn a_client_that_goes_while_it_waits_is_forgotten() {
    let server = Server::tcp(2, |pool| {
        with_work(pool)
            .max_sessions(1)
            .idle_timeout(std::time::Duration::from_millis(200))
    });
    server.pool.spawn_n(std::future::pending::<()>());
    let mut gone = server.text();
    gone.say("until-closed");
    drop(gone);
    eventually("its seat is free", || server.text().title == "AioPool-demo");
}

#[test]
fn a_task_that_takes_its_time_to_stop_counts_as_cancelled_until_it_has() {
    use std::time::Duration;

    let server = Server::tcp(3, with_work);
    let (enough, told) = futures::channel::oneshot::channel::<()>();
    let tidy = async {
        aiopool::current().unwrap().aborted().await;
        told.await
    };
    let slow = server.pool.task(tidy);
    let slow = slow.grace(Duration::from_secs(3600)).spawn_n();
    let mut client = server.json();
    client.ask("apply work -g other");
    assert_eq!(client.ask("cancel 0"), r#"{"ok":null}"#);
    assert_eq!(client.ask("num-cancelled"), r#"{"ok":1}"#);
    assert_eq!(client.ask("num-running"), r#"{"ok":1}"#);
    assert_eq!(client.ask("num-ended"), r#"{"ok":0}"#);
    assert_eq!(client.ask_json("cancel 0")["error"]["kind"], "cancelled");
    assert_eq!(
        client.ask("cancel-all"),
        r#"{"ok":null}"#,
        "it is not waited for"
    );
    assert_eq!(client.ask("num-cancelled"), r#"{"ok":1}"#);
    assert_eq!(client.ask("num-ended"), r#"{"ok":1}"#);
    assert!(!slow.is_finished());
    drop(enough);
    eventually("it has stopped", || {
        client.ask("num-cancelled") == r#"{"ok":0}"#
    });
    assert_eq!(client.ask("num-ended"), r#"{"ok":2}"#);
}
