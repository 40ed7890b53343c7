//! An HTTP server that answers late, wrongly, or never: something to try the example `fetch` on.
//!
//! ```sh
//! cargo run --example slow_server -- 127.0.0.1:7008 & curl http://127.0.0.1:7008/late/500
//! ```
use std::sync::{Arc, Mutex};
use std::{collections::HashMap, io, io::Write, time::Duration};

use clap::Parser;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const NOTES: &str = "\
/late/MS      after MS milliseconds, a byte for each request of its host so late
/flaky/N      503 to the first N requests, then 200; ?WORDS make it another one
/status/CODE  with this code
/cut          with less than it promises
/wrong        with what is no HTTP
/never        not at all";

/// Answer HTTP requests as their path says
#[derive(Parser)]
#[command(name = "slow_server", after_help = NOTES)]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(default_value = "127.0.0.1:0")]
    listen: String,
}

/// How often a flaky path was asked for, and how many of a host wait.
type Counts = Arc<Mutex<HashMap<String, u64>>>;

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind(Args::parse().listen).await?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let counts = Counts::default();
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(answer(BufReader::new(client), counts.clone()));
    }
}

async fn answer(mut client: BufReader<TcpStream>, counts: Counts) -> io::Result<()> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && client.read_line(&mut head).await? > 0 {}
    let head = head.to_lowercase();
    let path = head.split(' ').nth(1).unwrap_or("/");
    let host = head.lines().find(|line| line.starts_with("host:"));
    let parts: Vec<_> = path.split(['/', '?']).collect();
    let number = parts.get(2).and_then(|n| n.parse().ok()).unwrap_or(0);
    let answer = match parts.get(1).copied().unwrap_or_default() {
        "late" => {
            let waiting = count(&counts, host.unwrap_or(""), 1);
            tokio::time::sleep(Duration::from_millis(number)).await;
            count(&counts, host.unwrap_or(""), -1);
            reply(200, waiting as usize)
        }
        "flaky" if count(&counts, path, 1) <= number => reply(503, 0),
        "flaky" => reply(200, 0),
        "status" => reply(number, 0),
        "cut" => reply(200, 9).replace("xxxx", ""),
        "never" => std::future::pending().await,
        _ => "what?".to_owned(),
    };
    client.write_all(answer.as_bytes()).await
}

fn count(counts: &Counts, what: &str, by: i64) -> u64 {
    let mut counts = counts.lock().unwrap();
    let count = counts.entry(what.to_owned()).or_default();
    *count = count.saturating_add_signed(by);
    *count
}

fn reply(status: u64, bytes: usize) -> String {
    let body = "x".repeat(bytes);
    format!("HTTP/1.1 {status} So\r\ncontent-length: {bytes}\r\nconnection: close\r\n\r\n{body}")
}
