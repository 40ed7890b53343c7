//! How much faster than its rivals is the pool, and is that within its budget?
//!
//! ```text
//! cargo bench --bench ratios                              # some minutes
//! cargo bench --bench ratios -- --quick                   # a tenth of the tasks, one round
//! cargo bench --bench ratios -- --full                    # and 10^7 parked tasks, and tasks that sleep
//! cargo bench --bench ratios --features smol,async-std    # and the rows of these runtimes
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
//! Without `--bench`, as under `cargo test --benches`, it only tries everything once, with few tasks.

use std::env;
use std::time::Duration;

use aiopool::AioPool;

use self::Contender::{Bytes, Once, Warm};
#[cfg(feature = "async-std")]
use self::common::on_async_std;
#[cfg(feature = "smol")]
use self::common::on_smol;
use self::common::on_tokio::{self, current_thread, two_threads};
use self::common::tasks::{SIZE, spawn_n};
use self::common::{asleep, child, least, parked};

mod common {
    pub(crate) mod asleep;
    pub(crate) mod child;
    pub(crate) mod least;
    #[cfg(feature = "async-std")]
    pub(crate) mod on_async_std;
    #[cfg(feature = "smol")]
    pub(crate) mod on_smol;
    pub(crate) mod on_tokio;
    pub(crate) mod parked;
    pub(crate) mod tasks;
}

const MILLION: usize = 1_000_000;

fn main() {
    if let Some(what) = child::asked() {
        return child::answer(measure(&what));
    }
    let plan = Plan::from_args();
    println!("{}", plan.describe());
    let mut lines = vec![HEADER.map(str::to_owned)];
    for (index, row) in rows().iter().enumerate() {
        if plan.full || !row.only_in_full {
            eprintln!("measuring: {}, against {}", row.question, row.rival);
            lines.push(row.line(plan.medians(index, row)));
        }
    }
    print_table(&lines);
}

/// One question, put to two.
struct Row {
    question: &'static str,
    rival: &'static str,
    ours: Contender,
    theirs: Contender,
    /// How many tasks each of them does.
    tasks: usize,
    budget: Budget,
    only_in_full: bool,
}

/// Does so many tasks.
#[derive(Clone, Copy)]
enum Contender {
    /// Timed the second time, when all is warm.
    Warm(fn(usize) -> Duration),
    /// Timed the first time, since most of it is sleep.
    Once(fn(usize) -> Duration),
    /// Weighed.
    Bytes(fn(usize) -> Option<f64>),
}

#[derive(Clone, Copy)]
enum Budget {
    /// The most that ours may be, as a multiple of theirs.
    Ratio(f64),
    /// The most that ours may be, whatever theirs is.
    Bytes(f64),
    /// To see what is to be had at all.
    None,
}

impl Contender {
    /// What a task costs: nanoseconds, or bytes.
    fn per_task(self, n: usize) -> Option<f64> {
        let nanoseconds = |elapsed: Duration| Some(elapsed.as_nanos() as f64 / n as f64);
        match self {
            Warm(run) => {
                run(n);
                nanoseconds(run(n))
            }
            Once(run) => nanoseconds(run(n)),
            Bytes(weigh) => weigh(n),
        }
    }
}

fn rows() -> Vec<Row> {
    let rows = [
        current_thread_rows(),
        two_thread_rows(),
        backpressure_rows(),
        #[cfg(feature = "smol")]
        smol_rows(),
        #[cfg(feature = "async-std")]
        async_std_rows(),
        yielding_rows(),
        verb_rows(),
        parked_rows(),
        sleeping_rows(),
    ];
    rows.into_iter().flatten().collect()
}

