//! What does each option of a task, and each way to submit one, add to the plain one?
//!
//! ```text
//! cargo bench -p benches --bench what_does_an_option_cost               # some minutes
//! cargo bench -p benches --bench what_does_an_option_cost -- --quick    # a tenth of the tasks, one round
//! ```
//!
//! The rival of an option is `spawn_n` of the same no-op tasks without it, in a pool of the same size. The table is
//! read, and was measured, as that of `ratios`.

use std::sync::Arc;
use std::time::Duration;

use aiopool::{
    Adaptive, AioPool, MetricsObserver, Observer, Submission, TaskBuilder, TaskScope,
    TimelineObserver, TracingObserver,
};
use tokio::sync::Semaphore;

use self::common::one_thread::current_thread;
use self::common::rows::Contender::Warm;
use self::common::rows::{self, Budget, Row, row};
use self::common::tasks::{check, keep_then_await, spawn_n};

mod common {
    pub(crate) mod child;
    pub(crate) mod one_thread;
    pub(crate) mod rows;
    pub(crate) mod tasks;
}

const AT_ONCE: usize = 100;

pub(crate) fn main() {
    rows::run(&all());
}

fn all() -> Vec<Row> {
    let rows = [
        option_rows(),
        group_rows(),
        pool_rows(),
        instrument_rows(),
        in_place_rows(),
    ];
    rows.into_iter().flatten().collect()
}

fn option_rows() -> Vec<Row> {
    vec![
        beside_plain("name", |n| with(n, |task, _| task.name("a name")), 1.5),
        beside_plain(
            "priority, one of ten",
            |n| with(n, |task, i| task.priority((i % 10) as i32)),
            2.0,
        ),
        beside_plain("weight of 2", |n| with(n, |task, _| task.weight(2)), 1.5),
        beside_plain("timeout", |n| with(n, |task, _| task.timeout(LONG)), 3.0),
        beside_plain(
            "wait_timeout",
            |n| with(n, |task, _| task.wait_timeout(LONG)),
            3.0,
        ),
        beside_plain("grace", |n| with(n, |task, _| task.grace(LONG)), 1.5),
        beside_plain("then", then, 1.5),
        beside_plain("retry, not needed", retry, 1.5),
        beside_plain("stop_when", stop_when, 7.0),
    ]
}

fn group_rows() -> Vec<Row> {
    vec![
        beside_plain("in a group", |n| in_groups(n, 1), 1.5),
        beside_plain("three groups deep", |n| in_groups(n, 3), 2.0),
        beside_plain(
            "keyed, 1000 keys",
            |n| keyed(&AioPool::new(AT_ONCE), n),
            2.5,
        ),
        beside_plain("keyed, with fair share", |n| keyed(&fair(), n), 3.0),
        beside_plain("in a group with a rate", in_limited_group, 4.0),
    ]
}

fn pool_rows() -> Vec<Row> {
    vec![
        beside_plain("timed pool", |n| in_pool(timed(), n), 1.5),
        beside_plain(
            "observer with empty methods",
            |n| in_pool(observed(), n),
            1.3,
        ),
        beside_plain("the same, once it is known", in_known_pool, 1.3),
        beside_plain(
            "observer with an empty scope",
            |n| in_pool(captured(), n),
            2.0,
        ),
        beside_plain("rate", |n| in_pool(limited(), n), 1.5),
        beside_plain("bounded queue", |n| in_pool(bounded(), n), 1.5),
        beside_plain("adaptive size", |n| in_pool(adaptive(), n), 2.0),
        beside_plain("with its progress read", read, 1.3),
    ]
}

/// The observers that this crate has, where nobody reads what they tell.
fn instrument_rows() -> Vec<Row> {
    let rows = [
        beside_plain(
            "MetricsObserver, no recorder",
            |n| in_pool(with_observer(MetricsObserver::new()), n),
            0.0,
        ),
        beside_plain(
            "TracingObserver, no subscriber",
            |n| in_pool(with_observer(TracingObserver::new()), n),
            0.0,
        ),
        beside_plain("TimelineObserver, to nowhere", in_timeline, 0.0),
    ];
    rows.map(without_budget).into()
}

fn in_place_rows() -> Vec<Row> {
    let run = Warm(|n| current_thread(run_in_place(n)));
    let semaphore = Warm(|n| current_thread(acquire_in_place(n)));
    let exec = Warm(|n| current_thread(exec(n)));
    let spawn_and_await = Warm(|n| current_thread(spawn_and_await(n)));
    vec![
        row("run in place", run, "tokio's Semaphore", semaphore, 3.0),
        row(
            "exec from outside",
            exec,
            "tokio::spawn, await",
            spawn_and_await,
            1.3,
        ),
    ]
    .into_iter()
    .map(fewer)
    .collect()
}

fn beside_plain(option: &'static str, run: fn(usize) -> Duration, budget: f64) -> Row {
    let plain = Warm(|n| current_thread(spawn_n(AioPool::new(AT_ONCE), n)));
    fewer(row(option, Warm(run), "plain spawn_n", plain, budget))
}

fn without_budget(mut row: Row) -> Row {
    row.budget = Budget::None;
    row
}

fn fewer(mut row: Row) -> Row {
    row.tasks = 300_000;
    row
}

const LONG: Duration = Duration::from_secs(60);

const ONE_SECOND: Duration = Duration::from_secs(1);

fn in_pool(pool: AioPool, n: usize) -> Duration {
    current_thread(spawn_n(pool, n))
}

