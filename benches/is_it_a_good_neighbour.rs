//! Does a pool that is busy keep the rest of its runtime waiting?
//!
//! ```text
//! cargo bench -p benches --bench is_it_a_good_neighbour               # some minutes
//! cargo bench -p benches --bench is_it_a_good_neighbour -- --quick    # a fifth of the work, one round
//! ```
//!
//! A timer of one millisecond ticks on the runtime, beside a pool that works off half a second of tasks, each of which
//! spins. How late do its ticks come, in the median and at worst? The rival are bare loops: as many tasks of the runtime
//! as the pool has permits, which do the same work and yield after each piece.
//!
//! A tick may be twice as late as beside the loops, three milliseconds, and one round of the active tasks.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use aiopool::AioPool;

/// How the pool is given its work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    SpawnN,
    Spawn,
    Feed,
    Map,
    IterMap,
}

#[derive(Clone, Copy)]
struct Cell {
    verb: Verb,
    microseconds: u64,
    size: usize,
}

/// Whose work keeps the runtime busy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Pool,
    Loops,
}

type Run = fn(Cell, Duration, Work) -> Vec<Duration>;

fn main() {
    let has = |flag: &str| env::args().any(|arg| arg == flag);
    let (work, rounds) = match (has("--bench"), has("--quick")) {
        (false, _) => (Duration::from_millis(20), 1),
        (true, true) => (Duration::from_millis(100), 1),
        (true, false) => (Duration::from_millis(500), 3),
    };
    println!("late by, ms: median (worst), medians of {rounds} rounds");
    println!(
        "runtime                | verb    | a task | size | beside the pool | beside loops    | may be | ok?"
    );
    for (name, run) in runtimes() {
        for cell in cells() {
            let ours = round(rounds, || run(cell, work, Work::Pool));
            let loops = round(rounds, || run(cell, work, Work::Loops));
            print_line(name, cell, ours, loops);
        }
    }
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for microseconds in [2, 5, 20, 200] {
        for size in [1, 10, 100] {
            let verb = Verb::SpawnN;
            cells.push(Cell {
                verb,
                microseconds,
                size,
            });
        }
    }
    for verb in [Verb::Spawn, Verb::Feed, Verb::Map, Verb::IterMap] {
        let (microseconds, size) = (20, 10);
        cells.push(Cell {
            verb,
            microseconds,
            size,
        });
    }
    cells
}

fn runtimes() -> Vec<(&'static str, Run)> {
    vec![
        ("tokio, current_thread", on_tokio::one_thread),
        ("tokio, two threads", on_tokio::two_threads),
        ("smol", on_smol::run),
        ("async-std", on_async_std::run),
    ]
}

/// Median and maximum, in milliseconds.
type Late = (f64, f64);

fn round(rounds: usize, run: impl Fn() -> Vec<Duration>) -> Late {
    let late: Vec<Late> = (0..rounds).map(|_| summary(run())).collect();
    let median = |pick: fn(&Late) -> f64| {
        let mut numbers: Vec<f64> = late.iter().map(pick).collect();
        numbers.sort_by(f64::total_cmp);
        numbers[numbers.len() / 2]
    };
    (median(|late| late.0), median(|late| late.1))
}

fn summary(mut late: Vec<Duration>) -> Late {
    late.sort_unstable();
    let milliseconds = |late: Duration| late.as_secs_f64() * 1000.0;
    let median = late.get(late.len() / 2).copied().unwrap_or_default();
    let worst = late.last().copied().unwrap_or_default();
    (milliseconds(median), milliseconds(worst))
}

fn print_line(runtime: &str, cell: Cell, ours: Late, loops: Late) {
    let verb = match cell.verb {
        Verb::SpawnN => "spawn_n",
        Verb::Spawn => "spawn",
        Verb::Feed => "feed",
        Verb::Map => "map",
        Verb::IterMap => "itermap",
    };
    let one_round = (cell.microseconds * cell.size as u64) as f64 / 1000.0;
    let most = 2.0 * loops.0 + 3.0 + one_round;
    let is_ok = if ours.0 <= most { "yes" } else { "NO" };
    let late = |late: Late| format!("{:.1} ({:.1})", late.0, late.1);
    println!(
        "{runtime:<22} | {verb:<7} | {:>3} µs | {:>4} | {:>15} | {:>15} | {most:>6.1} | {is_ok}",
        cell.microseconds,
        cell.size,
        late(ours),
        late(loops),
    );
}

fn spin(microseconds: u64) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(microseconds) {
        std::hint::spin_loop();
    }
}

/// Gives the pool all the work, and waits for its end.
async fn work_off(pool: AioPool, cell: Cell, tasks: u64) {
    let task = move |_| async move { spin(cell.microseconds) };
    match cell.verb {
        Verb::SpawnN => {
            drop(pool.map_n(0..tasks, task));
            pool.join().await;
        }
        Verb::Spawn => {
            for n in 0..tasks {
                pool.spawn(task(n)).await;
            }
            pool.join().await;
        }
        Verb::Feed => _ = pool.feed(0..tasks, task).await,
        Verb::Map => drop(pool.map(0..tasks, task).await),
        Verb::IterMap => {
            let mut results = pool.itermap(0..tasks, task);
            while futures::StreamExt::next(&mut results).await.is_some() {}
        }
    }
}

