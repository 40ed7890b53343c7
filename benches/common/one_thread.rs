//! Tokio on one thread.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

/// How long it takes on this one thread.
pub(crate) fn current_thread(contender: impl Future<Output = ()>) -> Duration {
    let runtime = single();
    let start = Instant::now();
    runtime.block_on(contender);
    start.elapsed()
}

pub(crate) fn single() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}
