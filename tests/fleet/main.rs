//! The fleet, with real servers and real worker processes.
//!
//! Each test has a server of its own: `AIOPOOL_NATS_SERVER`, or `nats-server` on the PATH. Worker processes are this
//! program again. What ran at a time is rebuilt from the clock readings in their logs.

mod cancel;
mod cap;
mod chaos;
mod cluster;
mod numbers;
mod outcomes;
mod patience;
mod runtimes;
mod security;
mod submitting;
mod support;
mod worker;

/// Run by itself, in the processes that are workers.
#[test]
fn worker_process() {
    support::worker::main();
}

/// Run by itself, in the processes that are clients.
#[test]
fn client_process() {
    support::client::main();
}
