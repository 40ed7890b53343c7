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

/// Set when a folder could not be read.
static INCOMPLETE: AtomicBool = AtomicBool::new(false);

/// What is in a folder.
struct Listing {
    /// Size of the folder itself and of the files in it.
    bytes: u64,
    folders: Vec<PathBuf>,
}

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    let pool = AioPool::new(args.jobs.get());
    for folder in args.folders {
        walk(pool.clone(), folder).await?;
    }
    // `Relaxed` is enough: the tasks that set it have been awaited.
    let is_incomplete = INCOMPLETE.load(Relaxed);
    Ok(u8::from(is_incomplete).into())
}

/// Prints the size of a folder after the sizes of the folders in it, and returns it.
///
/// A task that waits for tasks of its own pool lends them its permit: one permit is enough for a tree of any depth. The
/// future is boxed, as it contains itself.
fn walk(pool: AioPool, folder: PathBuf) -> BoxFuture<'static, io::Result<u64>> {
    async move {
        let name = folder.display().to_string();

        // Reading a folder blocks, so a thread of the runtime for blocking work does it, with a permit of the pool.
        let listing = pool.spawn_blocking(move || list(&folder)).await;
        let listing = match listing.map_err(io::Error::other)? {
            Ok(listing) => listing,
            Err(error) => {
                INCOMPLETE.store(true, Relaxed);
                writeln!(io::stderr(), "walk: {name}: {error}")?;
                return Ok(0);
            }
        };

        let inner = walk_all(&pool, listing.folders).await?;
        let bytes = listing.bytes + inner;
        writeln!(io::stdout(), "{bytes}\t{name}")?;
        Ok(bytes)
    }
    .boxed()
}

/// Walks through several folders at once, and returns their size together.
async fn walk_all(pool: &AioPool, folders: Vec<PathBuf>) -> io::Result<u64> {
    let sizes = pool
        .try_map(folders, |folder| walk(pool.clone(), folder))
        .await
        .map_err(io::Error::other)?;
    Ok(sizes.iter().sum())
}

fn list(folder: &Path) -> io::Result<Listing> {
    let mut listing = Listing {
        bytes: folder.symlink_metadata()?.len(),
        folders: Vec::new(),
    };
    for entry in folder.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            listing.folders.push(entry.path());
        } else {
            listing.bytes += entry.metadata()?.len();
        }
    }
    Ok(listing)
}
