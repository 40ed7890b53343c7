//! Prints the SHA-256 sums of files and whole folders, as `sha256sum` does, by worker processes that get the files from a
//! pool on a NATS server.
//!
//! ```sh
//! cargo run --release --features fleet --example fleet -- --kill-one src > SHA256SUMS
//! sha256sum --check SHA256SUMS
//! ```
//!
//! What it shows:
//!
//! - A client and workers of one [`Job`](aiopool::fleet::Job): here, and in `worker.rs`.
//! - A cap over all workers: each has a slot for every file of `--jobs`, and the server lets that many run in total.
//! - A worker that is killed: what it ran is run again by the others, and each file has exactly one line.
//! - Ctrl-C: the tasks are cancelled, and the workers and the server end.

mod files;
mod server;
mod worker;
mod workers;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use aiopool::fleet::{EngineError, FleetPool, JobError, Nats};
use anyhow::bail;
use clap::{Parser, value_parser};
use indicatif::{ProgressBar, ProgressStyle};

use crate::files::{Found, sorted};
use crate::server::Server;
use crate::worker::{SUM, Sum};
use crate::workers::Workers;

/// Time after which the files of a worker that is not heard of are given to the others.
const LEASE: Duration = Duration::from_secs(5);

/// Files that are submitted ahead: so the others have enough to do while those of a killed worker are waited for.
const AHEAD: usize = 1000;

// What a shell reports for a program that SIGINT or SIGPIPE ended.
const INTERRUPTED: u8 = 130;
const BROKEN_PIPE: u8 = 141;

const NOTES: &str = "\
Without --nats it starts a server of its own, and ends it: `nats-server`, as
Debian has it. Workers read the files themselves: those of other machines need
them at the same place.

Examples:
  fleet --kill-one src > SHA256SUMS && sha256sum --check SHA256SUMS
  fleet --nats nats://host:4222 /srv           three workers here, one server
  fleet --nats nats://host:4222 --worker       one more worker, on any machine

Exit codes:
    0  every file is printed
    1  some could not be read, or there is no server, no worker, no output
    2  wrong usage
  130  interrupted by Ctrl-C
  141  the reader of the output went away";

/// Print the SHA-256 sums of files and whole folders, sorted by path, with many processes.
#[derive(Parser)]
#[command(name = "fleet", after_help = NOTES)]
struct Args {
    /// How many files are read at once, over all workers
    #[arg(short, long, value_name = "N", default_value_t = default_jobs())]
    #[arg(value_parser = value_parser!(u16).range(1..=512))]
    jobs: u16,

    /// How many workers to start
    #[arg(short, long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = value_parser!(u16).range(0..=64))]
    workers: u16,

    /// Kill a worker (SIGKILL) when a quarter of the files is done
    #[arg(long)]
    kill_one: bool,

    /// Use the servers at these addresses, instead of starting one
    #[arg(long, value_name = "URL")]
    nats: Option<String>,

    /// Name of the pool
    #[arg(long, value_name = "NAME", default_value = "checksum")]
    pool: String,

    /// Be a worker, until Ctrl-C
    #[arg(long)]
    worker: bool,

    /// Files, and folders to walk through
    #[arg(value_name = "PATH", required_unless_present = "worker")]
    paths: Vec<PathBuf>,
}

