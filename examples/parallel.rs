//! Runs the shell commands of the standard input, some at a time. What they print comes in the order of the input.
//!
//! ```sh
//! printf '%s\n' 'sleep 1; echo first' 'echo second' | cargo run --example parallel -- --jobs 2
//! ```
use std::env;
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

/// The exit code for wrong usage, and for input and output that fail.
const UNUSABLE: u8 = 255;

/// The exit code if more than 100 commands failed.
const MANY_FAILED: u8 = 101;

/// A command that has ended.
struct Ended {
    line: String,
    output: Output,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::try_parse().unwrap_or_else(|error| exit_with_usage(&error));
    let failed = run_all(&args).await.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "parallel: {error}");
        UNUSABLE
    });
    failed.into()
}

/// Prints the help or what is wrong. Clap's own exit code for wrong usage would look like two failed commands.
fn exit_with_usage(error: &clap::Error) -> ! {
    let _ = error.print();
    let code = if error.use_stderr() { UNUSABLE } else { 0 };
    process::exit(code.into())
}

/// Runs the commands, and returns how many have failed.
async fn run_all(args: &Args) -> io::Result<u8> {
    let pool = AioPool::new(args.jobs.into());
    let lines = io::stdin().lines();
    let results = pool.itermap(lines, |line| run(line, args.halt.then(|| pool.clone())));
    // The buffer bounds how many outputs wait for the one that is printed next.
    let mut results = results.ordered().buffer(16 * pool.size());

    let mut failed = 0;
    while let Some(result) = results.next().await {
        let ended = match result {
            Ok(ended) => ended?,
            // `halt` killed the command.
            Err(error) if error.is_cancelled() => continue,
            // `halt` closed the pool.
            Err(_) => break,
        };
        print(&ended)?;
        if !ended.output.status.success() {
            failed = MANY_FAILED.min(failed + 1);
        }
    }
    Ok(failed)
}

/// Runs a command. If it fails and there is a pool to `halt`, nothing else in it runs on or starts.
async fn run(line: io::Result<String>, halt: Option<AioPool>) -> io::Result<Ended> {
    let line = line?;
    let shell = env::var_os("SHELL").unwrap_or("sh".into());
    let output = Command::new(shell)
        .args(["-c", &line])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;

    if let Some(pool) = halt.filter(|_| !output.status.success()) {
        pool.close();
        // This aborts the task that calls it, too. But the task waits for nothing more, so it ends with its value.
        pool.abort_all();
    }
    Ok(Ended { line, output })
}

fn print(Ended { line, output }: &Ended) -> io::Result<()> {
    io::stdout().write_all(&output.stdout)?;
    io::stdout().flush()?;
    io::stderr().write_all(&output.stderr)?;
    if !output.status.success() {
        writeln!(io::stderr(), "parallel: {}: {line}", output.status)?;
    }
    Ok(())
}
