//! A pool to be steered from outside: it serves copies of one function, `work`, until Ctrl-C.
//!
//! ```sh
//! cargo run --features control --example steer -- --tcp 127.0.0.1:7007 --name demo --size 10
//! ```
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aiopool::control::{Address, ControlServer};
use aiopool::{AioPool, Shutdown, SimpleTaskPool};
use clap::Parser;
use tokio::signal::ctrl_c;
use tokio::time::sleep;

const NOTES: &str = "\
A client says, for example: start 3, num-running, stop 1, resize 20, stats, gather-and-close, -h.

Exit codes: 0 when it has ended, 1 if it cannot listen, 2 for wrong usage";

/// Serve a pool whose tasks are started and stopped from outside
#[derive(Parser)]
#[command(name = "steer", after_help = NOTES)]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    tcp: String,
    /// Listen on a Unix socket instead
    #[arg(long, value_name = "PATH", conflicts_with = "tcp")]
    unix: Option<PathBuf>,
    /// What the pool is called
    #[arg(long, default_value = "demo")]
    name: String,
    /// How many tasks run at once
    #[arg(long, default_value = "10")]
    size: NonZeroUsize,
    /// What clients have to send; without it, only this machine may connect. Others of this machine can read it on the
    /// command line: better use the variable AIOPOOL_TOKEN or a file
    #[arg(long)]
    token: Option<String>,
    /// Take the token from the first line of this file
    #[arg(long, value_name = "PATH", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// End after so many seconds
    #[arg(long, value_name = "S", value_parser = seconds)]
    seconds: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "steer: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: Args) -> io::Result<()> {
    let pool = AioPool::builder()
        .size(args.size.get())
        .name(&args.name)
        .timed(true)
        .build()
        .expect("its size is not 0");
    let copies = Arc::new(SimpleTaskPool::new(pool.clone(), work));

    let mut control = ControlServer::builder(copies);
    if let Some(token) = token(&args)? {
        control = control.token(token);
    }
    let (server, serving) = match &args.unix {
        Some(path) => control.serve_unix(path).await?,
        None => control.serve_tcp(&args.tcp).await?,
    };
    print_how_to_connect(server.local_addr())?;

    tokio::select! {
        () = serving => {}
        interrupted = ctrl_c() => interrupted?,
        () = elapsed(args.seconds) => {}
    }

    // First the server, so that no client starts a task that is cancelled at once.
    server.stop().await;
    let report = pool.shutdown(Shutdown::CancelAll).await;
    writeln!(io::stdout(), "ended: {} tasks cancelled", report.cancelled)
}

/// The function whose copies are started and stopped: it has no end of its own.
async fn work() {
    std::future::pending::<()>().await;
}

/// Returns the token from the file, the command line, or the environment, if there is one.
fn token(args: &Args) -> io::Result<Option<String>> {
    match (&args.token_file, &args.token) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path)?;
            Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
        }
        (None, Some(token)) => Ok(Some(token.clone())),
        (None, None) => Ok(std::env::var("AIOPOOL_TOKEN").ok()),
    }
}

/// Prints the command lines of the two programs that are clients.
fn print_how_to_connect(address: &Address) -> io::Result<()> {
    let (ours, python) = match address {
        Address::Unix(path) => {
            let unix = format!("unix {}", path.display());
            (unix.clone(), unix)
        }
        Address::Tcp(at) => (
            format!("tcp {at}"),
            format!("tcp {} {}", at.ip(), at.port()),
        ),
        _ => return writeln!(io::stdout(), "listening on {address}"),
    };
    let mut out = io::stdout();
    writeln!(out, "listening on {address}")?;
    writeln!(out, "connect with: aiopool {ours}")?;
    writeln!(
        out,
        "connect with: python -m asyncio_taskpool.control {python}"
    )
}

/// Waits for so many seconds, or for ever.
async fn elapsed(seconds: Option<Duration>) {
    match seconds {
        Some(seconds) => sleep(seconds).await,
        None => std::future::pending().await,
    }
}
