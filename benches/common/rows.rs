//! A table of questions, each put to two contenders in turns, in processes of their own.

use std::env;
use std::time::Duration;

use self::Contender::{Bytes, Once, Warm};
use super::child;
use super::tasks::SIZE;

/// Measures all rows and prints them, or answers for one of them in a child process.
pub(crate) fn run(rows: &[Row]) {
    if let Some(what) = child::asked() {
        return child::answer(measure(rows, &what));
    }
    let plan = Plan::from_args();
    println!("{}", plan.describe());
    let mut lines = vec![HEADER.map(str::to_owned)];
    for (index, row) in rows.iter().enumerate() {
        if plan.full || !row.only_in_full {
            eprintln!("measuring: {}, against {}", row.question, row.rival);
            lines.push(row.line(plan.medians(index, row)));
        }
    }
    print_table(&lines);
}

/// Number of tasks of a row that does not say another.
pub(crate) const MILLION: usize = 1_000_000;

/// One question, put to two.
pub(crate) struct Row {
    pub(crate) question: &'static str,
    pub(crate) rival: &'static str,
    pub(crate) ours: Contender,
    pub(crate) theirs: Contender,
    /// How many tasks each of them does.
    pub(crate) tasks: usize,
    pub(crate) budget: Budget,
    pub(crate) only_in_full: bool,
}

/// Does so many tasks.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "not every table has them all")]
pub(crate) enum Contender {
    /// Timed the second time, when all is warm.
    Warm(fn(usize) -> Duration),
    /// Timed the first time, since most of it is sleep.
    Once(fn(usize) -> Duration),
    /// Weighed.
    Bytes(fn(usize) -> Option<f64>),
}

#[derive(Clone, Copy)]
#[allow(dead_code, reason = "not every table has them all")]
pub(crate) enum Budget {
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

pub(crate) fn row(
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
fn measure(rows: &[Row], what: &str) -> Option<f64> {
    let mut parts = what.split(':');
    let index: usize = parts.next()?.parse().ok()?;
    let side = parts.next()?;
    let n = parts.next()?.parse().ok()?;
    let row = rows.get(index)?;
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
