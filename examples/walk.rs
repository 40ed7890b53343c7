//! Prints the sizes of folders, as `du -b` does. A folder is a task, and waits for the tasks of the folders in it.
//!
//! ```sh
//! cargo run --example walk -- --jobs 1 src tests
//! ```
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use aiopool::AioPool;
use clap::Parser;
use futures::future::{BoxFuture, FutureExt};

const NOTES: &str = "\
Links are not followed. Unlike in du, a file with two names counts for both.

Exit codes: 0 if all could be read, 1 if not, 2 for wrong usage";

/// Print how many bytes are in folders, and in each folder in them
#[derive(Parser)]
#[command(name = "walk", after_help = NOTES)]
struct Args {
    /// How many folders are read at once
    #[arg(short, long, default_value = "4")]
    jobs: NonZeroUsize,
    #[arg(default_value = ".")]
    folders: Vec<PathBuf>,
}

static INCOMPLETE: AtomicBool = AtomicBool::new(false);

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    let pool = AioPool::new(args.jobs.get());
    for folder in args.folders {
        walk(pool.clone(), folder).await?;
    }
    Ok(u8::from(INCOMPLETE.load(Relaxed)).into())
}

/// A task that waits for tasks of its own pool lends them its permit: one is enough for a tree of any depth.
fn walk(pool: AioPool, folder: PathBuf) -> BoxFuture<'static, io::Result<u64>> {
    async move {
        let name = folder.display().to_string();
        let listing = pool.spawn_blocking(move || list(&folder)).await;
        let (mut bytes, inner) = match listing.map_err(io::Error::other)? {
            Ok(listed) => listed,
            Err(error) => {
                INCOMPLETE.store(true, Relaxed);
                writeln!(io::stderr(), "walk: {name}: {error}")?;
                return Ok(0);
            }
        };
        let walked = pool
            .try_map(inner, |folder| walk(pool.clone(), folder))
            .await;
        bytes += walked.map_err(io::Error::other)?.iter().sum::<u64>();
        writeln!(io::stdout(), "{bytes}\t{name}")?;
        Ok(bytes)
    }
    .boxed()
}

/// The size of a folder without the folders in it, and these.
fn list(folder: &Path) -> io::Result<(u64, Vec<PathBuf>)> {
    let mut bytes = folder.symlink_metadata()?.len();
    let mut inner = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            inner.push(entry.path());
        } else {
            bytes += entry.metadata()?.len();
        }
    }
    Ok((bytes, inner))
}