/// Submits tasks with an option.
fn with(
    n: usize,
    option: impl Fn(TaskBuilder<'_, Number>, usize) -> TaskBuilder<'_, Number>,
) -> Duration {
    let pool = AioPool::new(AT_ONCE);
    current_thread(keep_then_await(n, |i| {
        option(pool.task(std::future::ready(i)), i).spawn_n()
    }))
}

type Number = std::future::Ready<usize>;

fn then(n: usize) -> Duration {
    let pool = AioPool::new(AT_ONCE);
    current_thread(keep_then_await(n, |i| {
        let task = pool.task(async move { i });
        task.then(|i| async { i.expect("no task fails here") })
            .spawn_n()
    }))
}

/// Submits tasks that could be tried again, and succeed at once.
fn retry(n: usize) -> Duration {
    let pool = AioPool::new(AT_ONCE);
    current_thread(keep_then_await(n, |i| {
        let task = pool.task_fn(move |_| std::future::ready(Ok::<usize, ()>(i)));
        task.retry([LONG; 3]).spawn_n()
    }))
}

/// Submits tasks with a signal that never comes. Each signal is a task of the runtime.
fn stop_when(n: usize) -> Duration {
    with(n, |task, _| task.stop_when(std::future::pending::<()>()))
}

/// Submits tasks to a pool whose progress a task of the runtime reads.
fn read(n: usize) -> Duration {
    let pool = AioPool::new(AT_ONCE);
    let mut progress = pool.progress();
    current_thread(async move {
        let reader = tokio::spawn(async move { while progress.next().await.is_some() {} });
        spawn_n(pool, n).await;
        reader.abort();
    })
}

/// Submits all tasks to one group, so many levels below the pool.
fn in_groups(n: usize, depth: usize) -> Duration {
    let mut group = AioPool::new(AT_ONCE);
    for _ in 0..depth {
        group = group
            .group("a group", AT_ONCE)
            .expect("no other has this name");
    }
    current_thread(spawn_n(group, n))
}

/// Submits all tasks to a group with a rate that no task has to wait for.
fn in_limited_group(n: usize) -> Duration {
    let pool = AioPool::new(AT_ONCE);
    let limited = pool.group_with("a group", |group| group.rate(u32::MAX, ONE_SECOND));
    current_thread(spawn_n(limited.expect("no other has this name"), n))
}

fn keyed(pool: &AioPool, n: usize) -> Duration {
    let keys: Vec<String> = (0..1000).map(|key| format!("key {key}")).collect();
    current_thread(keep_then_await(n, |i| {
        let group = pool.keyed(keys[i % 1000].as_str(), 2);
        group.spawn_n(async move { i })
    }))
}

fn fair() -> AioPool {
    let builder = AioPool::builder().size(AT_ONCE).fair_share(true);
    builder.build().expect("a pool")
}

fn timed() -> AioPool {
    AioPool::builder()
        .size(AT_ONCE)
        .timed(true)
        .build()
        .expect("a pool")
}

fn observed() -> AioPool {
    struct Nothing;
    impl Observer for Nothing {}
    with_observer(Nothing)
}

fn with_observer(observer: impl Observer) -> AioPool {
    let builder = AioPool::builder().size(AT_ONCE).observer(observer);
    builder.build().expect("a pool")
}

/// Submits the tasks to a pool whose observer is known to have written no method: each was called.
fn in_known_pool(n: usize) -> Duration {
    let pool = observed();
    current_thread(async move {
        spawn_n(pool.clone(), 2 * AT_ONCE).await;
        spawn_n(pool, n).await;
    })
}

fn in_timeline(n: usize) -> Duration {
    let timeline = TimelineObserver::new(std::io::sink()).expect("a thread");
    let took = in_pool(with_observer(timeline.clone()), n);
    timeline.finish().expect("a trace");
    took
}

/// An observer that is entered around each poll, and does nothing there.
fn captured() -> AioPool {
    struct Nothing(Arc<dyn TaskScope>);
    impl Observer for Nothing {
        fn capture(&self, _: &Submission<'_>) -> Option<Arc<dyn TaskScope>> {
            Some(self.0.clone())
        }
    }
    struct Scope;
    impl TaskScope for Scope {}
    let builder = AioPool::builder().size(AT_ONCE);
    let builder = builder.observer(Nothing(Arc::new(Scope)));
    builder.build().expect("a pool")
}

/// A rate that no task has to wait for.
fn limited() -> AioPool {
    let builder = AioPool::builder().size(AT_ONCE).rate(u32::MAX, ONE_SECOND);
    builder.build().expect("a pool")
}

/// A size that is measured and stays where it is.
fn adaptive() -> AioPool {
    let builder = AioPool::builder().size(AT_ONCE);
    let adaptive = Adaptive::gradient(AT_ONCE..=AT_ONCE);
    builder.adaptive(adaptive).build().expect("a pool")
}

fn bounded() -> AioPool {
    let builder = AioPool::builder().size(AT_ONCE).max_waiting(usize::MAX);
    builder.build().expect("a pool")
}

async fn run_in_place(n: usize) {
    let pool = AioPool::new(AT_ONCE);
    let mut sum = 0;
    for i in 0..n {
        sum += pool.run(async move { i }).await;
    }
    check(n, sum);
}

async fn acquire_in_place(n: usize) {
    let permits = Semaphore::new(AT_ONCE);
    let mut sum = 0;
    for i in 0..n {
        let _permit = permits.acquire().await;
        sum += async move { i }.await;
    }
    check(n, sum);
}

async fn exec(n: usize) {
    let pool = AioPool::new(AT_ONCE);
    let mut sum = 0;
    for i in 0..n {
        sum += pool
            .exec(async move { i })
            .await
            .expect("no task fails here");
    }
    check(n, sum);
}

async fn spawn_and_await(n: usize) {
    let mut sum = 0;
    for i in 0..n {
        let handle = tokio::spawn(async move { i });
        sum += handle.await.expect("no task fails here");
    }
    check(n, sum);
}
