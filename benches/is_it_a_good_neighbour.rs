//! Does a pool that is busy keep the rest of its runtime waiting?
//!
//! ```text
//! cargo bench --bench is_it_a_good_neighbour                              # some minutes
//! cargo bench --bench is_it_a_good_neighbour -- --quick                   # a fifth of the work, one round
//! cargo bench --bench is_it_a_good_neighbour --features smol,async-std    # and these runtimes
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

type OnRuntime = (&'static str, fn(Cell, Duration, bool) -> Vec<Duration>);

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
            let ours = round(rounds, || run(cell, work, true));
            let loops = round(rounds, || run(cell, work, false));
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

fn runtimes() -> Vec<OnRuntime> {
    vec![
        ("tokio, current_thread", on_tokio::one_thread),
        ("tokio, two threads", on_tokio::two_threads),
        #[cfg(feature = "smol")]
        ("smol", on_smol::run),
        #[cfg(feature = "async-std")]
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
async fn take_pieces(left: Arc<AtomicU64>, cell: Cell, yield_now: impl AsyncFn()) {
    while left
        .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
        .is_ok()
    {
        spin(cell.microseconds);
        yield_now().await;
    }
}

/// Ticks until it is told that the work is over. Returns how late each tick came.
async fn tick<Sleep: Future>(
    over: Arc<AtomicBool>,
    sleep: impl Fn(Duration) -> Sleep,
) -> Vec<Duration> {
    let tick = Duration::from_millis(1);
    let mut late = Vec::new();
    while !over.load(SeqCst) {
        let start = Instant::now();
        sleep(tick).await;
        late.push(start.elapsed().saturating_sub(tick));
    }
    late
}

fn pieces(cell: Cell, work: Duration) -> u64 {
    (work.as_micros() as u64 / cell.microseconds).max(1)
}

mod on_tokio {
    use super::*;
    use tokio::runtime::{Builder, Runtime};
    use tokio::task::yield_now;
    use tokio::time::sleep;

    pub(super) fn one_thread(cell: Cell, work: Duration, by_pool: bool) -> Vec<Duration> {
        let runtime = Builder::new_current_thread().enable_all().build();
        run(&runtime.expect("a runtime"), cell, work, by_pool)
    }

    pub(super) fn two_threads(cell: Cell, work: Duration, by_pool: bool) -> Vec<Duration> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        run(&runtime.expect("a runtime"), cell, work, by_pool)
    }

    fn run(runtime: &Runtime, cell: Cell, work: Duration, by_pool: bool) -> Vec<Duration> {
        let over = Arc::new(AtomicBool::new(false));
        let ticking = runtime.spawn(tick(over.clone(), sleep));
        let working = runtime.spawn(async move {
            yield_now().await;
            let tasks = pieces(cell, work);
            if by_pool {
                return work_off(AioPool::new(cell.size), cell, tasks).await;
            }
            let left = Arc::new(AtomicU64::new(tasks));
            let piece =
                |_| tokio::spawn(take_pieces(left.clone(), cell, async || yield_now().await));
            for ended in (0..cell.size).map(piece).collect::<Vec<_>>() {
                ended.await.expect("no loop panics");
            }
        });
        runtime.block_on(async {
            working.await.expect("no work panics");
            over.store(true, SeqCst);
            ticking.await.expect("no tick panics")
        })
    }
}

#[cfg(feature = "smol")]
mod on_smol {
    use super::*;
    use aiopool::Smol;
    use smol::future::yield_now;

    pub(super) fn run(cell: Cell, work: Duration, by_pool: bool) -> Vec<Duration> {
        let over = Arc::new(AtomicBool::new(false));
        let ticking = smol::spawn(tick(over.clone(), smol::Timer::after));
        let working = smol::spawn(async move {
            let tasks = pieces(cell, work);
            if by_pool {
                return work_off(AioPool::with_spawner(cell.size, Smol), cell, tasks).await;
            }
            let left = Arc::new(AtomicU64::new(tasks));
            let piece =
                |_| smol::spawn(take_pieces(left.clone(), cell, async || yield_now().await));
            for ended in (0..cell.size).map(piece).collect::<Vec<_>>() {
                ended.await;
            }
        });
        smol::block_on(async {
            working.await;
            over.store(true, SeqCst);
            ticking.await
        })
    }
}

#[cfg(feature = "async-std")]
mod on_async_std {
    use super::*;
    use aiopool::AsyncStd;
    use async_std::task::{self, yield_now};

    pub(super) fn run(cell: Cell, work: Duration, by_pool: bool) -> Vec<Duration> {
        let over = Arc::new(AtomicBool::new(false));
        let ticking = task::spawn(tick(over.clone(), task::sleep));
        let working = task::spawn(async move {
            let tasks = pieces(cell, work);
            if by_pool {
                return work_off(AioPool::with_spawner(cell.size, AsyncStd), cell, tasks).await;
            }
            let left = Arc::new(AtomicU64::new(tasks));
            let piece =
                |_| task::spawn(take_pieces(left.clone(), cell, async || yield_now().await));
            for ended in (0..cell.size).map(piece).collect::<Vec<_>>() {
                ended.await;
            }
        });
        task::block_on(async {
            working.await;
            over.store(true, SeqCst);
            ticking.await
        })
    }
}
