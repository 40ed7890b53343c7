//! How much faster than its rivals is the pool, and is that within its budget?
//!
//! ```text
//! cargo bench -p benches --bench ratios               # some minutes
//! cargo bench -p benches --bench ratios -- --quick    # a tenth of the tasks, one round
//! cargo bench -p benches --bench ratios -- --full                    # and 10^7 parked tasks, and tasks that sleep
//! ```
//!
//! Each row puts a question to us and to a rival, who do the same number of tasks: nanoseconds per task, the ratio
//! of the two, and the most that it may be. `NO` says that a budget is exceeded, `-` that there is none: the least that
//! a pool can be is there to show what could be saved at all.
//!
//! Every number is the median of several rounds. In each, ours and the rival take turns, so that a slow spell of the
//! machine hits both. Each measurement has a process of its own, and does all its tasks twice: the first time is not
//! counted. On a shared machine, expect a tenth more or less from run to run.
//!
//! Without `--bench`, as under `cargo test -p benches --benches`, it only tries everything once, with few tasks.

use std::time::Duration;

use aiopool::AioPool;

use self::common::on_async_std;
use self::common::on_smol;
use self::common::on_tokio::{self, two_threads};
use self::common::one_thread::current_thread;
use self::common::rows::Contender::{Bytes, Once, Warm};
use self::common::rows::{self, Budget, Contender, MILLION, Row, row};
use self::common::tasks::{SIZE, spawn_n};
use self::common::{asleep, least, parked};

mod common {
    pub(crate) mod asleep;
    pub(crate) mod child;
    pub(crate) mod least;
    pub(crate) mod on_async_std;
    pub(crate) mod on_smol;
    pub(crate) mod on_tokio;
    pub(crate) mod one_thread;
    pub(crate) mod parked;
    pub(crate) mod rows;
    pub(crate) mod tasks;
}

pub(crate) fn main() {
    rows::run(&all());
}

fn all() -> Vec<Row> {
    let rows = [
        current_thread_rows(),
        two_thread_rows(),
        backpressure_rows(),
        smol_rows(),
        async_std_rows(),
        yielding_rows(),
        verb_rows(),
        parked_rows(),
        sleeping_rows(),
    ];
    rows.into_iter().flatten().collect()
}

/// The same question, put to the least that a pool can be.
fn beside_the_least(question: &'static str, ours: Contender, least: Contender) -> Row {
    let mut row = row(question, ours, "the least of a pool", least, 0.0);
    row.budget = Budget::None;
    row
}

fn pool() -> AioPool {
    AioPool::new(SIZE)
}

fn current_thread_rows() -> Vec<Row> {
    let question = "spawn_n, tokio current_thread";
    let ours = Warm(|n| current_thread(spawn_n(pool(), n)));
    let by_hand = Warm(|n| current_thread(on_tokio::joinset_semaphore(n)));
    let bare = Warm(|n| current_thread(on_tokio::bare(n)));
    let barest = Warm(|n| current_thread(least::spawn_n(n, |worker| drop(tokio::spawn(worker)))));
    vec![
        row(question, ours, "JoinSet + Semaphore", by_hand, 0.20),
        row(question, ours, "tokio::spawn", bare, 0.25),
        beside_the_least(question, ours, barest),
    ]
}

fn two_thread_rows() -> Vec<Row> {
    let question = "spawn_n, tokio two threads";
    let ours = Warm(|n| two_threads(spawn_n(pool(), n)));
    let by_hand = Warm(|n| two_threads(on_tokio::joinset_semaphore(n)));
    let bare = Warm(|n| two_threads(on_tokio::bare(n)));
    let barest = Warm(|n| two_threads(least::spawn_n(n, |worker| drop(tokio::spawn(worker)))));
    vec![
        row(question, ours, "JoinSet + Semaphore", by_hand, 0.30),
        row(question, ours, "tokio::spawn", bare, 0.50),
        beside_the_least(question, ours, barest),
    ]
}

fn backpressure_rows() -> Vec<Row> {
    let question = "spawn, tokio current_thread";
    let ours = Warm(|n| current_thread(on_tokio::spawn(pool(), n)));
    let by_hand = Warm(|n| current_thread(on_tokio::acquire_then_spawn(n)));
    vec![row(
        question,
        ours,
        "acquire, JoinSet::spawn",
        by_hand,
        0.50,
    )]
}