/// What a loop does: takes pieces of work as long as there are any, and yields after each.
async fn take_pieces<R: Runtime>(left: Arc<AtomicU64>, cell: Cell) {
    let take = |left: u64| left.checked_sub(1);
    while left.fetch_update(SeqCst, SeqCst, take).is_ok() {
        spin(cell.microseconds);
        R::yield_now().await;
    }
}

/// Ticks until it is told that the work is over. Returns how late each tick came.
async fn tick<R: Runtime>(over: Arc<AtomicBool>) -> Vec<Duration> {
    let tick = Duration::from_millis(1);
    let mut late = Vec::new();
    while !over.load(SeqCst) {
        let start = Instant::now();
        R::sleep(tick).await;
        late.push(start.elapsed().saturating_sub(tick));
    }
    late
}

async fn work<R: Runtime>(cell: Cell, time: Duration, whose: Work) {
    let pieces = (time.as_micros() as u64 / cell.microseconds).max(1);
    if whose == Work::Pool {
        return work_off(R::pool(cell.size), cell, pieces).await;
    }
    let left = Arc::new(AtomicU64::new(pieces));
    let spawn = |_| R::spawn(take_pieces::<R>(left.clone(), cell));
    for ended in (0..cell.size).map(spawn).collect::<Vec<_>>() {
        ended.await;
    }
}

/// Ticks and works side by side, each in a task of the runtime.
async fn side_by_side<R: Runtime>(cell: Cell, time: Duration, whose: Work) -> Vec<Duration> {
    let over = Arc::new(AtomicBool::new(false));
    let ticking = R::spawn(tick::<R>(over.clone()));
    R::spawn(work::<R>(cell, time, whose)).await;
    over.store(true, SeqCst);
    ticking.await
}

/// What is needed of a runtime.
trait Runtime: 'static {
    fn pool(size: usize) -> AioPool;
    fn spawn<T: Send + 'static>(
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send;
    fn sleep(time: Duration) -> impl Future<Output: Send> + Send;
    fn yield_now() -> impl Future<Output = ()> + Send;
}

mod on_tokio {
    use super::*;
    use tokio::runtime::Builder;

    struct OnTokio;

    impl Runtime for OnTokio {
        fn pool(size: usize) -> AioPool {
            AioPool::new(size)
        }

        fn spawn<T: Send + 'static>(
            future: impl Future<Output = T> + Send + 'static,
        ) -> impl Future<Output = T> + Send {
            let handle = tokio::spawn(future);
            async { handle.await.expect("nothing panics") }
        }

        fn sleep(time: Duration) -> impl Future<Output: Send> + Send {
            tokio::time::sleep(time)
        }

        fn yield_now() -> impl Future<Output = ()> + Send {
            tokio::task::yield_now()
        }
    }

    pub(super) fn one_thread(cell: Cell, time: Duration, whose: Work) -> Vec<Duration> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let run = side_by_side::<OnTokio>(cell, time, whose);
        runtime.expect("a runtime").block_on(run)
    }

    pub(super) fn two_threads(cell: Cell, time: Duration, whose: Work) -> Vec<Duration> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build();
        let run = side_by_side::<OnTokio>(cell, time, whose);
        runtime.expect("a runtime").block_on(run)
    }
}

mod on_smol {
    use super::*;

    struct OnSmol;

    impl Runtime for OnSmol {
        fn pool(size: usize) -> AioPool {
            AioPool::with_spawner(size, aiopool::Smol)
        }

        fn spawn<T: Send + 'static>(
            future: impl Future<Output = T> + Send + 'static,
        ) -> impl Future<Output = T> + Send {
            smol::spawn(future)
        }

        fn sleep(time: Duration) -> impl Future<Output: Send> + Send {
            smol::Timer::after(time)
        }

        fn yield_now() -> impl Future<Output = ()> + Send {
            smol::future::yield_now()
        }
    }

    pub(super) fn run(cell: Cell, time: Duration, whose: Work) -> Vec<Duration> {
        smol::block_on(side_by_side::<OnSmol>(cell, time, whose))
    }
}

mod on_async_std {
    use super::*;
    use async_std::task;

    struct OnAsyncStd;

    impl Runtime for OnAsyncStd {
        fn pool(size: usize) -> AioPool {
            AioPool::with_spawner(size, aiopool::AsyncStd)
        }

        fn spawn<T: Send + 'static>(
            future: impl Future<Output = T> + Send + 'static,
        ) -> impl Future<Output = T> + Send {
            task::spawn(future)
        }

        fn sleep(time: Duration) -> impl Future<Output: Send> + Send {
            task::sleep(time)
        }

        fn yield_now() -> impl Future<Output = ()> + Send {
            task::yield_now()
        }
    }

    pub(super) fn run(cell: Cell, time: Duration, whose: Work) -> Vec<Duration> {
        task::block_on(side_by_side::<OnAsyncStd>(cell, time, whose))
    }
}
