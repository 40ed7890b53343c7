//! Converts the readings of weather stations, line by line: any number of lines, in memory that does not grow.
//!
//! ```sh
//! printf '%s\n' '08:00,Oslo,-3.5' '08:00,Rome,12.0' | cargo run --example etl -- --jobs 4
//! ```
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aiopool::{AioPool, PoolStreamExt, TryMapError};
use anyhow::{Context, bail};
use clap::Parser;
use futures::{Stream, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, stdin};

const NOTES: &str = "\
A line of the input is TIME,STATION,CELSIUS. It becomes STATION, TIME and
FAHRENHEIT, separated by tabs. A line that is none is left out, and reported.

Exit codes: 0 if all lines were converted, 1 if some could not be, 2 for wrong
usage, 3 if the input or the output fails";

/// Convert the readings of weather stations, some lines at a time, in the order of the input
#[derive(Parser)]
#[command(name = "etl", after_help = NOTES)]
struct Args {
    /// How many lines are converted at once
    #[arg(short, long, default_value = "4")]
    jobs: NonZeroUsize,
    /// The file to read; by default, the standard input
    file: Option<PathBuf>,
}

/// The exit code if the input or the output fails.
const UNUSABLE: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let converted = convert(Args::parse()).await;
    match converted {
        Ok(0) => ExitCode::SUCCESS,
        Ok(bad) => {
            complain(format_args!("lines left out: {bad}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(format_args!("{error:#}"));
            UNUSABLE.into()
        }
    }
}

/// Converts the lines, and returns how many of them are left out.
async fn convert(args: Args) -> anyhow::Result<u64> {
    let pool = AioPool::new(args.jobs.get());
    let input: Box<dyn AsyncRead + Unpin> = match args.file {
        Some(path) => Box::new(File::open(path).await?),
        None => Box::new(stdin()),
    };

    // The buffer bounds how many lines are in memory: those that are converted, and those that wait for an earlier one.
    let read_ahead = 64 * args.jobs.get();
    let rows = numbered_lines(input).try_map_on(&pool, async |(number, line): (u64, String)| {
        row(&line).with_context(|| format!("line {number}"))
    });
    let mut rows = rows.ordered().buffer(read_ahead);

    let (bar, mut bad) = (progress_bar(), 0);
    let mut out = BufWriter::new(io::stdout().lock());
    while let Some(row) = rows.next().await {
        match row {
            Ok(row) => writeln!(out, "{row}")?,
            Err(TryMapError::Task(error)) => {
                bad += 1;
                bar.suspend(|| complain(format_args!("{error:#}")));
            }
            // The input has failed. This comes after the rows of all lines before that.
            Err(error) => {
                out.flush()?;
                return Err(error.into_error());
            }
        }
        bar.inc(1);
    }
    out.flush()?;
    Ok(bad)
}

/// Reads lines, and numbers them from 1.
fn numbered_lines(
    input: impl AsyncRead + Unpin,
) -> impl Stream<Item = anyhow::Result<(u64, String)>> {
    let lines = BufReader::new(input).lines();
    stream::try_unfold((1, lines), async |(number, mut lines)| {
        let line = lines.next_line().await.context("the input")?;
        Ok(line.map(|line| ((number, line), (number + 1, lines))))
    })
}

/// Converts a line of the input to one of the output.
fn row(line: &str) -> anyhow::Result<String> {
    let fields: Vec<_> = line.split(',').collect();
    let [time, station, celsius] = fields[..] else {
        bail!("it has {} fields, and not 3", fields.len());
    };
    let celsius: f64 = celsius.parse().context(celsius.to_owned())?;
    let fahrenheit = celsius * 1.8 + 32.0;
    Ok(format!("{station}\t{time}\t{fahrenheit:.1}"))
}

/// Shows the progress on the standard error, unless that is no terminal, or shows the output already.
fn progress_bar() -> ProgressBar {
    if io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {pos} lines, {per_sec}");
    let bar = ProgressBar::new_spinner().with_style(style.expect("a valid template"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Not `eprintln`, which panics if the standard error is closed.
fn complain(what: impl Display) {
    let _ = writeln!(io::stderr(), "etl: {what}");
}
