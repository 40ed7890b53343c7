//! `aiopool`: inspects and controls a running pool from a shell, at a prompt, or on a dashboard, and shows a run
//! that is over.

mod address;
mod args;
mod connection;
mod failure;
#[cfg(feature = "fleet")]
mod fleet;
#[cfg(not(feature = "fleet"))]
#[path = "without_fleet.rs"]
mod fleet;
mod fleet_args;
mod one_shot;
mod output;
mod printable;
mod prompt;
mod readable;
mod text_protocol;
mod timeline;
mod token;
mod top;
mod watch;
mod words;

fn main() -> std::process::ExitCode {
    args::run()
}