fn smol_rows() -> Vec<Row> {
    let ours = Warm(|n| on_smol::block_on(spawn_n(on_smol::pool(), n)));
    let bare = Warm(|n| on_smol::block_on(on_smol::bare(n)));
    let barest =
        Warm(|n| on_smol::block_on(least::spawn_n(n, |worker| smol::spawn(worker).detach())));
    vec![
        row("spawn_n, smol", ours, "smol::spawn", bare, 0.90),
        beside_the_least("spawn_n, smol", ours, barest),
    ]
}

fn async_std_rows() -> Vec<Row> {
    let ours = Warm(|n| on_async_std::block_on(spawn_n(on_async_std::pool(), n)));
    let bare = Warm(|n| on_async_std::block_on(on_async_std::bare(n)));
    let barest = Warm(|n| {
        let spawn = |worker| drop(async_std::task::spawn(worker));
        on_async_std::block_on(least::spawn_n(n, spawn))
    });
    vec![
        row("spawn_n, async-std", ours, "task::spawn", bare, 0.90),
        beside_the_least("spawn_n, async-std", ours, barest),
    ]
}

fn yielding_rows() -> Vec<Row> {
    let question = "spawn_n, five yields each, current_thread";
    let ours = Warm(|n| current_thread(on_tokio::spawn_n_yielding(pool(), n)));
    let by_hand = Warm(|n| current_thread(on_tokio::joinset_semaphore_yielding(n)));
    let barest = Warm(|n| current_thread(least::spawn_n_yielding(n)));
    vec![
        row(question, ours, "JoinSet + Semaphore", by_hand, 0.40),
        beside_the_least(question, ours, barest),
    ]
}

fn verb_rows() -> Vec<Row> {
    let question = "cancel_all of waiting tasks";
    let cancel = Warm(on_tokio::cancel_waiting);
    let run = Warm(on_tokio::run_waiting);
    let cancelling = row(question, cancel, "running them", run, 0.50);

    let question = "itermap to its end, current_thread";
    let itermap = Warm(|n| current_thread(on_tokio::itermap(pool(), n)));
    let by_hand = Warm(|n| current_thread(on_tokio::spawn_buffer_unordered(n)));
    let reading = row(question, itermap, "spawn, buffer_unordered", by_hand, 1.00);

    let question = "a stream through itermap, ordered, current_thread";
    let ordered = Warm(|n| current_thread(on_tokio::map_on_ordered(pool(), n)));
    let by_hand = Warm(|n| current_thread(on_tokio::spawn_buffered(n)));
    let streaming = row(question, ordered, "spawn, buffered", by_hand, 1.00);

    let question = "feed, current_thread";
    let feed = Warm(|n| current_thread(on_tokio::feed(pool(), n)));
    let spawn = Warm(|n| current_thread(on_tokio::spawn(pool(), n)));
    let feeding = row(question, feed, "our own spawn", spawn, 1.00);
    vec![cancelling, reading, streaming, feeding]
}

fn parked_rows() -> Vec<Row> {
    let rival = "itself with 10^3";
    let few = Warm(|n| repeated(n, 1_000));
    let many = Warm(|n| repeated(n, 100_000));
    let all = Warm(parked::park_and_run);
    let mut most = row("10^7 parked, run, awaited", all, rival, few, 1.50);
    (most.tasks, most.only_in_full) = (10 * MILLION, true);

    let (ours, by_hand) = (Bytes(parked::bytes_of_ours), Bytes(parked::bytes_by_hand));
    let question = "memory of a parked task, with handle, less future";
    let mut memory = row(question, ours, "tokio::spawn + Semaphore", by_hand, 1.0);
    memory.budget = Budget::Bytes(128.0);
    vec![
        row("10^5 parked, run, awaited", many, rival, few, 1.50),
        row("10^6 parked, run, awaited", all, rival, few, 1.50),
        most,
        memory,
    ]
}

fn sleeping_rows() -> Vec<Row> {
    let question = "spawn of tasks of 0.2 s, current_thread";
    let ours = Once(|n| current_thread(asleep::spawn(pool(), n)));
    let bare = Once(|n| current_thread(asleep::in_loops(n)));
    let mut sleeping = row(question, ours, "bare loops of sleeps", bare, 1.005);
    (sleeping.tasks, sleeping.only_in_full) = (100_000, true);
    vec![sleeping]
}

/// Does `n` tasks, so many at a time.
fn repeated(n: usize, at_a_time: usize) -> Duration {
    let times = n / at_a_time.min(n);
    (0..times).map(|_| parked::park_and_run(n / times)).sum()
}
