//! `Client`, the client of the crate itself, and what it says when there is nothing to say.

use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use aiopool::TaskState;
use aiopool::control::protocol::{Command, Format, Inputs, ItemKind, Launch, RefusalKind, Reply};
use aiopool::control::{Client, ClientError};
use serde_json::json;

use crate::support::{Server, eventually, loopback, on_every_runtime, simple, with_work};

fn connect(server: &Server) -> Client {
    let address = server.address.to_string();
    Client::builder().connect_tcp(address).unwrap()
}

fn refusal(result: Result<Reply, ClientError>) -> RefusalKind {
    match result {
        Err(ClientError::Refused(refusal)) => refusal.kind,
        other => panic!("{other:?}"),
    }
}

fn io_error<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ErrorKind {
    match result {
        Err(ClientError::Io(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_reply_is_read_on_every_runtime() {
    on_every_runtime(|runtime| {
        let begin = |pool| loopback(with_work(pool));
        let server = Server::begin(runtime, 2, begin).unwrap();
        let mut client = connect(&server);
        assert_eq!(client.title(), "AioPool-demo");
        assert_eq!(client.format(), Format::Json);
        let mut run = |command: Command| client.run(&command).unwrap();
        assert_eq!(run(Command::PoolSize(None)), Reply::Size(2));
        let names = ["bad", "ended", "quick", "work"].map(String::from);
        assert_eq!(run(Command::Functions), Reply::Names(names.into()));
        let launch = Launch {
            function: "work".into(),
            inputs: Inputs::Each {
                kind: ItemKind::List,
                items: vec![json!([1]), json!([2, "a b"]), json!([3])],
                at_once: 5,
            },
            group: Some("my group".into()),
            on_end: None,
            on_cancel: None,
        };
        let name = Reply::Name("my group".into());
        assert_eq!(run(Command::Launch(launch)), name);
        let stats = run(Command::Stats(Some("my group".into())));
        let Reply::Stats(stats) = stats else {
            panic!("{stats:?}")
        };
        assert_eq!((stats.pool.active, stats.pool.waiting), (2, 1));
        assert_eq!(stats.pool.size, 5);
        let Reply::Groups(list) = run(Command::Groups { most: 9 }) else {
            panic!()
        };
        assert_eq!((&*list.groups[0].name, list.more), ("my group", 0));
        let Reply::Tree(tree) = run(Command::Tree { most: 9 }) else {
            panic!()
        };
        let group = &tree.groups[0];
        assert_eq!((group.depth, group.group.active), (0, 2));
        let Reply::Times(times) = run(Command::Times {
            group: Some("my group".into()),
            most: 1,
        }) else {
            panic!()
        };
        assert_eq!((times.running.count, times.longest_running.len()), (2, 1));
        assert!(!times.timed && times.running.p50.is_none());
        let Reply::Tasks(list) = run(Command::Tasks {
            group: None,
            state: Some(TaskState::Active),
            most: 1,
        }) else {
            panic!()
        };
        assert_eq!(list.tasks[0].state, TaskState::Active);
        assert_eq!((list.tasks.len(), list.more), (1, 1));
        let ids = run(Command::GroupIds(vec!["my group".into()]));
        assert!(
            matches!(&ids, Reply::Ids(sets) if sets[0].len() == 2),
            "{ids:?}"
        );
        let help = run(Command::Help(Some("stats".into())));
        assert!(matches!(&help, Reply::Help(text) if text.help.starts_with("usage: stats")));
        assert_eq!(run(Command::IsFull), Reply::Flag(true));
        assert_eq!(run(Command::CancelAll), Reply::Done);
        assert_eq!(run(Command::NumRunning), Reply::Count(0));
    });
}

#[test]
fn a_refusal_leaves_the_connection_as_it_was() {
    let server = Server::tcp(2, simple);
    let mut client = connect(&server);
    assert_eq!(
        refusal(client.run(&Command::PoolSize(Some(-1)))),
        RefusalKind::Size
    );
    let usage = refusal(client.run(&Command::Functions));
    assert_eq!(usage, RefusalKind::Usage);
    assert!(!client.is_closed());
    let name = Reply::Name("start-group-0".into());
    assert_eq!(client.run(&Command::Start(2)).unwrap(), name);
    assert_eq!(
        client.run(&Command::StopAll).unwrap(),
        Reply::Stopped(vec![1, 0])
    );
}

#[test]
fn a_client_without_the_token_is_refused_and_one_with_it_is_not() {
    let server = Server::tcp(2, |pool| with_work(pool).token("s3cret"));
    let builder = Client::builder().token("s3cret");
    let address = server.address.to_string();
    assert!(builder.connect_tcp(&*address).is_ok());
    match Client::builder().connect_tcp(address) {
        Err(ClientError::Refused(refusal)) => assert_eq!(refusal.kind, RefusalKind::Token),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_watch_goes_on_until_the_next_line() {
    let server = Server::tcp(2, simple);
    let mut client = connect(&server);
    let watch = Command::Watch {
        group: None,
        every: Duration::from_millis(100),
    };
    assert!(matches!(client.run(&watch).unwrap(), Reply::Stats(_)));
    assert!(matches!(
        client.next_reply(&watch).unwrap(),
        Reply::Stats(_)
    ));
    client.send_line("").unwrap();
    while client.next_reply(&watch).unwrap() != Reply::Done {}
    assert_eq!(client.run(&Command::NumRunning).unwrap(), Reply::Count(0));
}

#[test]
fn a_late_answer_is_not_taken_for_that_of_another_command() {
    let server = Server::tcp(2, simple);
    let mut client = connect(&server);
    client.set_timeout(Some(Duration::from_millis(50))).unwrap();
    let late = client.run(&Command::UntilClosed);
    assert_eq!(io_error(late), ErrorKind::TimedOut);
    let next = client.run(&Command::IsFull);
    assert_eq!(io_error(next), ErrorKind::NotConnected);
    assert!(client.is_closed());
}

#[test]
fn a_sender_on_another_thread_ends_a_command_that_waits() {
    let server = Server::tcp(2, simple);
    let mut client = connect(&server);
    let sender = client.line_sender().unwrap();
    let waits = std::thread::spawn(move || client.run(&Command::UntilClosed));
    sender.close();
    // The thread may have sent the command before or after this.
    assert!(matches!(waits.join().unwrap(), Err(ClientError::Io(_))));
}

#[test]
fn the_end_of_the_server_is_noticed_without_a_command() {
    let mut server = Server::tcp(2, simple);
    let mut client = connect(&server);
    assert!(!client.is_closed());
    server.stop();
    eventually("the client notices", || client.is_closed());
    let next = client.run(&Command::IsFull);
    assert!(matches!(next, Err(ClientError::Io(_))), "{next:?}");
}

/// Answers one client with this text, and hangs up.
fn once(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
        _ = stream.write_all(answer);
        // What the client sends is read, so that the end is no reset.
        _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    address
}

#[test]
fn what_is_no_control_server_is_told_from_one() {
    let builder = Client::builder().timeout(Duration::from_secs(20));
    let odd = builder.connect_tcp(once(b"HTTP/1.1 400 Bad Request\r\n"));
    assert!(matches!(odd, Err(ClientError::NotAServer)), "{odd:?}");
    let text = builder.connect_tcp(once(b"SimpleTaskPool-0\n5\n")).unwrap();
    assert_eq!(
        (text.title(), text.format()),
        ("SimpleTaskPool-0", Format::Text)
    );
    let mut text = text;
    assert_eq!(text.read_line().unwrap(), "5");
}

#[test]
fn an_answer_of_another_shape_closes_the_connection() {
    for answer in [
        &b"{\"ok\":\"AioPool-0\"}\n{\"ok\":[1]}\n"[..],
        b"{\"ok\":\"AioPool-0\"}\n?\n",
    ] {
        let mut client = Client::builder().connect_tcp(once(answer)).unwrap();
        match client.run(&Command::IsFull) {
            Err(ClientError::UnexpectedAnswer(_)) => {}
            other => panic!("{other:?}"),
        }
        assert!(client.is_closed());
    }
}

#[cfg(unix)]
#[test]
fn nothing_listens_and_nothing_connects() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let tcp = Client::builder().connect_tcp(gone.unwrap().to_string());
    assert_eq!(io_error(tcp), ErrorKind::ConnectionRefused);
    let unix = Client::builder().connect_unix("/nowhere/at/all.sock");
    assert_eq!(io_error(unix), ErrorKind::NotFound);
}
