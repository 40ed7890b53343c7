//! Prints the SHA-256 sums of files and whole folders, as `sha256sum` does, through a pool.
//!
//! ```sh
//! cargo run --release --example checksum -- src Cargo.toml > SHA256SUMS
//! sha256sum --check SHA256SUMS
//! ```
//!
//! What it shows:
//!
//! - Blocking work: [`AioPool::map_blocking`] bounds how many files are read at
//!   once, and takes a step of the walk whenever a thread is free for one more.
//! - A look into the running pool, for the progress bar: [`AioPool::stats`].
//! - Ctrl-C: [`AioPool::close`], which refuses the rest of the walk.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::fs::{self, File, FileType};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::slice;
use std::thread::available_parallelism;
use std::time::Duration;

use aiopool::AioPool;
use clap::{Parser, value_parser};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use sha2::{Digest, Sha256};
use walkdir::{DirEntry, WalkDir};

#[cfg_attr(feature = "timeline", path = "checksum/timeline.rs")]
#[cfg_attr(not(feature = "timeline"), path = "checksum/no_timeline.rs")]
mod timeline;

// What a shell reports for a program that SIGINT or SIGPIPE ended.
const INTERRUPTED: u8 = 130;
const BROKEN_PIPE: u8 = 141;

const NOTES: &str = "\
A PATH that is a link is followed. Inside of folders, links to files are
followed and links to folders are not; what is neither file nor folder (pipes,
sockets, devices) is skipped. A file that cannot be read is one line on the
standard error, and all others are still printed.

Examples:
  checksum --jobs 8 src Cargo.toml > SHA256SUMS
  sha256sum --check SHA256SUMS

Exit codes:
    0  every file is printed
    1  some could not be read, or the output could not be written
    2  wrong usage
  130  interrupted by Ctrl-C
  141  the reader of the output went away";

/// Print the SHA-256 sums of files and whole folders, sorted by path.
#[derive(Parser)]
#[command(name = "checksum", after_help = NOTES)]
struct Args {
    // The upper bound is tokio's own, for threads that block.
    /// How many files to read at once, from 1 to 512
    #[arg(short, long, value_name = "N", default_value_t = default_jobs())]
    #[arg(value_parser = value_parser!(u16).range(1..=512))]
    jobs: u16,

    #[command(flatten)]
    timeline: timeline::Options,

    /// Files, and folders to walk through
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

fn default_jobs() -> u16 {
    available_parallelism().map_or(1, |cpus| cpus.get().min(512) as u16)
}

/// One file, hashed.
struct Sum {
    path: PathBuf,
    digest: [u8; 32],
}

/// Why there is no [`Sum`]: `PATH: reason`.
type Failure = String;

// The walk and the output block the thread of `main`. That holds up nothing:
// tasks, and the one that watches for Ctrl-C, have the threads of the runtime.
#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let (pool, trace) = match args.timeline.pool(args.jobs.into()) {
        Ok(pool) => pool,
        Err(error) => return exit_code(false, Err(error)),
    };
    let bar = progress_bar(&pool);
    let watcher = tokio::spawn(exit_on_ctrl_c(pool.clone(), bar.clone()));

    let hashed = hash_all(&pool, args.paths, &bar).await;
    if pool.is_closed() {
        // Part of a list would look like all of it.
        watcher.await.expect("the watcher ends the process");
    }
    bar.finish_and_clear();
    let failed = hashed.iter().any(Option::is_none);
    let printed = print_sorted(hashed.into_iter().flatten().collect());
    exit_code(failed, printed.and(trace.finish()))
}

async fn exit_on_ctrl_c(pool: AioPool, bar: ProgressBar) {
    if tokio::signal::ctrl_c().await.is_err() {
        return; // Without the handler, Ctrl-C ends the program as ever.
    }
    pool.close();
    bar.finish_and_clear();
    // Not by returning: the runtime would wait for the files that are being read.
    process::exit(INTERRUPTED.into());
}

/// Hashes the files. `None` stands for a file that could not be read, which is reported at once.
async fn hash_all(pool: &AioPool, paths: Vec<PathBuf>, bar: &ProgressBar) -> Vec<Option<Sum>> {
    let shown = bar.clone();
    let hash = move |found: Result<PathBuf, Failure>| {
        let sum = found.and_then(|path| hash(path, &shown));
        sum.map_err(|failure| shown.suspend(|| complain(failure)))
            .ok()
    };
    let results = pool.map_blocking(walk(paths), hash).await;
    results
        .into_iter()
        .map(|result| result.unwrap_or(None))
        .collect()
}

/// Finds the regular files. It is lazy: each step is taken as it is asked for.
fn walk(paths: Vec<PathBuf>) -> impl Iterator<Item = Result<PathBuf, Failure>> {
    paths.into_iter().flat_map(|root| {
        let steps = WalkDir::new(&root).into_iter();
        steps.filter_map(move |step| match step {
            Ok(entry) => file_of(entry),
            Err(error) => Some(Err(walk_failure(&root, &error))),
        })
    })
}

