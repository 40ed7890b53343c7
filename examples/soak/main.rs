//! Does everything at once to some pools, from several threads, for as long as it is told, and checks all the time that
//! they keep their promises. Ends with exit code 1 at the first broken one.
//!
//! ```sh
//! cargo run --release --example soak -- --seconds 60
//! cargo run --release --example soak --features smol,async-std -- --seconds 60 --runtime smol --threads 4
//! ```
//!
//! The time is divided into rounds of a second or two. In a round, the threads use the pools at random: every verb, with
//! every option, in groups that come and go, with aborts, panics, pauses and resizes. Beside them, other threads check
//! the order of starts, the rates, and what becomes of tasks whose pool is shut down or whose runtime ends. At the end
//! of a round nothing more is submitted, and everything has to settle: that is a quiet point, where the counters add up,
//! no future is left, and the memory is what it was before.
//!
//! - `promises`: what is checked, and what happens when it is not so
//! - `census`: the tasks count themselves, so that the pool's own numbers are not taken on trust
//! - `pools`, `deeds`: the pools, and what the threads do to them
//! - `order`, `rates`, `ends`: checks that need pools of their own
//! - `quiet`: the checks of a quiet point

mod census;
mod deeds;
mod ends;
mod order;
mod pools;
mod promises;
mod quiet;
mod random;
mod rates;
mod runtime;
mod tasks;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use clap::{Parser, value_parser};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::pools::{Pools, Rules};
use crate::promises::Promises;
use crate::quiet::Memory;
use crate::random::Random;
use crate::runtime::{Kind, Runtime};
use crate::tasks::Tasks;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

const NOTES: &str = "\
The progress is shown on the standard error, the summary on the standard output.
The same seed makes the same choices; the threads still run as they like.

Exit codes:
  0  every promise was kept
  1  one was broken: it is named, with the time and the seed
  2  wrong usage";

/// Do everything at once to pools, and check that they keep their promises.
#[derive(Parser)]
#[command(name = "soak", after_help = NOTES)]
struct Args {
    /// How long to go on, in seconds
    #[arg(short, long, value_name = "N", default_value_t = 60)]
    #[arg(value_parser = value_parser!(u64).range(1..))]
    seconds: u64,

    /// The runtime of the pools
    #[arg(short, long, value_enum, default_value_t)]
    runtime: Kind,

    /// How many threads use the pools at once, besides those that check
    #[arg(short, long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = value_parser!(u8).range(1..=64))]
    threads: u8,

    /// The seed of the random choices [default: the clock]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(random::from_the_clock);
    let promises = Arc::new(Promises::new(seed));
    promises.watch_panics();
    let runtime = Runtime::new(args.runtime);
    let pools = Pools::new(&runtime, &promises);
    let mut memory = Memory::default();
    let mut random = Random::new(seed);
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let mut rounds = 0;
    while Instant::now() < end {
        let rules = Rules::random(&mut random);
        let length = Duration::from_millis(500 + random.below(1000));
        promises.begin_round(rounds, rules);
        run_round(&runtime, &pools, rules, &mut random, (args.threads, length));
        quiet::check(&pools, &promises, rules);
        memory.check(&promises, rounds);
        rounds += 1;
        promises.show_progress(rounds, &pools);
    }
    promises.summarize(args.runtime, rounds, &pools, &memory);
    ExitCode::SUCCESS
}

/// Lets all threads do what they do, until the time of the round is over.
fn run_round(
    runtime: &Runtime,
    pools: &Pools,
    rules: Rules,
    random: &mut Random,
    (threads, length): (u8, Duration),
) {
    let is_over = AtomicBool::new(false);
    let goes_on = || !is_over.load(SeqCst);
    pools.begin_round(rules);
    thread::scope(|scope| {
        let seeds: Vec<u64> = (0..threads).map(|_| random.next()).collect();
        let users: Vec<_> = seeds
            .into_iter()
            .map(|seed| scope.spawn(move || deeds::do_some(pools, rules, seed, length)))
            .collect();
        let seeds = [random.next(), random.next(), random.next()];
        scope.spawn(move || order::check(runtime, &pools.promises, seeds[0], &goes_on));
        scope.spawn(move || rates::check(runtime, &pools.promises, seeds[1], &goes_on));
        scope.spawn(move || ends::check(runtime, &pools.promises, seeds[2], &goes_on));
        scope.spawn(move || pools.watch(rules, &goes_on));
        let left: Vec<_> = users.into_iter().map(ScopedJoinHandle::join).collect();
        is_over.store(true, SeqCst);
        // Not before all of them have ended: while one is paused by another, nothing of it can settle.
        pools.end_round();
        // A panic has ended the program.
        let mut left: Vec<_> = left.into_iter().flatten().collect();
        left.iter_mut().for_each(Tasks::let_others_go_on);
        left.into_iter()
            .for_each(|tasks| tasks.settle(&pools.promises));
    });
}
