//! Unix sockets: whose they are, and what becomes of their files.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use aiopool::control::Client;
use aiopool::control::protocol::{Command, Reply};

use crate::support::{Runtime, Server, eventually, on_every_runtime, simple};

/// A directory of a test, until it ends.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "aiopool-{}-{}",
            process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("app.sock")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn serve(runtime: Runtime, path: &Path) -> std::io::Result<Server> {
    let path = path.to_owned();
    Server::begin(runtime, 3, |pool| async move {
        simple(pool).serve_unix(path).await
    })
}

fn at(path: &Path) -> std::io::Result<Server> {
    serve(Runtime::TokioOneThread, path)
}

#[test]
fn a_session_over_a_unix_socket_on_every_runtime() {
    on_every_runtime(|runtime| {
        let dir = Dir::new();
        let mut server = serve(runtime, &dir.socket()).unwrap();
        assert_eq!(
            server.address.to_string(),
            dir.socket().display().to_string()
        );
        let mut client = server.text();
        assert_eq!(client.title, "SimpleTaskPool-demo");
        assert_eq!(client.ask("start 2"), "start-group-0");
        assert_eq!(client.ask("stop 1"), "[1]");
        server.stop();
        assert_eq!(client.read_to_end(), "");
        assert!(!dir.socket().exists(), "its file is gone, on {runtime:?}");
    });
}

#[test]
fn only_its_owner_may_use_it() {
    let dir = Dir::new();
    let _server = at(&dir.socket()).unwrap();
    let there = fs::metadata(dir.socket()).unwrap();
    assert!(there.file_type().is_socket());
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_socket_that_somebody_listens_on_is_not_taken_over() {
    let dir = Dir::new();
    let server = at(&dir.socket()).unwrap();
    let refused = at(&dir.socket()).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::AddrInUse, "{refused}");
    assert_eq!(server.text().ask("num-running"), "0");
}

#[test]
fn a_socket_that_was_left_behind_is_replaced() {
    let dir = Dir::new();
    drop(UnixListener::bind(dir.socket()).unwrap());
    assert!(dir.socket().exists());
    let server = at(&dir.socket()).unwrap();
    assert_eq!(server.text().ask("num-running"), "0");
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let dir = Dir::new();
    fs::write(dir.socket(), "precious").unwrap();
    let refused = at(&dir.socket()).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "{refused}");
    assert_eq!(fs::read_to_string(dir.socket()).unwrap(), "precious");

    let link = dir.0.join("link.sock");
    std::os::unix::fs::symlink(dir.socket(), &link).unwrap();
    assert_eq!(at(&link).err().unwrap().kind(), ErrorKind::AlreadyExists);
    assert!(link.is_symlink());
}

#[test]
fn a_path_that_cannot_be_is_an_error() {
    let dir = Dir::new();
    assert!(at(&dir.0.join("nowhere/app.sock")).is_err());
    assert!(at(&dir.0.join("x".repeat(200))).is_err());
    assert!(at(Path::new("")).is_err());
}

#[test]
fn stopping_minds_neither_a_file_that_is_gone_nor_one_that_is_new() {
    let dir = Dir::new();
    let mut server = at(&dir.socket()).unwrap();
    fs::remove_file(dir.socket()).unwrap();
    server.stop();

    let mut server = at(&dir.socket()).unwrap();
    fs::remove_file(dir.socket()).unwrap();
    fs::write(dir.socket(), "somebody else's").unwrap();
    server.stop();
    assert!(dir.socket().exists());
}

#[test]
fn dropping_what_serves_removes_the_file() {
    let dir = Dir::new();
    let mut server = at(&dir.socket()).unwrap();
    server.drop_handle();
    eventually("it ends", || !dir.socket().exists());
    drop(server);

    futures::executor::block_on(async {
        let builder = simple(aiopool::AioPool::new(1));
        let (_server, serving) = builder.serve_unix(dir.socket()).await.unwrap();
        assert!(dir.socket().exists());
        drop(serving);
        assert!(!dir.socket().exists());
    });
}

#[test]
fn a_token_is_asked_for_here_too() {
    let dir = Dir::new();
    let path = dir.socket();
    let begin = |pool| async move { simple(pool).token("sesame").serve_unix(path).await };
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    assert!(server.text().title.contains("token"));
}

#[test]
fn who_reads_nothing_of_a_large_answer_leaves_the_seat() {
    let dir = Dir::new();
    let path = dir.socket();
    let begin = |pool| async move {
        let hour = std::time::Duration::from_secs(3600);
        let builder = simple(pool).max_sessions(1).idle_timeout(hour);
        builder.serve_unix(path).await
    };
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    let task = server.pool.task(std::future::pending::<()>());
    // More than a socket has room for.
    drop(task.name("a".repeat(1 << 20)).spawn_n());
    let mut silent = server.json();
    silent.say("tasks");
    eventually("there is a seat again", || {
        server.text().title == "SimpleTaskPool-demo"
    });
    drop(silent);
}

#[test]
fn its_group_may_use_it_if_the_program_wants_that() {
    let dir = Dir::new();
    let path = dir.socket();
    let begin = |pool| async move { simple(pool).mode(0o660).serve_unix(path).await };
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    let there = fs::metadata(dir.socket()).unwrap();
    assert_eq!(there.permissions().mode() & 0o777, 0o660);
    assert_eq!(server.text().ask("num-running"), "0");
}

#[test]
fn a_socket_that_was_handed_over_is_served_and_its_file_left_alone() {
    let dir = Dir::new();
    let listener = UnixListener::bind(dir.socket()).unwrap();
    let path = dir.socket();
    let begin = move |pool| simple(pool).serve_listener(listener);
    let mut server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    assert_eq!(server.address.to_string(), path.display().to_string());
    assert_eq!(server.text().ask("num-running"), "0");
    server.stop();
    assert!(dir.socket().exists());
}

#[cfg(target_os = "linux")]
#[test]
fn an_audit_hears_which_user_and_process_it_is() {
    let (tell, told) = std::sync::mpsc::channel();
    let dir = Dir::new();
    let path = dir.socket();
    let begin = |pool| async move {
        let builder = simple(pool).audit(move |peer, _| tell.send(peer.to_string()).unwrap());
        builder.serve_unix(path).await
    };
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    server.text();
    let who = told.recv().unwrap();
    assert!(who.ends_with(&format!(" pid {}", process::id())), "{who}");
}

#[test]
fn a_client_in_rust_over_a_unix_socket_gets_replies_and_is_closed_by_its_sender() {
    let dir = Dir::new();
    let _server = at(&dir.socket()).unwrap();
    let mut client = Client::builder().connect_unix(dir.socket()).unwrap();
    client.set_timeout(Some(Duration::from_secs(60))).unwrap();
    let size = client.run(&Command::PoolSize(None)).unwrap();
    assert_eq!((size, client.is_closed()), (Reply::Size(3), false));
    let sender = client.line_sender().unwrap();
    let waiting = thread::spawn(move || client.run(&Command::UntilClosed));
    sender.close();
    assert!(waiting.join().unwrap().is_err());
}
