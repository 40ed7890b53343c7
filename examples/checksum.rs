//! Prints the SHA-256 sums of files and whole folders, as `sha256sum` does, through a pool.
//!
//! ```sh
//! cargo run --release --example checksum -- src Cargo.toml > SHA256SUMS
//! sha256sum --check SHA256SUMS
//! ```
//!
//! What it shows:
//!
//! - Blocking work: [`AioPool::spawn_blocking`] bounds how many files are read at
//!   once. The others wait in the pool.
//! - Results as they come: [`iterwait`].
//! - A progress bar with the time left: [`AioPool::progress`].

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::fs::{self, File, FileType};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::available_parallelism;
use std::time::Duration;

use aiopool::{AioPool, TimelineObserver, iterwait};
use clap::{Parser, value_parser};
use indicatif::{HumanBytes, ProgressBar, ProgressState, ProgressStyle};
use sha2::{Digest, Sha256};
use walkdir::{DirEntry, WalkDir};

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

/// Print the SHA-256 sums of files and whole folders, sorted by path
#[derive(Parser)]
#[command(name = "checksum", after_help = NOTES)]
struct Args {
    // The upper bound is tokio's own, for threads that block.
    /// How many files to read at once, from 1 to 512
    #[arg(short, long, value_name = "N", default_value_t = default_jobs())]
    #[arg(value_parser = value_parser!(u16).range(1..=512))]
    jobs: u16,

    /// Print each sum when its file has been read, in this order
    #[arg(long)]
    as_they_come: bool,

    /// Write a trace of the run to this file: `aiopool timeline FILE > run.html` makes a page of it
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,

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

/// How many bytes have been read.
static READ: AtomicU64 = AtomicU64::new(0);

// The walk and the output block the thread of `main`. That holds up nothing:
// tasks, and the one that watches for Ctrl-C, have the threads of the runtime.
#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let (pool, trace) = match pool(&args) {
        Ok(pool) => pool,
        Err(error) => return exit_code(Err(error)),
    };
    let bar = progress_bar();
    tokio::spawn(exit_on_ctrl_c(bar.clone()));

    // All files are found before the first is read, so that the time left is known.
    let files = walk(args.paths).inspect(|_| bar.inc_length(1));
    let files: Vec<_> = files.collect();
    let progress = pool.progress().total(files.len() as u64);
    tokio::spawn(progress.draw_on(bar.clone()));

    let printed = hash_all(&pool, files, &bar, args.as_they_come).await;
    bar.finish_and_clear();
    let traced = trace.map_or(Ok(()), |trace| trace.finish().map(drop));
    exit_code(printed.and_then(|all| traced.map(|()| all)))
}

/// The pool, and the trace of what it does if that is asked for.
fn pool(args: &Args) -> io::Result<(AioPool, Option<TimelineObserver>)> {
    let builder = AioPool::builder().name("checksum").size(args.jobs.into());
    let trace = args.timeline.as_ref().map(TimelineObserver::create);
    let trace = trace.transpose()?;
    let builder = match &trace {
        Some(trace) => builder.observer(trace.clone()),
        None => builder,
    };
    let pool = builder.build().expect("a size, and a runtime with a timer");
    Ok((pool, trace))
}

async fn exit_on_ctrl_c(bar: ProgressBar) {
    if tokio::signal::ctrl_c().await.is_err() {
        return; // Without the handler, Ctrl-C ends the program as ever.
    }
    bar.finish_and_clear();
    // Not by returning: the runtime would wait for the files that are being read.
    process::exit(INTERRUPTED.into());
}

/// Hashes the files, and prints their sums. A file that could not be read is reported at once.
///
/// Returns `true` if all could be read.
async fn hash_all(
    pool: &AioPool,
    files: Vec<Result<PathBuf, Failure>>,
    bar: &ProgressBar,
    as_they_come: bool,
) -> io::Result<bool> {
    let submit = |file| pool.spawn_blocking(move || hash(file?));
    let mut results = iterwait(files.into_iter().map(submit));
    let (mut sums, mut all) = (Vec::new(), true);
    while let Some(result) = results.next().await {
        match result {
            Ok(Ok(sum)) if as_they_come => bar.suspend(|| print_line(&sum, &mut io::stdout()))?,
            Ok(Ok(sum)) => sums.push(sum),
            Ok(Err(failure)) => {
                all = false;
                bar.suspend(|| complain(failure));
            }
            Err(_panicked) => all = false,
        }
    }
    bar.finish_and_clear();
    print_sorted(sums)?;
    Ok(all)
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

fn hash(path: PathBuf) -> Result<Sum, Failure> {
    match sha256(&path) {
        Ok(digest) => Ok(Sum { path, digest }),
        Err(error) => Err(failure(&path, error)),
    }
}

fn sha256(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = [0; 64 * 1024];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(read) => {
                hasher.update(&chunk[..read]);
                READ.fetch_add(read as u64, Relaxed);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A bar on the standard error; if that is no terminal, it stays hidden by itself.
fn progress_bar() -> ProgressBar {
    let read = |_: &ProgressState, out: &mut dyn fmt::Write| {
        // If it cannot be drawn, that is no matter.
        let _ = write!(out, "{}", HumanBytes(READ.load(Relaxed)));
    };
    let template = "{spinner} {bar:20} {pos}/{len} files, {read}, {eta} left, {msg}";
    let style = ProgressStyle::with_template(template).expect("a valid template");
    let bar = ProgressBar::new(0).with_style(style.with_key("read", read));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
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

fn exit_code(printed: io::Result<bool>) -> ExitCode {
    match printed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => BROKEN_PIPE.into(),
        Err(error) => {
            complain(format_args!("standard output: {error}"));
            ExitCode::FAILURE
        }
    }
}
