//! A server that gives the seat of the prompt to a newer client.

use std::future::pending;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use aiopool::AioPool;

use crate::ours::served;

/// Has a pool steered by a server with a token, and with one seat besides the one that is kept for the newest client.
fn with_one_seat(body: impl FnOnce(&AioPool, &str) + Send + 'static) {
    served(|server| server.token("geheim").max_sessions(1), body);
}

/// Another client, by hand.
struct Visitor(BufReader<TcpStream>);

impl Visitor {
    fn new(address: &str) -> Self {
        let mut visitor = Self(BufReader::new(TcpStream::connect(address).unwrap()));
        let title = visitor.ask("{\"token\": \"geheim\"}");
        assert_eq!(title, "SimpleTaskPool-demo\n");
        visitor
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.0.get_mut(), "{line}").unwrap();
        self.read()
    }

    fn read(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }
}

/// The program at its prompt, with lines that come one after the other.
struct Prompt {
    child: Child,
    lines: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Prompt {
    fn new(address: &str) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_aiopool"));
        program
            .args(["tcp", address])
            .env("AIOPOOL_TOKEN", "geheim")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        Self {
            lines: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.lines, "{line}").unwrap();
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(line);
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer
    }

    /// The exit code, and what it has complained about.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.lines);
        let mut told = String::new();
        let mut errors = self.child.stderr.take().unwrap();
        errors.read_to_string(&mut told).unwrap();
        (self.child.wait().unwrap().code(), told)
    }
}

#[test]
fn a_prompt_whose_seat_a_newer_client_has_got_says_so_and_connects_again() {
    with_one_seat(|_, address| {
        let _seated = Visitor::new(address);
        let mut prompt = Prompt::new(address);
        assert_eq!(prompt.ask("num-running"), "0\n");
        let mut newer = Visitor::new(address);
        // When this is answered, the prompt has been told.
        assert_eq!(newer.ask("start 1"), "start-group-0\n");
        assert_eq!(prompt.ask("num-running"), "1\n");
        assert_eq!(
            newer.read(),
            "error: a newer client has got the last seat\n"
        );
        assert_eq!(
            prompt.ask("num-running"),
            "1\n",
            "it has the seat to itself"
        );
        let again = "aiopool: connected again to SimpleTaskPool-demo\n";
        assert_eq!(prompt.end(), (Some(0), again.into()));
    });
}

#[test]
fn a_command_that_waits_when_a_newer_client_gets_the_seat_is_told_why_it_ends() {
    with_one_seat(|pool, address| {
        drop(pool.spawn_n(pending::<()>()));
        let _seated = Visitor::new(address);
        let mut prompt = Prompt::new(address);
        prompt.say("gather-and-close");
        let begun = Instant::now();
        while !pool.is_closed() {
            assert!(begun.elapsed() < Duration::from_secs(20));
            thread::sleep(Duration::from_millis(1));
        }
        let mut newer = Visitor::new(address);
        let told = format!(
            "aiopool: lost the connection to {address}: a newer client has got the last seat\n"
        );
        assert_eq!(prompt.end(), (Some(3), told));
        assert_eq!(newer.ask("is-locked"), "True\n");
    });
}