fn default_jobs() -> u16 {
    available_parallelism().map_or(1, |cpus| cpus.get().min(512) as u16)
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.worker {
        true => worker::run(args.nats, args.pool, args.jobs.into()).await,
        false => hash(args).await,
    };
    done.unwrap_or_else(|error| {
        complain(format_args!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// Starts what is needed, hashes the files, and ends what was started.
async fn hash(args: Args) -> anyhow::Result<ExitCode> {
    let server = match args.nats {
        Some(_) => None,
        None => Some(Server::start().await?),
    };
    let own = server.as_ref().map(Server::url);
    let url = args.nats.or(own).expect("an address");
    let mut workers = Workers::start(args.workers, &url, &args.pool, args.jobs)?;
    let pool = connect(&url, &args.pool, args.jobs.into()).await?;

    let files = sorted(args.paths);
    let stopped = stop_signal();
    let hashed = tokio::select! {
        hashed = hash_all(&pool, &files, &mut workers, args.kill_one) => Some(hashed),
        () = stopped => None,
    };
    if !matches!(hashed, Some(Ok(_))) {
        // Other clients of the pool have groups of their own.
        let _ = pool.cancel_group(pool.group_name()).await;
    }
    workers.stop().await;
    drop(server);
    match hashed {
        Some(hashed) => Ok(print(&files, hashed?)),
        // Part of a list would look like all of it.
        None => Ok(INTERRUPTED.into()),
    }
}

/// Creates the pool, or takes the one that is there.
async fn connect(url: &str, name: &str, size: usize) -> Result<FleetPool, EngineError> {
    let pool = || FleetPool::builder(Nats::new(url)).pool(name);
    match pool().size(size).lease(LEASE).connect().await {
        // It has other settings.
        Err(EngineError::Config(_)) => {
            let pool = pool().connect().await?;
            pool.resize(size).await?;
            Ok(pool)
        }
        created => created,
    }
}

/// Hashes the files that were found, and returns their sums in the same order.
async fn hash_all(
    pool: &FleetPool,
    files: &[Found],
    workers: &mut Workers,
    kill_one: bool,
) -> anyhow::Result<Vec<Result<Sum, JobError>>> {
    let names: Vec<_> = files.iter().filter_map(Found::name).collect();
    let bar = progress_bar(names.len());
    let watcher = tokio::spawn(show_stats(pool.clone(), bar.clone()));
    let kill_at = names.len().div_ceil(4);
    let mut sums = Vec::new();
    let mut outcomes = pool.itermap(SUM, names).ordered().buffer(AHEAD);
    loop {
        let outcome = tokio::select! {
            outcome = outcomes.next() => outcome,
            () = workers.all_ended() => bail!("no worker is left"),
        };
        let Some(outcome) = outcome else { break };
        sums.push(outcome);
        bar.inc(1);
        if kill_one && sums.len() == kill_at {
            let killed = workers.kill_one()?;
            bar.suspend(|| complain(format_args!("killed worker {killed} after {kill_at} files")));
        }
    }
    watcher.abort();
    bar.finish_and_clear();
    tell(&sums);
    Ok(sums)
}

/// A bar on the standard error; if that is no terminal, it stays hidden by itself.
fn progress_bar(files: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} files {wide_bar} {msg}");
    let bar = ProgressBar::new(files as u64).with_style(style.expect("a valid template"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Looks at the whole pool, with the tasks of other clients.
async fn show_stats(pool: FleetPool, bar: ProgressBar) {
    loop {
        if let Ok(stats) = pool.stats().await {
            let (active, size, waiting) = (stats.active, stats.size, stats.waiting);
            bar.set_message(format!("{active} of {size} active, {waiting} waiting"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Says which worker has hashed how many files.
fn tell(sums: &[Result<Sum, JobError>]) {
    let mut by_worker = BTreeMap::new();
    for sum in sums.iter().flatten() {
        *by_worker.entry(sum.worker).or_insert(0) += 1;
    }
    let counts: Vec<_> = by_worker
        .iter()
        .map(|(worker, files)| format!("worker {worker} {files}"))
        .collect();
    let again = sums.iter().flatten().filter(|sum| sum.attempt > 1).count();
    let files = sums.len();
    complain(format_args!(
        "{files} files: {}; {again} of them not at the first attempt",
        counts.join(", ")
    ));
}

/// Prints the lines, and on the standard error what cannot be read.
fn print(files: &[Found], sums: Vec<Result<Sum, JobError>>) -> ExitCode {
    let mut sums = sums.into_iter();
    let mut lines = Vec::new();
    let mut failed = false;
    for file in files {
        let sum = match file {
            Found::File(_) => sums.next().expect("a sum for each file").map_err(why),
            Found::Failure(_, why) => Err(why.clone()),
        };
        match sum {
            Ok(sum) => lines.extend(file.line(&sum.digest)),
            Err(why) => {
                failed = true;
                complain(format_args!("{}: {why}", file.shown()));
            }
        }
    }
    match io::stdout().write_all(&lines) {
        Ok(()) if failed => ExitCode::FAILURE,
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => BROKEN_PIPE.into(),
        Err(error) => {
            complain(format_args!("standard output: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn why(error: JobError) -> String {
    match error {
        JobError::Failed(why) => why,
        other => other.to_string(),
    }
}

/// Waits for Ctrl-C, or for `kill`.
async fn stop_signal() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<Option<()>>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}

/// Not `eprintln`, which panics if the standard error is closed.
fn complain(what: impl Display) {
    let _ = writeln!(io::stderr(), "fleet: {what}");
}
