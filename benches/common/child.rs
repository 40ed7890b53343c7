//! Fresh processes, so that no measurement inherits the heap of another.

use std::env;
use std::process::Command;

/// Runs this program again to measure one thing. `None` if there it could not be measured.
pub(crate) fn measure(what: &str) -> Option<f64> {
    let this = env::current_exe().expect("this program's file");
    let output = Command::new(this)
        .arg(format!("{FLAG}{what}"))
        .output()
        .expect("a child process");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "measuring {what}: {stderr}");
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

const FLAG: &str = "--measure=";
