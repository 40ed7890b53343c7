//! An echo service that ends in good order: Ctrl-C or SIGTERM lets its visitors finish, for a while, and a second one does
//! not.
//!
//! ```sh
//! cargo run --example graceful_shutdown -- --listen 127.0.0.1:7007 --deadline 30
//! ```
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use aiopool::{AioPool, Shutdown, ShutdownReport};
use clap::Parser;
use tokio::io::{AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

const NOTES: &str = "\
A visitor is told 'ready' when its turn comes, and then what it says itself.

Exit codes: 0 if all visitors could finish, 1 if not or if it cannot listen, 2 for wrong usage";

/// Echo what visitors say, some at a time, until Ctrl-C or SIGTERM
#[derive(Parser)]
#[command(name = "graceful_shutdown", after_help = NOTES)]
struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(short, long, default_value = "127.0.0.1:0")]
    listen: String,
    /// How many visitors are served at once; the others wait
    #[arg(short, long, default_value = "8")]
    jobs: NonZeroUsize,
    /// How many seconds visitors may stay after that
    #[arg(short, long, default_value_t = 10)]
    deadline: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    serve(Args::parse()).await.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "graceful_shutdown: {error}");
        ExitCode::FAILURE
    })
}

async fn serve(args: Args) -> io::Result<ExitCode> {
    let pool = AioPool::new(args.jobs.get());
    let listener = TcpListener::bind(&args.listen).await?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;

    tokio::select! {
        failed = accept_all(&pool, &listener) => return failed,
        asked = asked_to_stop() => asked?,
    }

    accept_connected(&pool, listener)?;
    let (active, waiting) = (pool.active(), pool.waiting());
    writeln!(io::stdout(), "stopping: {active} active, {waiting} waiting")?;

    let report = shut_down(&pool, Duration::from_secs(args.deadline)).await;
    let (completed, cancelled) = (report.completed, report.cancelled);
    writeln!(io::stdout(), "{completed} completed, {cancelled} cancelled")?;
    Ok(u8::from(cancelled > 0).into())
}

/// Waits for Ctrl-C, or for what `kill` and the end of a container send.
#[cfg(unix)]
async fn asked_to_stop() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
use tokio::signal::ctrl_c as asked_to_stop;

/// Lets the visitors finish until the deadline, or until a second request to stop.
async fn shut_down(pool: &AioPool, deadline: Duration) -> ShutdownReport {
    let mut ending = pin!(pool.shutdown(Shutdown::Deadline(deadline)));
    tokio::select! {
        report = &mut ending => report,
        _ = asked_to_stop() => {
            pool.abort_all();
            ending.await
        }
    }
}

/// Accepts visitors for ever. Returns only an error.
async fn accept_all(pool: &AioPool, listener: &TcpListener) -> io::Result<ExitCode> {
    loop {
        let (visitor, _) = listener.accept().await?;
        pool.spawn_n(echo(visitor));
    }
}

/// Accepts the visitors whose connections the kernel holds already, then stops listening.
fn accept_connected(pool: &AioPool, listener: TcpListener) -> io::Result<()> {
    let listener = listener.into_std()?;
    while let Ok((visitor, _)) = listener.accept() {
        visitor.set_nonblocking(true)?;
        pool.spawn_n(echo(TcpStream::from_std(visitor)?));
    }
    Ok(())
}

/// Tells the visitor that it is its turn, then sends back what it says.
async fn echo(mut visitor: TcpStream) -> io::Result<u64> {
    visitor.write_all(b"ready\n").await?;
    let (mut incoming, mut outgoing) = visitor.split();
    copy(&mut incoming, &mut outgoing).await
}
