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
use indicatif::{ProgressBar, ProgressStyle};

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

/// What all tasks use.
#[derive(Clone)]
struct Walker {
    pool: AioPool,
    bar: ProgressBar,
}

/// What is in a folder.
struct Listing {
    /// Size of the folder itself and of the files in it.
    bytes: u64,
    folders: Vec<PathBuf>,
}

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    let walker = Walker {
        pool: AioPool::new(args.jobs.get()),
        bar: progress_bar(),
    };
    // How many tasks there will be is not known before the last folder has been read.
    tokio::spawn(walker.pool.progress().draw_on(walker.bar.clone()));
    for folder in args.folders {
        walk(walker.clone(), folder).await?;
    }
    walker.bar.finish_and_clear();
    // `Relaxed` is enough: the tasks that set it have been awaited.
    let is_incomplete = INCOMPLETE.load(Relaxed);
    Ok(u8::from(is_incomplete).into())
}

/// Prints the size of a folder after the sizes of the folders in it, and returns it.
///
/// A task that waits for tasks of its own pool lends them its permit: one permit is enough for a tree of any depth. The
/// future is boxed, as it contains itself.
fn walk(walker: Walker, folder: PathBuf) -> BoxFuture<'static, io::Result<u64>> {
    async move {
        let name = folder.display().to_string();

        // Reading a folder blocks, so a thread of the runtime for blocking work does it, with a permit of the pool.
        let listing = walker.pool.spawn_blocking(move || list(&folder)).await;
        let listing = match listing.map_err(io::Error::other)? {
            Ok(listing) => listing,
            Err(error) => {
                INCOMPLETE.store(true, Relaxed);
                walker
                    .bar
                    .suspend(|| writeln!(io::stderr(), "walk: {name}: {error}"))?;
                return Ok(0);
            }
        };

        let inner = walk_all(&walker, listing.folders).await?;
        let bytes = listing.bytes + inner;
        walker
            .bar
            .suspend(|| writeln!(io::stdout(), "{bytes}\t{name}"))?;
        Ok(bytes)
    }
    .boxed()
}

/// Walks through several folders at once, and returns their size together.
async fn walk_all(walker: &Walker, folders: Vec<PathBuf>) -> io::Result<u64> {
    let sizes = walker
        .pool
        .try_map(folders, |folder| walk(walker.clone(), folder))
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

/// A bar on the standard error; if that is no terminal, it stays hidden by itself.
fn progress_bar() -> ProgressBar {
    let template = "{spinner} {pos} tasks done, {msg}, {elapsed}";
    let style = ProgressStyle::with_template(template).expect("a valid template");
    ProgressBar::no_length().with_style(style)
}
