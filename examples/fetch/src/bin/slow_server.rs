//! An HTTP server that answers late, wrongly, or never: something to try the example `fetch` on.
//!
//! ```sh
//! cargo run -p fetch --bin slow_server -- 127.0.0.1:7008 & curl http://127.0.0.1:7008/late/500
//! ```
use std::collections::HashMap;
use std::future::pending;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

const NOTES: &str = "\
/late/MS      after MS milliseconds, a byte for each request of its host so late
/flaky/N      503 to the first N requests, then 200; ?WORDS make it another one
/busy/SECS    429 and when to ask again to the first request, then 200
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

/// The number of requests of each flaky path, and of each host the number of late requests that wait.
type Counts = Arc<Mutex<HashMap<String, u64>>>;

/// A request, as far as the server is interested in it.
struct Request {
    /// The whole path, in lower case.
    path: String,
    /// The header with the host.
    host: String,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind(Args::parse().listen).await?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let counts = Counts::default();
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(serve(BufReader::new(client), counts.clone()));
    }
}

/// Answers the one request of a connection.
async fn serve(mut client: BufReader<TcpStream>, counts: Counts) -> io::Result<()> {
    let request = read_request(&mut client).await?;
    let response = answer(&request, &counts).await;
    client.write_all(response.as_bytes()).await
}

async fn read_request(client: &mut BufReader<TcpStream>) -> io::Result<Request> {
    // The head of a request ends with an empty line.
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && client.read_line(&mut head).await? > 0 {}

    let head = head.to_lowercase();
    let path = head.split(' ').nth(1).unwrap_or("/");
    let host = head.lines().find(|line| line.starts_with("host:"));
    Ok(Request {
        path: path.to_owned(),
        host: host.unwrap_or_default().to_owned(),
    })
}

/// Returns the response that the path asks for: `/KIND/NUMBER`, with anything after a `?`.
async fn answer(request: &Request, counts: &Counts) -> String {
    let mut parts = request.path.split(['/', '?']).skip(1);
    let kind = parts.next().unwrap_or_default();
    let number = parts.next().and_then(|number| number.parse().ok());
    let number = number.unwrap_or(0);
    match kind {
        "late" => answer_late(number, &request.host, counts).await,
        "flaky" if count(counts, &request.path, 1) <= number => response(503, 0),
        "flaky" => response(200, 0),
        "busy" if count(counts, &request.path, 1) == 1 => too_many_requests(number),
        "busy" => response(200, 0),
        "status" => response(number, 0),
        "cut" => response(200, 9).replace("xxxx", ""),
        "never" => pending().await,
        _ => "what?".to_owned(),
    }
}

/// Asks the client to come again after so many seconds.
fn too_many_requests(seconds: u64) -> String {
    let retry_after = format!("\r\nretry-after: {seconds}\r\n");
    response(429, 0).replacen("\r\n", &retry_after, 1)
}

/// Answers with a byte for each request of this host that waits meanwhile.
async fn answer_late(milliseconds: u64, host: &str, counts: &Counts) -> String {
    let waiting = count(counts, host, 1);
    sleep(Duration::from_millis(milliseconds)).await;
    count(counts, host, -1);
    response(200, waiting as usize)
}

/// Changes a count, and returns it.
fn count(counts: &Counts, key: &str, by: i64) -> u64 {
    let mut counts = counts.lock().unwrap();
    let count = counts.entry(key.to_owned()).or_default();
    *count = count.saturating_add_signed(by);
    *count
}

fn response(status: u64, length: usize) -> String {
    let body = "x".repeat(length);
    format!("HTTP/1.1 {status} So\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}