fn row(
    question: &'static str,
    ours: Contender,
    rival: &'static str,
    theirs: Contender,
    budget: f64,
) -> Row {
    Row {
        question,
        rival,
        ours,
        theirs,
        tasks: MILLION,
        budget: Budget::Ratio(budget),
        only_in_full: false,
    }
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

#[cfg(feature = "smol")]
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

#[cfg(feature = "async-std")]
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

    let question = "feed, current_thread";
    let feed = Warm(|n| current_thread(on_tokio::feed(pool(), n)));
    let spawn = Warm(|n| current_thread(on_tokio::spawn(pool(), n)));
    let feeding = row(question, feed, "our own spawn", spawn, 1.00);
    vec![cancelling, reading, feeding]
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

/// How much is measured.
struct Plan {
    full: bool,
    rounds: usize,
    /// Of how many tasks one is done.
    divisor: usize,
}

impl Plan {
    /// Flags that it does not know are meant for others.
    fn from_args() -> Self {
        let has = |flag: &str| env::args().any(|arg| arg == flag);
        let (rounds, divisor) = match (has("--bench"), has("--quick")) {
            (false, _) => (1, 1000),
            (true, true) => (1, 10),
            (true, false) => (7, 1),
        };
        Self {
            full: has("--full"),
            rounds,
            divisor,
        }
    }

    fn describe(&self) -> String {
        match self.divisor {
            1 => format!("medians of {} rounds", self.rounds),
            10 => "quick: a tenth of the tasks, one round, rough numbers".to_owned(),
            _ => "a trial, without --bench: the numbers mean nothing".to_owned(),
        }
    }

    /// What ours and theirs cost, unless the system does not tell.
    fn medians(&self, index: usize, row: &Row) -> Option<[f64; 2]> {
        let n = (row.tasks / self.divisor).max(SIZE);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds_for(row) {
            ours.push(child::measure(&format!("{index}:ours:{n}"))?);
            theirs.push(child::measure(&format!("{index}:theirs:{n}"))?);
        }
        Some([median(ours), median(theirs)])
    }

    fn rounds_for(&self, row: &Row) -> usize {
        match row.ours {
            Warm(_) => self.rounds,
            Once(_) | Bytes(_) => self.rounds.min(3),
        }
    }
}

/// In a child process: one contender, once.
fn measure(what: &str) -> Option<f64> {
    let mut parts = what.split(':');
    let index: usize = parts.next()?.parse().ok()?;
    let side = parts.next()?;
    let n = parts.next()?.parse().ok()?;
    let row = &rows()[index];
    match side {
        "ours" => row.ours.per_task(n),
        _ => row.theirs.per_task(n),
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

type Line = [String; 7];

const HEADER: [&str; 7] = [
    "question",
    "rival",
    "ours ns/task",
    "rival ns/task",
    "ratio",
    "budget",
    "ok?",
];

impl Row {
    fn line(&self, medians: Option<[f64; 2]>) -> Line {
        let budget = match self.budget {
            Budget::Ratio(most) => format!("{most:.3}"),
            Budget::Bytes(most) => format!("{most} B"),
            Budget::None => "-".to_owned(),
        };
        let [ours, theirs, ratio, ok] = match medians {
            Some(medians) => self.cells(medians),
            None => ["unknown"; 4].map(str::to_owned),
        };
        let (question, rival) = (self.question.to_owned(), self.rival.to_owned());
        [question, rival, ours, theirs, ratio, budget, ok]
    }

    fn cells(&self, [ours, theirs]: [f64; 2]) -> [String; 4] {
        let ratio = ours / theirs;
        let nanoseconds = |amount: f64| format!("{amount:.1}");
        let bytes = |amount: f64| format!("{amount:.2} B");
        let (cell, ok): (fn(f64) -> String, &str) = match self.budget {
            Budget::Ratio(most) => (nanoseconds, verdict(ratio <= most)),
            Budget::Bytes(most) => (bytes, verdict(ours <= most)),
            Budget::None => (nanoseconds, "-"),
        };
        let ratio = format!("{ratio:.3}");
        [cell(ours), cell(theirs), ratio, ok.to_owned()]
    }
}

fn verdict(is_within: bool) -> &'static str {
    if is_within { "yes" } else { "NO" }
}

fn print_table(lines: &[Line]) {
    let widths: [usize; 7] = std::array::from_fn(|column| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0)
    });
    for line in lines {
        let cells = line.iter().zip(widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            0 | 1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        println!("{}", cells.collect::<Vec<_>>().join(" | "));
    }
}
