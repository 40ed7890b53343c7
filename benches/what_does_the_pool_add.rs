//! What does the pool add to a task, on each runtime, and what do the ways around it cost?
//!
//! ```text
//! cargo bench -p benches --bench what_does_the_pool_add
//! cargo bench -p benches --bench what_does_the_pool_add -- "two threads"    # the groups so named
//! ```
//!
//! Each group is one thing, done for 10^5 tasks: by the pool in what begins with `aiopool`, by its rivals in the
//! rest. Divide its time by theirs: below 1 the pool is faster. `thrpt` is tasks per second.
//!
//! Never more than 1000 tasks run at once, but for `bare spawn`, which is the runtime alone, with no bound.
//! `buffer_unordered` runs plain futures inside of one task, and so on one thread, whatever the runtime.
//!
//! `ratios` asks the same of 10^6 tasks, in one table.

use std::time::Duration;

use aiopool::AioPool;
use criterion::{Criterion, SamplingMode, Throughput};
use futures::{StreamExt, stream};

use self::common::on_async_std;
use self::common::on_smol;
use self::common::on_tokio::{self, two_threads};
use self::common::one_thread::current_thread;
use self::common::tasks::{SIZE, check, keep_then_await, spawn_n};

mod common {
    pub(crate) mod on_async_std;
    pub(crate) mod on_smol;
    pub(crate) mod on_tokio;
    pub(crate) mod one_thread;
    pub(crate) mod tasks;
}

/// How many tasks each contender does.
const N: usize = 100_000;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    no_op_tasks(&mut criterion);
    backpressure(&mut criterion);
    yielding_tasks(&mut criterion);
    results_as_they_come(&mut criterion);
    stopping(&mut criterion);
    smol(&mut criterion);
    async_std(&mut criterion);
    criterion.final_summary();
}

/// Does so many tasks, and says how long they took.
type Contender = fn(usize) -> Duration;

fn compare(criterion: &mut Criterion, what: &str, contenders: &[(&str, Contender)]) {
    let mut group = criterion.benchmark_group(what);
    group
        .throughput(Throughput::Elements(N as u64))
        .sampling_mode(SamplingMode::Flat);
    for (name, run) in contenders {
        group.bench_function(*name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| run(N)).sum());
        });
    }
    group.finish();
}

fn pool() -> AioPool {
    AioPool::new(SIZE)
}

fn no_op_tasks(criterion: &mut Criterion) {
    compare(
        criterion,
        "no-op tasks, tokio current_thread",
        &[
            ("aiopool spawn_n", |n| current_thread(spawn_n(pool(), n))),
            ("bare spawn", |n| current_thread(on_tokio::bare(n))),
            ("JoinSet + Semaphore", |n| {
                current_thread(on_tokio::joinset_semaphore(n))
            }),
            ("buffer_unordered", |n| current_thread(plain_futures(n))),
        ],
    );
    compare(
        criterion,
        "no-op tasks, tokio two threads",
        &[
            ("aiopool spawn_n", |n| two_threads(spawn_n(pool(), n))),
            ("bare spawn", |n| two_threads(on_tokio::bare(n))),
            ("JoinSet + Semaphore", |n| {
                two_threads(on_tokio::joinset_semaphore(n))
            }),
            ("buffer_unordered", |n| two_threads(plain_futures(n))),
        ],
    );
}

fn backpressure(criterion: &mut Criterion) {
    compare(
        criterion,
        "backpressure, tokio current_thread",
        &[
            ("aiopool spawn", |n| {
                current_thread(on_tokio::spawn(pool(), n))
            }),
            ("aiopool feed", |n| {
                current_thread(on_tokio::feed(pool(), n))
            }),
            ("acquire, JoinSet::spawn", |n| {
                current_thread(on_tokio::acquire_then_spawn(n))
            }),
        ],
    );
    compare(
        criterion,
        "backpressure, tokio two threads",
        &[
            ("aiopool spawn", |n| two_threads(on_tokio::spawn(pool(), n))),
            ("acquire, JoinSet::spawn", |n| {
                two_threads(on_tokio::acquire_then_spawn(n))
            }),
        ],
    );
}

