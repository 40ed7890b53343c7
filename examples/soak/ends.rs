//! Ends: pools that are shut down, dropped, or lose their runtime. Every handle settles all the same.

use std::sync::Arc;
use std::time::Duration;

use aiopool::{AioPool, FnSpawner, JoinHandle, Refusal, Shutdown, Tokio, Worker};
use async_executor::Executor;
use futures::executor::block_on;
use futures::future::pending;
use smol::future::yield_now;

use crate::census::{Census, Counted, What};
use crate::pools::ended;
use crate::promises::{Promise, Promises};
use crate::random::Random;
use crate::runtime::{Runtime, tokio_runtime, within};
use crate::tasks::PATIENCE;

pub(crate) fn check(
    runtime: &Runtime,
    promises: &Arc<Promises>,
    seed: u64,
    goes_on: &dyn Fn() -> bool,
) {
    let mut random = Random::new(seed);
    while goes_on() {
        let size = 1 + random.below(4) as usize;
        let builder = runtime.builder().size(size);
        match random.below(4) {
            0 => end_of_tokio(promises, size, &mut random),
            1 => end_of_executor(promises, size, &mut random),
            2 => last_handle(
                promises,
                builder.build().expect("it has a size"),
                &mut random,
            ),
            _ => shutdown(
                promises,
                &builder.build().expect("it has a size"),
                &mut random,
            ),
        }
    }
}

/// Some tasks, a part of which never end by themselves.
struct Batch {
    census: Arc<Census>,
    handles: Vec<JoinHandle<()>>,
}

impl Batch {
    fn submit(promises: &Arc<Promises>, pool: &AioPool, random: &mut Random, never: bool) -> Self {
        let census = Census::new("ends", promises, None);
        let submit = |_| {
            let (mut counted, yields) = (Counted::new(&census, What::Task, 1), random.below(5));
            let is_endless = never && random.once_in(3);
            pool.keyed("group", 2).spawn_n(async move {
                counted.run();
                for _ in 0..yields {
                    yield_now().await;
                }
                if is_endless {
                    pending::<()>().await;
                }
            })
        };
        let handles = (0..30).map(submit).collect();
        Self { census, handles }
    }

    /// All handles settle, with one of these outcomes if not with a value, and no future is left.
    fn settle(
        self,
        promises: &Promises,
        by: &str,
        is_allowed: impl Fn(&aiopool::JoinError) -> bool,
    ) {
        for handle in self.handles {
            let name = handle.name().into_owned();
            let outcome = within(PATIENCE, handle);
            promises.hold(Promise::Settles, outcome.is_some(), || {
                format!("{name} after {by}")
            });
            let error = outcome.and_then(Result::err);
            let is_right = error.as_ref().is_none_or(&is_allowed);
            promises.hold(Promise::Outcome, is_right, || {
                format!("{error:?} after {by}")
            });
        }
        let alive = self.census.alive();
        promises.hold(Promise::Dropped, alive == 0, || {
            format!("{alive} after {by}")
        });
    }
}

fn is_end_of_runtime(error: &aiopool::JoinError) -> bool {
    error.is_cancelled() || error.refusal() == Some(Refusal::RuntimeGone)
}

fn end_of_tokio(promises: &Arc<Promises>, size: usize, random: &mut Random) {
    let runtime = tokio_runtime();
    let pool = AioPool::with_spawner(size, Tokio::handle(runtime.handle().clone()));
    let tasks = Batch::submit(promises, &pool, random, true);
    runtime.shutdown_background();
    tasks.settle(promises, "the end of a runtime", is_end_of_runtime);
    adds_up(promises, &pool);
}

fn end_of_executor(promises: &Arc<Promises>, size: usize, random: &mut Random) {
    let executor = Arc::new(Executor::new());
    let weak = Arc::downgrade(&executor);
    let spawner = FnSpawner(move |worker: Worker| {
        // Refused, once the executor is gone: the worker is dropped.
        if let Some(executor) = weak.upgrade() {
            executor.spawn(worker).detach();
        }
    });
    let pool = AioPool::with_spawner(size, spawner);
    let tasks = Batch::submit(promises, &pool, random, true);
    for _ in 0..random.below(100) {
        executor.try_tick();
    }
    drop(executor);
    tasks.settle(promises, "the end of an executor", is_end_of_runtime);
    adds_up(promises, &pool);
}

/// Its tasks run on without it.
fn last_handle(promises: &Arc<Promises>, pool: AioPool, random: &mut Random) {
    if random.once_in(2) {
        pool.pause();
    }
    let tasks = Batch::submit(promises, &pool, random, false);
    drop(pool);
    tasks.settle(promises, "the last handle of a pool was dropped", |_| false);
}

fn shutdown(promises: &Arc<Promises>, pool: &AioPool, random: &mut Random) {
    let patience = Duration::from_millis(random.below(5));
    let (how, never) = match random.below(5) {
        0 => (Shutdown::Drain, false),
        1 => (Shutdown::CancelWaiting, false),
        2 => (Shutdown::Deadline(patience), true),
        3 => (Shutdown::Grace(patience), true),
        _ => (Shutdown::CancelAll, true),
    };
    let tasks = Batch::submit(promises, pool, random, never);
    let report = within(PATIENCE, pool.shutdown(how));
    let by = format!("{how:?}: {report:?} of {pool:?}");
    promises.hold(
        Promise::Settles,
        report.is_some() && pool.is_empty(),
        || by.clone(),
    );
    let refused = block_on(pool.spawn_n(async {})).map_err(|error| error.refusal());
    let is_right = refused == Err(Some(Refusal::Closed));
    promises.hold(Promise::Outcome, is_right, || {
        format!("{refused:?} after {by}")
    });
    tasks.settle(promises, &by, |error| {
        error.is_cancelled() && !matches!(how, Shutdown::Drain)
    });
    adds_up(promises, pool);
}

fn adds_up(promises: &Promises, pool: &AioPool) {
    let stats = pool.stats();
    promises.hold(Promise::Counters, stats.submitted == ended(stats), || {
        format!("{stats:?}")
    });
}
