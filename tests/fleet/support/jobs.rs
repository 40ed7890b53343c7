//! The jobs of the tests, as the worker processes run them.

use std::time::Duration;

use aiopool::fleet::{Fail, Job, Registry, Run};
use serde::{Deserialize, Serialize};

use super::log::Log;

/// Sleeps so many milliseconds, and returns the name of its worker.
pub(crate) const SLEEP: Job<u64, String> = Job::new("sleep");
/// Ends its process.
pub(crate) const CRASH: Job<(), ()> = Job::new("crash");
/// Fails in its first so many attempts, and returns the attempt.
pub(crate) const FAIL: Job<u32, u32> = Job::new("fail");
/// Reports the numbers below its argument.
pub(crate) const COUNT: Job<u32, u32> = Job::new("count");
/// Returns so many bytes.
pub(crate) const BYTES: Job<usize, String> = Job::new("bytes");
/// Panics.
pub(crate) const PANIC: Job<(), ()> = Job::new("panic");
/// Blocks its thread for so many milliseconds.
pub(crate) const BLOCK: Job<u64, ()> = Job::new("block");
/// A job that workers do not have.
pub(crate) const UNKNOWN: Job<(), ()> = Job::new("unknown");
/// A job of the same name as `SLEEP`, with other arguments.
pub(crate) const SLEEP_BY_NAME: Job<Named, String> = Job::new("sleep");

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) milliseconds: u64,
}

pub(crate) fn registry(log: &'static Log, name: String) -> Registry {
    let name: &'static str = name.leak();
    Registry::new()
        .on(SLEEP, async move |run: Run, ms: u64| {
            let _run = log.run(&run.id, run.attempt);
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(name.to_owned())
        })
        .on(CRASH, async move |run: Run, ()| {
            let _run = log.run(&run.id, run.attempt);
            tokio::time::sleep(Duration::from_millis(20)).await;
            std::process::abort();
        })
        .on(FAIL, async move |run: Run, failures: u32| {
            let _run = log.run(&run.id, run.attempt);
            if run.attempt <= failures {
                return Err(Fail::Error(format!("attempt {}", run.attempt)));
            }
            Ok(run.attempt)
        })
        .on(COUNT, async |run: Run, to: u32| {
            for n in 0..to {
                assert!(run.progress(&n));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // The result comes by another way, and ends the progress.
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(to)
        })
        .on(BYTES, async |_: Run, bytes: usize| Ok("x".repeat(bytes)))
        .on(PANIC, async |_: Run, ()| panic!("on purpose"))
        .on(BLOCK, async move |run: Run, ms: u64| {
            let _run = log.run(&run.id, run.attempt);
            std::thread::sleep(Duration::from_millis(ms));
            Ok(())
        })
}
