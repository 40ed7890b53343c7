//! A server on a thread of its own, and clients that say exactly what they are told to.

mod client;
#[cfg(target_os = "linux")]
#[path = "../../it/support/memory.rs"]
mod memory;
mod server;

pub(crate) use client::Client;
#[cfg(target_os = "linux")]
pub(crate) use memory::{alone, resident};
pub(crate) use server::{
    Runtime, Server, idle_work, loopback, on_every_runtime, simple, with_work,
};

use std::time::{Duration, Instant};

/// Waits until it is so; a test that waits too long fails.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "not within 20 s: {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}
