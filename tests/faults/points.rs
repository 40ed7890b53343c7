//! Await points of a single task.

use std::future::ready;
use std::pin::Pin;
use std::time::Duration;

use aiopool::{AioPool, JoinError, current, lend};

use crate::work::{Work, yield_now};

/// An await point of the crate.
pub(crate) struct Point {
    pub(crate) name: &'static str,
    pub(crate) make: fn(Stage) -> Awaiting,
    pub(crate) gives: Gives,
    pub(crate) from: Where,
}

pub(crate) type Awaiting = Pin<Box<dyn Future<Output = Vec<End>> + Send>>;

/// What a future has to do with.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) pool: AioPool,
    pub(crate) work: Work,
}

/// How a task has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Value,
    Panic,
    Cancelled,
    TimedOut,
    Rejected,
}

/// What comes of an await point, where tasks end as the fault says.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Gives {
    /// So many ends of tasks, or fewer if it gives up at the first failure.
    Ends(usize),
    /// One end, which another task has awaited.
    FromATask,
    /// The same, and it stops tasks itself, so that they are cancelled or time out.
    Stops(usize),
    /// The same, where the user's futures are polled in place: they are not stopped with the tasks.
    InPlace(usize),
}

/// Where it may be awaited.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Where {
    Anywhere,
    /// Not in a task, where it would wait for itself, as the docs say.
    Outside,
}

pub(crate) const MILLI: Duration = Duration::from_millis(1);

pub(crate) const fn point(name: &'static str, gives: Gives, make: fn(Stage) -> Awaiting) -> Point {
    Point {
        name,
        make,
        gives,
        from: Where::Anywhere,
    }
}

impl Point {
    pub(crate) const fn outside(self) -> Self {
        Self {
            from: Where::Outside,
            ..self
        }
    }
}

pub(crate) fn end<T>(result: Result<T, JoinError>) -> End {
    match result {
        Ok(_) => End::Value,
        Err(error) if error.is_panic() => End::Panic,
        Err(error) if error.is_cancelled() => End::Cancelled,
        Err(error) if error.is_timeout() => End::TimedOut,
        Err(error) if error.is_rejected() => End::Rejected,
        Err(error) => unreachable!("{error}"),
    }
}

pub(crate) fn one<T>(result: Result<T, JoinError>) -> Vec<End> {
    vec![end(result)]
}

pub(crate) fn ends<T>(results: impl IntoIterator<Item = Result<T, JoinError>>) -> Vec<End> {
    results.into_iter().map(end).collect()
}

