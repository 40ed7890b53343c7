//! Servers that say nothing, and how long the program waits for them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Ran, aiopool};

/// A folder of a test, until it ends.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("aiopool-cli-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Greets, gives these answers, and then none.
fn serve(answers: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let lines = BufReader::new(socket.try_clone().unwrap()).lines();
            let answers = ["{\"ok\":\"AioPool-0\"}"].iter().chain(answers);
            let mut answers = answers.copied();
            for _ in lines.map_while(Result::ok) {
                if let Some(answer) = answers.next() {
                    writeln!(socket, "{answer}").unwrap();
                }
            }
        }
    });
    address
}

fn gives_up(args: &[&str], script: &str) -> Ran {
    let begun = Instant::now();
    let ran = aiopool(args, script);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{args:?}: {took:?}");
    assert_eq!(ran.code, Some(3), "{args:?}: {ran:?}");
    ran
}

#[test]
fn an_answer_is_not_waited_for_longer_than_the_user_wants() {
    let address = serve(&[]);
    for command in [
        &["stats"][..],
        &["until-closed"],
        &["gather-and-close"],
        &["watch"],
        &["-h"],
    ] {
        let args = [&["--timeout", "0.3", "tcp", &address, "--"], command].concat();
        let ran = gives_up(&args, "");
        assert!(ran.err.contains("no answer in time"), "{ran:?}");
    }
    gives_up(&["--timeout", "0.3", "tcp", &address], "stats\n");
}

#[test]
fn a_watch_that_falls_silent_ends_too() {
    let address = serve(&["{\"ok\":{\"active\":1}}"]);
    let ran = gives_up(
        &["--timeout", "0.3", "tcp", &address, "watch", "-i", "0.2"],
        "",
    );
    assert_eq!(ran.out, "active=1\n");
}

#[test]
fn a_server_that_accepts_nobody_is_not_waited_for() {
    let dir = Dir::new("full");
    let path = dir.0.join("full.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let (tell, told) = channel();
    let full = path.clone();
    thread::spawn(move || {
        while let Ok(stream) = UnixStream::connect(&full) {
            if tell.send(stream).is_err() {
                return;
            }
        }
    });
    let mut waiting = Vec::new();
    while let Ok(stream) = told.recv_timeout(Duration::from_secs(1)) {
        waiting.push(stream);
    }
    let path = path.to_str().unwrap();
    let ran = gives_up(&["--timeout", "0.3", "unix", path, "stats"], "");
    assert!(ran.err.contains("cannot connect"), "{ran:?}");
    gives_up(&["unix", path, "stats"], "");
}

#[test]
fn a_timeout_is_a_number_of_seconds() {
    for wrong in ["0", "-1", "soon", "nan", "inf", "1e9"] {
        let timeout = format!("--timeout={wrong}");
        assert_eq!(
            aiopool(&[&timeout, "unix", "/x"], "").code,
            Some(2),
            "{wrong}"
        );
    }
}

#[test]
fn a_token_may_be_in_a_file() {
    let dir = Dir::new("token");
    let file = dir.0.join("token");
    let file = file.to_str().unwrap();
    crate::ours::steered(Some("geheim"), {
        let file = file.to_owned();
        move |_, address| {
            let ask = |file: &str| aiopool(&["--token-file", file, "tcp", address, "is-full"], "");
            for (text, code) in [
                ("geheim\n", 0),
                ("geheim", 0),
                ("other\n", 3),
                ("", 2),
                ("\n", 2),
            ] {
                fs::write(&file, text).unwrap();
                assert_eq!(ask(&file).code, Some(code), "{text:?}");
            }
            let ran = ask("/no/such/file");
            assert!(
                ran.code == Some(2) && ran.err.contains("/no/such/file"),
                "{ran:?}"
            );
        }
    });
}
