//! What does the fleet cost, beside the bare client of NATS doing the same work by hand?
//!
//! ```text
//! cargo bench -p benches --bench what_does_the_fleet_cost               # some minutes
//! cargo bench -p benches --bench what_does_the_fleet_cost -- --quick    # a fifth of the tasks, three rounds
//! cargo bench -p benches --bench what_does_the_fleet_cost -- park       # only the rows whose name has this in it
//! ```
//!
//! By hand, a task is a message with an id against duplicates, whose storage the server acknowledges. A worker pulls it,
//! stores the result under the condition that there is none, waits for the acknowledgement of that, and acknowledges the
//! message so that the server confirms it. The client reads results from an ordered consumer. So the server does the same,
//! and has the same promises to keep, except for what the fleet adds: leases, cancelling, attempts.
//!
//! Both have a server of their own, started for the measurement, and worker processes. They are measured in turns, and a
//! row has the medians of all rounds. A ratio above 1 says that the fleet takes longer. `AIOPOOL_NATS_SERVER` names the
//! server, unless it is `nats-server` on the PATH.

mod bare;
mod ours;
mod processes;
mod server;

use std::env;
use std::time::{Duration, Instant};

use self::bare::Bare;
use self::ours::Ours;
use self::processes::Workers;
use self::server::Server;

/// One of the two that are compared.
pub(crate) trait Contender: Sized {
    /// What its worker processes are told to be.
    const ROLE: &'static str;

    /// Creates a pool of this size.
    async fn new(server: &Server, size: usize) -> Self;
    /// Stores so many tasks, each of which sleeps so many milliseconds.
    async fn park(&mut self, tasks: usize, sleep: u64);
    /// Waits for the results of all that is parked, and returns how long these tasks ran, together.
    async fn results(&mut self) -> Duration;
    /// Runs a task, and waits for its result.
    async fn exec(&mut self);
    /// Waits until so many workers are there. They take no tasks yet.
    async fn ready(&mut self, workers: usize);
    /// Lets them take tasks.
    async fn go(&mut self);
}

fn main() {
    if let Ok(role) = env::var(processes::ROLE) {
        return runtime().block_on(processes::work(&role));
    }
    // `cargo test --benches` only wants to know whether it works.
    let args: Vec<String> = env::args().collect();
    let only = args.iter().skip(1).find(|arg| !arg.starts_with('-'));
    let only = only.cloned().unwrap_or_default();
    let plan = match args {
        _ if !args.iter().any(|arg| arg == "--bench") => Plan {
            rounds: 1,
            less: 100,
            only,
        },
        _ if args.iter().any(|arg| arg == "--quick") => Plan {
            rounds: 3,
            less: 5,
            only,
        },
        _ => Plan {
            rounds: 9,
            less: 1,
            only,
        },
    };
    if server::find().is_none() {
        println!("skipped: there is no nats-server (AIOPOOL_NATS_SERVER, or on the PATH)");
        return;
    }
    runtime().block_on(plan.run());
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

struct Plan {
    rounds: usize,
    /// How many times less tasks there are.
    less: usize,
    /// Part of the names of the rows that are measured.
    only: String,
}

impl Plan {
    async fn run(&self) {
        let rounds = self.rounds;
        println!("medians of {rounds} rounds, in turns; bounds are those that are aimed at");
        self.compare("park a task", "at most 1.25", 20_000, parking, bare_parking)
            .await;
        self.compare(
            "run one, 1 worker",
            "at most 1.25",
            20_000,
            running,
            bare_running,
        )
        .await;
        self.compare(
            "exec, one after the other",
            "at most 1.3",
            1_000,
            execs,
            bare_execs,
        )
        .await;
        if self.wants("use of permits") {
            self.utilisation().await;
        }
        if self.wants("workers") {
            self.scale().await;
        }
    }

    fn wants(&self, row: &str) -> bool {
        row.contains(&self.only)
    }

    /// Prints the time of a task, of ours and by hand.
    async fn compare(
        &self,
        what: &str,
        aim: &str,
        tasks: usize,
        ours: impl AsyncFn(usize) -> Duration,
        bare: impl AsyncFn(usize) -> Duration,
    ) {
        if !self.wants(what) {
            return;
        }
        let tasks = (tasks / self.less).max(10);
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            with.push(ours(tasks).await / tasks as u32);
            without.push(bare(tasks).await / tasks as u32);
        }
        let (with, without) = (median(with), median(without));
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        println!("{what:28} {with:>10.1?}  by hand {without:>10.1?}  ratio {ratio:.2}, {aim}");
    }

    /// Tasks of 20 ms on three workers with more slots than there are permits: the part of the time for which a permit has
    /// a task that runs. Tasks measure by themselves how long they run, since a timer may be a millisecond late.
    async fn utilisation(&self) {
        const SIZE: usize = 40;
        let tasks = (10_000 / self.less).max(SIZE);
        let part = |run: Run| run.ran.as_secs_f64() / (SIZE as f64 * run.took.as_secs_f64());
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            ours.push(part(run::<Ours>(tasks, 20, SIZE, 3).await));
            bare.push(part(run::<Bare>(tasks, 20, SIZE, 3).await));
        }
        let (ours, bare) = (median(ours), median(bare));
        println!("use of 40 permits by 20 ms   {ours:>10.3}  by hand {bare:>10.3}  at least 0.95");
    }

    /// Tasks of 20 ms on 1, 2 and 4 workers, with 20 permits for each.
    async fn scale(&self) {
        let mut first = None;
        for workers in [1, 2, 4] {
            let tasks = (5_000 / self.less).max(20) * workers;
            let mut times = Vec::new();
            for _ in 0..self.rounds {
                times.push(run::<Ours>(tasks, 20, 20 * workers, workers).await.took);
            }
            let rate = tasks as f64 / median(times).as_secs_f64();
            let times = rate / *first.get_or_insert(rate);
            println!(
                "{workers} workers, 20 tasks of 20 ms each at a time: {rate:.0} tasks a second, {times:.2} times"
            );
        }
    }
}

