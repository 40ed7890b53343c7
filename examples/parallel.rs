//! Runs the shell commands of the standard input, some at a time. What they print comes in the order of the input.
//!
//! ```sh
//! printf '%s\n' 'sleep 1; echo first' 'echo second' | cargo run --example parallel -- --jobs 2
//! ```
use std::io::{self, Write};
use std::process::{self, ExitCode, Output, Stdio};

use aiopool::AioPool;
use clap::Parser;
use tokio::process::Command;

const NOTES: &str = "\
Commands run in $SHELL, or sh. To kill one is to kill that shell, or the program
that it has become; processes that it has started beside itself live on.
Up to 16 lines a job are read ahead of what is printed, and output may wait for them.

Exit codes: how many commands failed, 101 if that is more than 100; 255 for wrong
usage, input that is no text, and output that cannot be written";

/// Run shell commands, one to a line of the standard input, and print their output in the order of the input
#[derive(Parser)]
#[command(name = "parallel", after_help = NOTES)]
struct Args {
    /// How many commands run at once
    #[arg(short, long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Let the first failure stop the rest: what runs is killed, what waits never starts
    #[arg(long)]
    halt: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::try_parse().unwrap_or_else(|error| {
        let _ = error.print();
        process::exit(if error.use_stderr() { 255 } else { 0 })
    });
    let failed = run_all(&args).await.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "parallel: {error}");
        255
    });
    failed.into()
}

async fn run_all(args: &Args) -> io::Result<u8> {
    let pool = AioPool::new(args.jobs.into());
    let lines = io::stdin().lines();
    let results = pool.itermap(lines, |line| run(line, args.halt.then(|| pool.clone())));
    let mut results = results.ordered().buffer(16 * pool.size());
    let mut failed = 0;
    while let Some(result) = results.next().await {
        let (line, output) = match result {
            Ok(ended) => ended?,
            Err(error) if error.is_cancelled() => continue, // `halt` killed it.
            Err(_) => break,                                // `halt` closed the pool.
        };
        io::stdout().write_all(&output.stdout)?;
        io::stdout().flush()?;
        io::stderr().write_all(&output.stderr)?;
        if !output.status.success() {
            failed = 101.min(failed + 1);
            writeln!(io::stderr(), "parallel: {}: {line}", output.status)?;
        }
    }
    Ok(failed)
}

async fn run(line: io::Result<String>, halt: Option<AioPool>) -> io::Result<(String, Output)> {
    let line = line?;
    let mut shell = Command::new(std::env::var_os("SHELL").unwrap_or("sh".into()));
    shell.args(["-c", &line]).stdin(Stdio::null());
    let output = shell.kill_on_drop(true).output().await?;
    if let Some(pool) = halt.filter(|_| !output.status.success()) {
        pool.close();
        pool.abort_all(); // This task too, but it waits for nothing more, and ends with its value.
    }
    Ok((line, output))
}
