//! What is checked, and what happens when it is not so.

use std::io::{self, IsTerminal};
use std::panic;
use std::process;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use crate::pools::{Pools, Rules};
use crate::quiet::Memory;
use crate::runtime::Kind;

/// The message of the panics that belong to the game.
pub(crate) const ON_PURPOSE: &str = "on purpose";

/// A promise of the pool.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Promise {
    Size,
    Settles,
    Outcome,
    Order,
    Rate,
    Counters,
    Callbacks,
    Dropped,
    Memory,
}

const PROMISES: [(Promise, &str); 9] = [
    (Promise::Size, "never more tasks run than the size allows"),
    (
        Promise::Settles,
        "every handle settles, and every wait ends",
    ),
    (Promise::Outcome, "an outcome is that of the task"),
    (Promise::Order, "tasks start by priority, then by age"),
    (Promise::Rate, "no interval sees a start too many"),
    (Promise::Counters, "the counters add up"),
    (Promise::Callbacks, "callbacks are called once"),
    (Promise::Dropped, "no future is left behind"),
    (Promise::Memory, "the memory is flat"),
];

/// The promises, how often each was checked, and what is to be said if one is broken.
pub(crate) struct Promises {
    seed: u64,
    begun: Instant,
    checks: [AtomicU64; PROMISES.len()],
    round: Mutex<String>,
}

impl Promises {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            begun: Instant::now(),
            checks: Default::default(),
            round: Mutex::default(),
        }
    }

    /// Ends the program if a promise is broken. `what` says what was seen.
    pub(crate) fn hold(&self, promise: Promise, is_kept: bool, what: impl FnOnce() -> String) {
        self.checks[promise as usize].fetch_add(1, Relaxed);
        if !is_kept {
            self.end(PROMISES[promise as usize].1, &what());
        }
    }

    fn end(&self, promise: &str, what: &str) -> ! {
        let (seed, after) = (self.seed, self.begun.elapsed().as_secs_f64());
        let round = self
            .round
            .try_lock()
            .map_or_else(|_| String::new(), |round| round.clone());
        eprintln!("\nsoak: broken after {after:.1} s, {round}, --seed {seed}");
        eprintln!("soak: {promise}: {what}");
        process::exit(1);
    }

    /// Lets no panic pass but those of the tasks that are to panic.
    pub(crate) fn watch_panics(self: &Arc<Self>) {
        let (show, promises) = (panic::take_hook(), self.clone());
        panic::set_hook(Box::new(move |panicked| {
            let message = panicked.payload().downcast_ref::<&str>().copied();
            if message != Some(ON_PURPOSE) {
                show(panicked);
                promises.end("nothing else panics", "a panic, above");
            }
        }));
    }

    pub(crate) fn begin_round(&self, round: u64, rules: Rules) {
        *self.round.lock().unwrap() = format!("in round {round} of {rules:?}");
    }

    pub(crate) fn show_progress(&self, rounds: u64, pools: &Pools) {
        if !io::stderr().is_terminal() {
            return;
        }
        let (after, tasks) = (self.begun.elapsed().as_secs(), pools.submitted());
        eprint!("\r{after:>5} s  {rounds:>5} rounds  {tasks:>10} tasks");
    }

    pub(crate) fn summarize(&self, runtime: Kind, rounds: u64, pools: &Pools, memory: &Memory) {
        let (after, tasks) = (self.begun.elapsed().as_secs_f64(), pools.submitted());
        eprintln!();
        println!(
            "{runtime:?}, seed {}: {rounds} rounds, {tasks} tasks in {after:.1} s",
            self.seed
        );
        for ((_, promise), checks) in PROMISES.iter().zip(&self.checks) {
            println!("{:>12} × {promise}", checks.load(Relaxed));
        }
        println!("{memory}");
    }
}