async fn parking(tasks: usize) -> Duration {
    park::<Ours>(tasks).await
}

async fn bare_parking(tasks: usize) -> Duration {
    park::<Bare>(tasks).await
}

async fn running(tasks: usize) -> Duration {
    run::<Ours>(tasks, 0, 100, 1).await.took
}

async fn bare_running(tasks: usize) -> Duration {
    run::<Bare>(tasks, 0, 100, 1).await.took
}

async fn execs(tasks: usize) -> Duration {
    exec::<Ours>(tasks).await
}

async fn bare_execs(tasks: usize) -> Duration {
    exec::<Bare>(tasks).await
}

async fn park<C: Contender>(tasks: usize) -> Duration {
    let server = Server::start();
    let mut pool = C::new(&server, 100).await;
    pool.park(tasks / 10 + 1, 0).await; // So that all is warm.
    let started = Instant::now();
    pool.park(tasks, 0).await;
    started.elapsed()
}

/// How tasks ran that were parked before.
struct Run {
    /// The time from when workers might start until all results were there.
    took: Duration,
    /// How long the tasks ran, together.
    ran: Duration,
}

async fn run<C: Contender>(tasks: usize, sleep: u64, size: usize, workers: usize) -> Run {
    let server = Server::start();
    let mut pool = C::new(&server, size).await;
    let _workers = Workers::start(C::ROLE, &server, workers, size);
    pool.ready(workers).await;
    pool.park(tasks, sleep).await;
    let started = Instant::now();
    pool.go().await;
    let ran = pool.results().await;
    let took = started.elapsed();
    Run { took, ran }
}

async fn exec<C: Contender>(tasks: usize) -> Duration {
    let server = Server::start();
    let mut pool = C::new(&server, 10).await;
    let _workers = Workers::start(C::ROLE, &server, 1, 10);
    pool.ready(1).await;
    pool.go().await;
    for _ in 0..tasks / 10 + 1 {
        pool.exec().await;
    }
    let started = Instant::now();
    for _ in 0..tasks {
        pool.exec().await;
    }
    started.elapsed()
}

fn median<T: PartialOrd + Copy>(mut rounds: Vec<T>) -> T {
    rounds.sort_unstable_by(|a, b| a.partial_cmp(b).expect("numbers"));
    rounds[rounds.len() / 2]
}

/// What tasks do. Returns how many microseconds it took.
pub(crate) async fn sleep(millis: u64) -> u64 {
    let started = Instant::now();
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    started.elapsed().as_micros() as u64
}