pub(crate) const POINTS: &[Point] = &[
    point("spawn", Gives::Ends(1), |at| {
        Box::pin(async move { one(at.pool.spawn(at.work.future()).await.await) })
    }),
    point("exec", Gives::Ends(1), |at| {
        Box::pin(async move { one(at.pool.exec(at.work.future()).await) })
    }),
    point("a handle", Gives::Ends(1), |at| {
        Box::pin(async move { one(at.pool.spawn_n(at.work.future()).await) })
    }),
    point("a handle of try_spawn", Gives::Ends(1), |at| {
        Box::pin(async move {
            match at.pool.try_spawn(at.work.future()) {
                Ok(handle) => one(handle.await),
                Err(_) => vec![],
            }
        })
    }),
    point("a handle that aborts on drop", Gives::Ends(1), |at| {
        Box::pin(async move { one(at.pool.spawn_n(at.work.future()).abort_on_drop().await) })
    }),
    point("cancel of a handle", Gives::Stops(1), |at| {
        Box::pin(async move { one(at.pool.spawn_n(at.work.future()).cancel().await) })
    }),
    point("cancel of a handle, later", Gives::Stops(1), |at| {
        Box::pin(async move {
            let handle = at.pool.spawn(at.work.future()).await;
            yield_now().await;
            one(handle.cancel().await)
        })
    }),
    point("spawn of a builder", Gives::Ends(1), |at| {
        Box::pin(async move {
            let task = at.pool.task(at.work.future()).name("named").priority(3);
            one(task.spawn().await.await)
        })
    }),
    point("exec of a heavy task", Gives::Ends(1), |at| {
        Box::pin(async move { one(at.pool.task(at.work.future()).weight(2).exec().await) })
    }),
    point("a task with a timeout", Gives::Stops(1), |at| {
        Box::pin(async move {
            one(at
                .pool
                .task(at.work.future())
                .timeout(3 * MILLI)
                .exec()
                .await)
        })
    }),
    point("a task that may not wait long", Gives::Stops(1), |at| {
        Box::pin(async move {
            let busy = at.pool.map_n(0..2, |_| at.work.future());
            let task = at.pool.task(at.work.future()).wait_timeout(3 * MILLI);
            let mut all = one(task.exec().await);
            at.pool.abort_all();
            for handle in busy {
                all.push(end(handle.await));
            }
            all.truncate(1);
            all
        })
    }),
    point("a task with grace, cancelled", Gives::Stops(1), |at| {
        Box::pin(async move {
            let task = at.pool.task(at.work.future()).grace(3 * MILLI);
            one(task.spawn().await.cancel().await)
        })
    }),
    point("aborted", Gives::Stops(1), |at| {
        Box::pin(async move {
            let work = at.work.future();
            let waits = async move {
                let task = current().expect("it is in a task");
                task.aborted().await;
                work.await
            };
            one(at
                .pool
                .task(waits)
                .grace(3 * MILLI)
                .spawn()
                .await
                .cancel()
                .await)
        })
    }),
    point("then", Gives::Ends(1), |at| {
        Box::pin(async move {
            let second = at.work.future();
            let task = at.pool.task(at.work.future()).then(async move |first| {
                first.map_err(|error| error.to_string()).unwrap_or(0) + second.await
            });
            one(task.exec().await)
        })
    }),
    point("then, of blocking work", Gives::Stops(1), |at| {
        Box::pin(async move {
            let work = at.work.clone();
            let task = at
                .pool
                .task(at.work.future())
                .then_blocking(move |_| work.block());
            one(task.exec().await)
        })
    }),
    point("blocking work", Gives::Stops(1), |at| {
        Box::pin(async move {
            let work = at.work.clone();
            one(at.pool.spawn_blocking(move || work.block()).await)
        })
    }),
    point("a task that is tried again", Gives::Ends(1), |at| {
        Box::pin(async move {
            let work = at.work.clone();
            let function = move |attempt| {
                let work = work.future();
                async move {
                    let value = work.await;
                    if attempt < 3 { Err(value) } else { Ok(value) }
                }
            };
            one(at.pool.task_fn(function).retry([MILLI; 3]).exec().await)
        })
    }),
    point("a task that a signal stops", Gives::Stops(1), |at| {
        Box::pin(async move {
            let signal = at.work.future();
            let signal = async move { _ = signal.await };
            one(at
                .pool
                .task(at.work.future())
                .stop_when(signal)
                .exec()
                .await)
        })
    }),
    point("lend", Gives::Ends(1), |at| {
        Box::pin(async move {
            let work = at.work.future();
            one(at.pool.exec(async move { lend(work).await }).await)
        })
    }),
    point("lend, of a task", Gives::FromATask, |at| {
        Box::pin(async move {
            let (pool, work) = (at.pool.clone(), at.work.future());
            let outer = at
                .pool
                .exec(async move { end(lend(pool.exec(work)).await) });
            outer
                .await
                .map_or_else(|error| one::<()>(Err(error)), |inner| vec![inner])
        })
    }),
    point("exec in a group", Gives::Ends(1), |at| {
        Box::pin(async move {
            let group = at.pool.keyed("a", 1).keyed("b", 1);
            one(group.exec(at.work.future()).await)
        })
    }),
    point("exec after a hold", Gives::Ends(1), |at| {
        Box::pin(async move {
            let group = at.pool.keyed("held", 1);
            group.hold(2 * MILLI);
            one(group.exec(at.work.future()).await)
        })
    }),
    point("a task that awaits another", Gives::FromATask, |at| {
        Box::pin(async move {
            let inner = at.pool.spawn_n(at.work.future());
            let outer = at.pool.spawn_n(async move { end(inner.await) });
            outer
                .await
                .map_or_else(|error| one::<()>(Err(error)), |inner| vec![inner])
        })
    }),
    point("nothing of the pool", Gives::Ends(0), |_| {
        Box::pin(ready(vec![]))
    }),
];
