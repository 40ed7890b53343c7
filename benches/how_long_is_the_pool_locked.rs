//! How long does another thread stand still while very many tasks are dealt with?
//!
//! ```text
//! cargo bench -p benches --bench how_long_is_the_pool_locked               # 10^6 tasks, about a minute
//! cargo bench -p benches --bench how_long_is_the_pool_locked -- --quick    # 10^5
//! ```
//!
//! While one thread does what the row says, another calls `stats()` again and again: the longest of these calls, and how
//! long the whole took, medians of several rounds. The longest call is never shorter than the machine's own hiccups: the
//! first row has them alone.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use aiopool::{AioPool, JoinHandle};
use tokio::runtime::{Builder, Runtime};

fn main() {
    let has = |flag: &str| env::args().any(|arg| arg == flag);
    let (tasks, rounds) = match (has("--bench"), has("--quick")) {
        (false, _) => (1_000, 1),
        (true, true) => (100_000, 3),
        (true, false) => (1_000_000, 5),
    };
    println!("{tasks} tasks wait; medians of {rounds} rounds, milliseconds");
    println!("{:<44} | longest stats() | the whole", "what is done");
    for (what, make, deal) in rows() {
        let measured: Vec<_> = (0..rounds).map(|_| measure(tasks, make, deal)).collect();
        let longest = median(measured.iter().map(|measured| measured.0));
        let whole = median(measured.iter().map(|measured| measured.1));
        println!("{what:<44} | {longest:>15.2} | {whole:>9.1}");
    }
}

/// A pool with waiting tasks, and what is dealt with: the pool or a group of it.
struct Filled {
    pool: AioPool,
    home: AioPool,
    handles: Vec<JoinHandle<()>>,
}

type Row = (&'static str, fn(usize) -> Filled, fn(&Filled));

fn rows() -> Vec<Row> {
    vec![
        ("nothing, for a tenth of a second", bare, |_| {
            thread::sleep(Duration::from_millis(100));
        }),
        ("tasks()", bare, |filled| drop(filled.pool.tasks())),
        ("find_tasks(40, all of a group)", grouped, |filled| {
            drop(filled.home.find_tasks(40, |_| true));
        }),
        ("abort_all of the pool", bare, |filled| {
            filled.pool.abort_all();
        }),
        ("abort_all of the pool, tasks with names", named, |filled| {
            filled.pool.abort_all();
        }),
        ("abort_all of a group", grouped, |filled| {
            filled.home.abort_all();
        }),
        ("abort([id of the last])", bare, |filled| {
            let last = filled.handles.last().map(JoinHandle::id);
            filled.pool.abort(last).expect("it waits");
        }),
        ("abort(their ids)", bare, |filled| {
            let ids = filled.handles.iter().map(JoinHandle::id);
            filled.pool.abort(ids).expect("they wait");
        }),
        ("resize by 10^5", bare, |filled| {
            filled.pool.resize(100_001).expect("a size");
            filled.pool.resume();
        }),
        ("end of 20,000 groups inside each other", nested, |filled| {
            filled.handles[0].abort();
        }),
        ("groups(), 10^4", many_groups, |filled| {
            drop(filled.pool.groups());
        }),
        ("close(), 10^4 groups", many_groups, |filled| {
            filled.pool.close();
        }),
    ]
}

fn measure(tasks: usize, make: fn(usize) -> Filled, deal: fn(&Filled)) -> (f64, f64) {
    let runtime = runtime();
    let _inside = runtime.enter();
    let filled = make(tasks);
    let over = AtomicBool::new(false);
    thread::scope(|threads| {
        let watching = threads.spawn(|| longest_stats(&filled.pool, &over));
        // The other thread is at it.
        thread::sleep(Duration::from_millis(20));
        let start = Instant::now();
        deal(&filled);
        let whole = start.elapsed();
        over.store(true, SeqCst);
        let longest = watching.join().expect("no thread panics");
        (milliseconds(longest), milliseconds(whole))
    })
}

fn longest_stats(pool: &AioPool, over: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !over.load(SeqCst) {
        let start = Instant::now();
        pool.stats();
        longest = longest.max(start.elapsed());
        thread::sleep(Duration::from_micros(10));
    }
    longest
}

/// It is never driven: what is started waits for it.
fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

fn bare(tasks: usize) -> Filled {
    let pool = AioPool::new(1);
    let handles = pool.map_n(0..tasks, |_| async {});
    let home = pool.clone();
    Filled {
        pool,
        home,
        handles,
    }
}

fn named(tasks: usize) -> Filled {
    let mut filled = bare(1);
    let task = |_| filled.pool.task(async {}).name("a name").spawn_n();
    let named: Vec<_> = (0..tasks).map(task).collect();
    filled.handles.extend(named);
    filled
}

fn grouped(tasks: usize) -> Filled {
    let mut filled = bare(1);
    filled.home = filled.pool.group("a group", 1).expect("a group");
    filled.handles = filled.home.map_n(0..tasks, |_| async {});
    filled
}

fn nested(_: usize) -> Filled {
    let mut filled = bare(1);
    let mut home = filled.pool.clone();
    for _ in 0..20_000 {
        home = home.group("a group", 1).expect("a group");
    }
    // The task alone keeps the groups.
    filled.handles = vec![home.spawn_n(async {})];
    filled
}

fn many_groups(_: usize) -> Filled {
    let mut filled = bare(1);
    let groups = (0..10_000).map(|n| filled.pool.keyed(format!("group {n}"), 1));
    let tasks: Vec<_> = groups.map(|group| group.spawn_n(async {})).collect();
    filled.handles.extend(tasks);
    filled
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
