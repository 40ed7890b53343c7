//! The job, and a process that runs it.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::process::{self, ExitCode};
use std::sync::{Arc, Weak};
use std::time::Duration;

use aiopool::fleet::{Job, Nats, Registry, Run, Worker};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

/// Hashes a file. Its name need not be UTF-8.
pub(crate) const SUM: Job<OsString, Sum> = Job::new("sha256-v1");

/// Where a worker that another process has started finds the address. On the command line, all users of the machine
/// could read the token in it.
pub(crate) const ADDRESS: &str = "AIOPOOL_FLEET_NATS";

/// Time that files have to be read to the end when the worker is stopped.
const GRACE: Duration = Duration::from_secs(1);

/// What a task returns.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) digest: String,
    /// Id of the process.
    pub(crate) worker: u32,
    pub(crate) attempt: u32,
}

/// Runs tasks: those of a worker that was started by hand until Ctrl-C, else until the process that has started it
/// goes away.
pub(crate) async fn run(
    nats: Option<String>,
    pool: String,
    slots: usize,
) -> anyhow::Result<ExitCode> {
    let by_hand = nats.is_some();
    let url = nats.or_else(|| env::var(ADDRESS).ok());
    let url = url.context("a worker needs the address of a server: --nats URL")?;
    let worker = Worker::builder(Nats::new(url)).pool(pool).slots(slots);
    let worker = worker.connect(Registry::new().on(SUM, sum)).await?;
    if by_hand {
        crate::complain(format_args!("worker {} is ready", process::id()));
    }
    let stopped = async {
        match by_hand {
            true => crate::stop_signal().await,
            false => drop(tokio::io::stdin().read(&mut [0]).await),
        }
    };
    let report = worker.run_until(stopped, GRACE).await?;
    if by_hand {
        crate::complain(format_args!("{} files", report.completed));
    }
    Ok(ExitCode::SUCCESS)
}

async fn sum(run: Run, file: OsString) -> Result<Sum, aiopool::fleet::Fail> {
    // Dropped with the task, which may be cancelled, or run elsewhere by now.
    let wanted = Arc::new(());
    let is_wanted = Arc::downgrade(&wanted);
    let digest = tokio::task::spawn_blocking(move || sha256(file, &is_wanted)).await??;
    Ok(Sum {
        digest,
        worker: process::id(),
        attempt: run.attempt,
    })
}

fn sha256(file: OsString, is_wanted: &Weak<()>) -> io::Result<String> {
    let mut file = File::open(file)?;
    let mut hasher = Sha256::new();
    let mut chunk = [0; 64 * 1024];
    while is_wanted.strong_count() > 0 {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => hasher.update(&chunk[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let digest = hasher.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
