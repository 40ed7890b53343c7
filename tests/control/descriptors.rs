//! A flood of connections takes a bounded number of descriptors of the program, which has few of them here.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use aiopool::control::Address;

use crate::support::{Client, Runtime, Server, eventually, loopback, simple};

const TOKEN: &str = r#"{"token": "sesame"}"#;
const TITLE: &str = "SimpleTaskPool-demo";

/// Says to the process of a server how many sessions it may have.
const SESSIONS: &str = "AIOPOOL_SESSIONS";

/// A program that serves, and opens files meanwhile, in a process with a limit of descriptors.
struct Program {
    child: Child,
    said: BufReader<ChildStdout>,
    address: Address,
}

/// What became of the files that it has opened.
#[derive(Debug)]
struct Files {
    opened: usize,
    failed: usize,
}

impl Program {
    /// Runs this test again, in such a process.
    fn new(test: &str, limit: usize, sessions: usize) -> Self {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", r#"ulimit -n "$1" && shift && exec "$@""#, "sh"])
            .arg(limit.to_string())
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(SESSIONS, sessions.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let port = after(&mut said, "port ").parse().unwrap();
        Self {
            child,
            said,
            address: Address::Tcp(SocketAddr::from(([127, 0, 0, 1], port))),
        }
    }

    fn descriptors(&self) -> usize {
        let open = fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        open.unwrap().count()
    }

    /// Connects as a client with the token does, and asks something. Returns how long that takes.
    fn is_served(&self) -> Duration {
        let begun = Instant::now();
        let mut client = Client::greeting(&self.address, TOKEN);
        assert_eq!(client.title, TITLE);
        assert_eq!(client.ask("num-running"), "0");
        begun.elapsed()
    }

    fn end(mut self) -> Files {
        drop(self.child.stdin.take());
        let [opened, failed] = ["opened ", "failed "].map(|count| after(&mut self.said, count));
        assert!(self.child.wait().unwrap().success());
        Files {
            opened: opened.parse().unwrap(),
            failed: failed.parse().unwrap(),
        }
    }
}

/// The rest of the next line that has this in it.
fn after(said: &mut impl BufRead, word: &str) -> String {
    let lines = said.lines().map(Result::unwrap);
    let mut rests = lines.filter_map(|line| Some(line.split_once(word)?.1.to_owned()));
    rests.next().expect("the program says it")
}

/// The program itself: it serves, and opens a few files again and again, until its input ends.
fn program(sessions: usize) {
    let begin = move |pool| loopback(simple(pool).token("sesame").max_sessions(sessions));
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    println!("\nport {}", server.port());
    let (opened, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                let files: Vec<_> = (0..FILES).map(|_| File::open("/dev/null")).collect();
                failed.fetch_add(files.iter().filter(|file| file.is_err()).count(), Relaxed);
                opened.fetch_add(FILES, Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
        is_over.store(true, Relaxed);
    });
    println!("\nopened {opened:?}\nfailed {failed:?}");
}

/// So many files it has open at once.
const FILES: usize = 8;

/// What a flood came to.
#[derive(Debug)]
struct Flood {
    most: usize,
    slowest: Duration,
}

/// Connects again and again, and says nothing, or not enough. Now and then another client wants to be served.
fn flood(program: &Program) -> Flood {
    let mut there = VecDeque::new();
    let (mut most, mut slowest) = (0, Duration::ZERO);
    for n in 0..2_000 {
        let mut client = Client::mute(&program.address);
        client.try_send([&b""[..], b"{\"token\"", b"{}\n"][n % 3]);
        there.push_back(client);
        if there.len() > 600 {
            there.pop_front();
        }
        most = most.max(program.descriptors());
        if n % 100 == 99 {
            slowest = slowest.max(program.is_served());
        }
    }
    Flood { most, slowest }
}

#[test]
fn a_flood_takes_no_more_descriptors_than_it_may_and_leaves_none() {
    if let Ok(sessions) = std::env::var(SESSIONS) {
        return program(sessions.parse().unwrap());
    }
    const SEATS: usize = 64;
    let name = "descriptors::a_flood_takes_no_more_descriptors_than_it_may_and_leaves_none";
    let program = Program::new(name, 256, SEATS);
    let before = program.descriptors();
    let mut seated: Vec<_> = (0..SEATS)
        .map(|_| Client::greeting(&program.address, TOKEN))
        .collect();
    seated
        .iter_mut()
        .for_each(|client| client.say("until-closed"));
    let flood = flood(&program);
    drop(seated);
    eventually("no descriptor is left", || {
        program.descriptors() <= before + FILES
    });
    let files = program.end();
    println!("{before} before, {flood:?}, {files:?}");
    // One place more for the kept seat, and one for a connection that is being accepted.
    assert!(
        flood.most <= before + FILES + 2 * SEATS + 2,
        "{before}, {flood:?}"
    );
    assert!(flood.slowest < SOON, "{flood:?}");
    assert!(files.failed == 0 && files.opened > 0, "{files:?}");
}

#[test]
fn a_client_is_served_where_a_flood_would_take_all_descriptors() {
    if let Ok(sessions) = std::env::var(SESSIONS) {
        return program(sessions.parse().unwrap());
    }
    let name = "descriptors::a_client_is_served_where_a_flood_would_take_all_descriptors";
    let program = Program::new(name, 128, 256);
    let before = program.descriptors();
    let flood = flood(&program);
    eventually("no descriptor is left", || {
        program.descriptors() <= before + FILES
    });
    let files = program.end();
    println!("{before} before, {flood:?}, {files:?}");
    assert!(flood.slowest < SOON, "{flood:?}");
}

/// Far more than it takes, and far less than a connection may say nothing.
const SOON: Duration = Duration::from_secs(3);