/// `None` is what a walk passes over; to name a pipe or a device is a mistake.
fn file_of(entry: DirEntry) -> Option<Result<PathBuf, Failure>> {
    match kind_of(&entry) {
        Ok(kind) if kind.is_file() => Some(Ok(entry.into_path())),
        Ok(kind) if entry.depth() == 0 && !kind.is_dir() => {
            let reason = "not a regular file or folder";
            Some(Err(failure(entry.path(), reason)))
        }
        Ok(_) => None,
        Err(error) => Some(Err(failure(entry.path(), error))),
    }
}

/// What `entry` is, or what it links to.
fn kind_of(entry: &DirEntry) -> io::Result<FileType> {
    if entry.path_is_symlink() {
        Ok(fs::metadata(entry.path())?.file_type())
    } else {
        Ok(entry.file_type())
    }
}

fn hash(path: PathBuf, bar: &ProgressBar) -> Result<Sum, Failure> {
    match sha256(&path, bar) {
        Ok(digest) => Ok(Sum { path, digest }),
        Err(error) => Err(failure(&path, error)),
    }
}

fn sha256(path: &Path, bar: &ProgressBar) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = [0; 64 * 1024];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(read) => {
                hasher.update(&chunk[..read]);
                bar.inc(read as u64);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A bar on the standard error; if that is no terminal, it stays hidden by itself.
fn progress_bar(pool: &AioPool) -> ProgressBar {
    let template = "{spinner} {ended} files, {bytes}, {bytes_per_sec}, \
                    {active} active, {waiting} waiting";
    let style = ProgressStyle::with_template(template)
        .expect("a valid template")
        .with_key("ended", shown(pool, |pool| pool.stats().completed))
        .with_key("active", shown(pool, AioPool::active))
        .with_key("waiting", shown(pool, AioPool::waiting));
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Looks into the pool whenever the bar is drawn. If it cannot be drawn, that is no matter.
fn shown<N: Display + 'static>(
    pool: &AioPool,
    look: fn(&AioPool) -> N,
) -> impl Fn(&ProgressState, &mut dyn fmt::Write) + Clone + use<N> {
    let pool = pool.clone();
    move |_, out| {
        let _ = write!(out, "{}", look(&pool));
    }
}

fn print_sorted(mut sums: Vec<Sum>) -> io::Result<()> {
    sums.sort_unstable_by(|a, b| name_of(&a.path).cmp(&name_of(&b.path)));
    let mut out = BufWriter::new(io::stdout().lock());
    for sum in &sums {
        print_line(sum, &mut out)?;
    }
    out.flush()
}

/// Prints a line as GNU `sha256sum` does: a leading backslash says that the name is escaped.
fn print_line(sum: &Sum, out: &mut impl Write) -> io::Result<()> {
    let name = name_of(&sum.path);
    let escaped = escape(&name);
    if escaped.len() > name.len() {
        out.write_all(b"\\")?;
    }
    for byte in sum.digest {
        write!(out, "{byte:02x}")?;
    }
    out.write_all(b"  ")?;
    out.write_all(&escaped)?;
    out.write_all(b"\n")
}

fn escape(name: &[u8]) -> Vec<u8> {
    let escaped = name.iter().flat_map(|byte| match byte {
        b'\\' => br"\\",
        b'\n' => br"\n",
        b'\r' => br"\r",
        plain => slice::from_ref(plain),
    });
    escaped.copied().collect()
}

/// The bytes of a name, which need not be UTF-8.
#[cfg(unix)]
fn name_of(path: &Path) -> Cow<'_, [u8]> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().into()
}

#[cfg(not(unix))]
fn name_of(path: &Path) -> Cow<'_, [u8]> {
    path.to_string_lossy().into_owned().into_bytes().into()
}

fn walk_failure(root: &Path, error: &walkdir::Error) -> Failure {
    let path = error.path().unwrap_or(root);
    match error.io_error() {
        Some(reason) => failure(path, reason),
        None => failure(path, error),
    }
}

/// One line, whatever the name is made of: like `ls`, it shows control characters as `?`.
fn failure(path: &Path, reason: impl Display) -> Failure {
    let name = path.to_string_lossy().replace(char::is_control, "?");
    format!("{name}: {reason}")
}

/// Not `eprintln`, which panics if the standard error is closed.
fn complain(what: impl Display) {
    let _ = writeln!(io::stderr(), "checksum: {what}");
}

fn exit_code(failed: bool, printed: io::Result<()>) -> ExitCode {
    match printed {
        Ok(()) if failed => ExitCode::FAILURE,
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => BROKEN_PIPE.into(),
        Err(error) => {
            complain(format_args!("standard output: {error}"));
            ExitCode::FAILURE
        }
    }
}
