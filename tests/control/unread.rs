//! Clients that ask much and read nothing: what the server keeps for each of them has a bound.

use std::future::pending;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::{Client, Runtime, Server, alone, resident, simple};

const CLIENTS: usize = 30;
const TASKS: usize = 100_000;

/// The longest answer, the line that the client may have sent ahead, and what else a session takes.
const PER_CLIENT: usize = (2 << 20) + (128 << 10);

/// What it takes to put one answer together, which is done for one client at a time.
const ANSWER: usize = 8 << 20;

/// Far more than a client waits while all others ask for lists.
const SOON: Duration = Duration::from_secs(5);

/// A pool of which each list has as many bytes as a list may have. The system takes little of them: it is a Unix socket.
fn with_long_names() -> Server {
    let path = format!("aiopool-unread-{}.sock", std::process::id());
    let path: PathBuf = std::env::temp_dir().join(path);
    let begin = async |pool| simple(pool).serve_unix(path).await;
    let server = Server::begin(Runtime::TokioOneThread, 1, begin).unwrap();
    let long = "resize-image ".repeat(15);
    for _ in 0..TASKS {
        let task = server.pool.task(pending::<()>());
        drop(task.name(long.clone()).spawn_n());
    }
    server
}

/// A client that sends more than a session reads ahead, and never reads.
fn silent(server: &Server, format: &str, command: &str) -> Client {
    let mut client = Client::mute(&server.address);
    client.say(&format!(r#"{{"format": "{format}"}}"#));
    client.send(format!("{command}\n").repeat(6_000).as_bytes());
    client
}

#[test]
fn answers_that_nobody_reads_take_a_bounded_memory_and_hold_up_nobody() {
    alone(
        "unread::answers_that_nobody_reads_take_a_bounded_memory_and_hold_up_nobody",
        || {
            let server = with_long_names();
            let mut polite = server.json();
            polite.ask("tasks -n 10000");
            // Nobody is sent away meanwhile: for a long answer that takes ten seconds.
            for (command, seconds) in [("tasks -n 10000", 9), ("watch -i 0.01", 1), ("-h", 1)] {
                let before = resident();
                let clients: Vec<_> = (0..CLIENTS)
                    .map(|n| silent(&server, ["text", "json"][n % 2], command))
                    .collect();
                let (most, slowest) = observe(&mut polite, Duration::from_secs(seconds));
                let grown = most.saturating_sub(before) * 4096;
                println!(
                    "{command}: {} KiB a client, {slowest:?}",
                    grown / CLIENTS / 1024
                );
                assert!(
                    grown <= CLIENTS * PER_CLIENT + ANSWER,
                    "{command}: {grown} bytes"
                );
                assert!(slowest < SOON, "{command}: {slowest:?}");
                drop(clients);
            }
        },
    );
}

/// The most pages, and the longest that a client waits for an answer, in this time.
fn observe(polite: &mut Client, time: Duration) -> (usize, Duration) {
    let begun = Instant::now();
    let (mut most, mut slowest) = (0, Duration::ZERO);
    while begun.elapsed() < time {
        let asked = Instant::now();
        assert_eq!(polite.ask("num-running"), r#"{"ok":0}"#);
        slowest = slowest.max(asked.elapsed());
        most = most.max(resident());
        std::thread::sleep(Duration::from_millis(1));
    }
    (most, slowest)
}