fn yielding_tasks(criterion: &mut Criterion) {
    compare(
        criterion,
        "five yields, tokio current_thread",
        &[
            ("aiopool spawn_n", |n| {
                current_thread(on_tokio::spawn_n_yielding(pool(), n))
            }),
            ("JoinSet + Semaphore", |n| {
                current_thread(on_tokio::joinset_semaphore_yielding(n))
            }),
        ],
    );
}

fn results_as_they_come(criterion: &mut Criterion) {
    compare(
        criterion,
        "results as they come, tokio current_thread",
        &[
            ("aiopool itermap", |n| {
                current_thread(on_tokio::itermap(pool(), n))
            }),
            ("aiopool itermap.buffer", |n| {
                current_thread(buffered_itermap(n))
            }),
            ("bare spawn, buffer_unordered", |n| {
                current_thread(on_tokio::spawn_buffer_unordered(n))
            }),
        ],
    );
    compare(
        criterion,
        "a stream in, ordered results out, tokio current_thread",
        &[
            ("aiopool map_on.ordered", |n| {
                current_thread(on_tokio::map_on_ordered(pool(), n))
            }),
            ("bare spawn, buffered", |n| {
                current_thread(on_tokio::spawn_buffered(n))
            }),
        ],
    );
}

fn stopping(criterion: &mut Criterion) {
    compare(
        criterion,
        "waiting tasks, tokio current_thread",
        &[
            ("aiopool cancel_all", on_tokio::cancel_waiting),
            ("aiopool running them", on_tokio::run_waiting),
        ],
    );
}

fn smol(criterion: &mut Criterion) {
    compare(
        criterion,
        "no-op tasks, smol",
        &[
            ("aiopool spawn_n", |n| {
                on_smol::block_on(spawn_n(on_smol::pool(), n))
            }),
            ("bare spawn", |n| on_smol::block_on(on_smol::bare(n))),
            ("buffer_unordered", |n| on_smol::block_on(plain_futures(n))),
        ],
    );
    compare(
        criterion,
        "five yields, smol",
        &[
            ("aiopool spawn_n", |n| {
                let pool = on_smol::pool();
                on_smol::block_on(keep_then_await(n, |i| pool.spawn_n(five_yields(i))))
            }),
            ("bare spawn", |n| {
                on_smol::block_on(keep_then_await(n, |i| smol::spawn(five_yields(i))))
            }),
        ],
    );
}

fn async_std(criterion: &mut Criterion) {
    compare(
        criterion,
        "no-op tasks, async-std",
        &[
            ("aiopool spawn_n", |n| {
                on_async_std::block_on(spawn_n(on_async_std::pool(), n))
            }),
            ("bare spawn", |n| {
                on_async_std::block_on(on_async_std::bare(n))
            }),
            ("buffer_unordered", |n| {
                on_async_std::block_on(plain_futures(n))
            }),
        ],
    );
    compare(
        criterion,
        "five yields, async-std",
        &[
            ("aiopool spawn_n", |n| {
                let pool = on_async_std::pool();
                on_async_std::block_on(keep_then_await(n, |i| pool.spawn_n(five_yields(i))))
            }),
            ("bare spawn", |n| {
                let spawn = |i| async_std::task::spawn(five_yields(i));
                on_async_std::block_on(keep_then_await(n, spawn))
            }),
        ],
    );
}

/// No tasks at all: futures inside of this one.
async fn plain_futures(n: usize) {
    let futures = stream::iter(0..n).map(async |i| i);
    let sum = futures
        .buffer_unordered(SIZE)
        .fold(0, async |sum, i| sum + i);
    check(n, sum.await);
}

/// Results as they come, with no more than 1000 tasks submitted and not yet read.
async fn buffered_itermap(n: usize) {
    let mut results = pool().itermap(0..n, |i| async move { i }).buffer(SIZE);
    let mut sum = 0;
    while let Some(result) = results.next().await {
        sum += result.expect("no task fails here");
    }
    check(n, sum);
}

/// What any runtime can run.
async fn five_yields(i: usize) -> usize {
    for _ in 0..5 {
        let mut yielded = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }
    i
}
