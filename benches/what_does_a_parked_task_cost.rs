//! What does a parked task cost, in time and memory, and does it cost more when there are many?
//!
//! ```text
//! cargo bench -p benches --bench what_does_a_parked_task_cost
//! AIOPOOL_BENCH_HUGE=1 cargo bench -p benches --bench what_does_a_parked_task_cost    # times 10^7 too, for minutes
//! ```
//!
//! First comes a table of bytes per parked task. Its handle is kept and counts, its future does not: what is left is
//! the price of parking. Each number is the growth of a fresh process, which grows by whole pages: at 10^3 it is
//! rough, at 10^7 it takes 5 GB. `by hand` is a `tokio::spawn` whose future waits for a semaphore's permit.
//!
//! Then criterion times both, on tokio's current_thread. `park` ends when all tasks wait; `park, run, await` when all
//! handles have given their results. `thrpt` is tasks per second: it stays the same from 10^3 on if a task costs the
//! same among many.

use std::env;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};

use self::common::child;
use self::common::parked::{self, AT_ONCE, parked, parked_by_hand, runtime};

mod common {
    pub(crate) mod child;
    pub(crate) mod parked;
}

fn main() {
    if let Some(what) = child::asked() {
        return child::answer(bytes(&what));
    }
    if env::args().any(|arg| arg == "--bench") {
        print_bytes();
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    compare(&mut criterion, "park", [park, park_by_hand]);
    compare(
        &mut criterion,
        "park, run, await",
        [parked::park_and_run, park_and_run_by_hand],
    );
    criterion.final_summary();
}

/// Bytes per task, measured in child processes.
fn print_bytes() {
    println!(
        "bytes per parked task, beyond its future of {} bytes",
        parked::future_size()
    );
    println!("{:>10} {:>10} {:>10}", "tasks", "aiopool", "by hand");
    for exponent in 3..=7 {
        let n = 10_usize.pow(exponent);
        let [ours, by_hand] = ["aiopool", "by hand"].map(|whose| {
            child::measure(&format!("{whose}:{n}"))
                .map_or("unknown".to_owned(), |bytes| format!("{bytes:.1}"))
        });
        println!("{n:>10} {ours:>10} {by_hand:>10}");
    }
}

/// In a child process: how many bytes one of so many tasks takes.
fn bytes(what: &str) -> Option<f64> {
    let (whose, n) = what.split_once(':')?;
    let n = n.parse().ok()?;
    match whose {
        "aiopool" => parked::bytes_of_ours(n),
        _ => parked::bytes_by_hand(n),
    }
}

fn compare(criterion: &mut Criterion, what: &str, [ours, by_hand]: [fn(usize) -> Duration; 2]) {
    let mut group = criterion.benchmark_group(what);
    group.sampling_mode(SamplingMode::Flat);
    let huge = env::var_os("AIOPOOL_BENCH_HUGE").is_some();
    for exponent in 3..=if huge { 7 } else { 6 } {
        let n = 10_usize.pow(exponent);
        group.throughput(Throughput::Elements(n as u64));
        for (name, run) in [("aiopool", ours), ("by hand", by_hand)] {
            group.bench_function(BenchmarkId::new(name, n), |bencher| {
                bencher.iter_custom(|times| (0..times).map(|_| run(n)).sum());
            });
        }
    }
    group.finish();
}

/// Ours: parks `n` tasks.
fn park(n: usize) -> Duration {
    runtime().block_on(async {
        let start = Instant::now();
        let (pool, handles) = parked(n);
        let elapsed = start.elapsed();
        pool.cancel_all().await;
        drop(handles);
        elapsed
    })
}

/// By hand: parks `n` tasks.
fn park_by_hand(n: usize) -> Duration {
    runtime().block_on(async {
        let start = Instant::now();
        let (permits, handles) = parked_by_hand(n).await;
        let elapsed = start.elapsed();
        permits.close();
        drop(handles);
        elapsed
    })
}

/// By hand: parks `n` tasks, lets them run, and awaits their handles.
fn park_and_run_by_hand(n: usize) -> Duration {
    runtime().block_on(async {
        let start = Instant::now();
        let (permits, handles) = parked_by_hand(n).await;
        permits.add_permits(AT_ONCE);
        for handle in handles {
            handle.await.expect("no task fails here");
        }
        drop(permits);
        start.elapsed()
    })
}
