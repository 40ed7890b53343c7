//! Fresh processes, so that no measurement inherits the heap of another.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const FLAG: &str = "--measure=";

/// Who has not answered by then never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs this program again to measure one thing. `None`, with the reason on stderr, if nothing came of it.
pub(crate) fn measure(what: &str) -> Option<f64> {
    let output = match run(what) {
        Ok(output) => output,
        Err(error) => {
            eprintln!("{what}: {error}");
            return None;
        }
    };
    if !output.status.success() {
        eprintln!("{what}: {}", output.status);
    }
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// In such a process, what it is to measure.
pub(crate) fn asked() -> Option<String> {
    env::args().find_map(|arg| arg.strip_prefix(FLAG).map(str::to_owned))
}

/// Gives the parent what was measured.
pub(crate) fn answer(measured: Option<f64>) {
    match measured {
        Some(number) => println!("{number}"),
        None => println!("unknown"),
    }
}

fn run(what: &str) -> io::Result<Output> {
    let mut child = Command::new(this_program()?)
        .arg(format!("{FLAG}{what}"))
        .stdout(Stdio::piped())
        .spawn()?;
    let deadline = Instant::now() + PATIENCE;
    while !has_ended(&mut child)? {
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other("it hangs"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output()
}

fn has_ended(child: &mut Child) -> io::Result<bool> {
    Ok(child.try_wait()?.is_some())
}

/// On Linux the one that runs, even if a newer one has been built in its place.
fn this_program() -> io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        Ok(running.to_owned())
    } else {
        env::current_exe()
    }
}
