//! The tasks, and what their handles have to say in the end.

use std::panic::panic_any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aiopool::{AioPool, Feed, JoinError, JoinHandle, Refusal, lend};
use futures::FutureExt;
use futures::future::BoxFuture;
use smol::future::yield_now;

use crate::census::{Census, Counted, What};
use crate::pools::{Place, Rules};
use crate::promises::{ON_PURPOSE, Promise, Promises};
use crate::random::Random;
use crate::runtime::within;

/// How long a handle may take to settle once nothing holds it up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How the future of a task ends, if nothing stops it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Value(u64),
    Panic,
    /// It goes on until it is stopped.
    Never,
}

impl End {
    pub(crate) fn random(random: &mut Random, rules: Rules) -> Self {
        match random.below(30) {
            0 => Self::Panic,
            // Without aborts, it would go on beyond the round.
            1 if rules.aborts => Self::Never,
            value => Self::Value(value),
        }
    }
}

/// A future that yields some times, and then ends.
pub(crate) async fn simple(mut counted: Counted, yields: u64, end: End) -> u64 {
    counted.run();
    for _ in 0..yields {
        yield_now().await;
    }
    match end {
        End::Value(value) => value,
        End::Panic => panic_any(ON_PURPOSE),
        End::Never => std::future::pending().await,
    }
}

/// A future that uses its own pool, in this way, before it ends.
pub(crate) fn nested(place: &Place, way: u64, end: End) -> BoxFuture<'static, u64> {
    let (pool, census) = (place.pool.clone(), place.census.clone());
    let mut counted = Counted::new(&census, What::Nested, 1);
    let inner = move |yields| {
        simple(
            Counted::new(&census, What::Task, 1),
            yields,
            End::Value(yields),
        )
    };
    async move {
        counted.run();
        counted.lending(nest(pool, inner, way)).await;
        simple(counted, 1, end).await
    }
    .boxed()
}

async fn nest<Fut>(pool: AioPool, inner: impl Fn(u64) -> Fut + Send + Clone + 'static, way: u64)
where
    Fut: Future<Output = u64> + Send + 'static,
{
    match way {
        0 => _ = pool.exec(inner(2)).await,
        1 => _ = pool.map(0..3, inner).await,
        2 => _ = lend(yield_now()).await,
        3 => _ = pool.spawn_n(inner(1)).await,
        4 => _ = pool.scope(async |tasks| tasks.exec(inner(1)).await).await,
        5 => _ = pool.feed(0..3, inner).await,
        6 => _ = pool.spawn(inner(1)).await.cancel().await,
        _ => _ = pool.try_map(0..3, move |n| inner(n).map(Ok::<_, ()>)).await,
    }
}

/// A handle, with what it may give.
pub(crate) struct Expected {
    pub(crate) handle: JoinHandle<u64>,
    pub(crate) end: End,
    pub(crate) may: May,
}

/// What may become of a task other than its own end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct May {
    pub(crate) cancel: bool,
    pub(crate) time_out: bool,
    pub(crate) be_full: bool,
    /// Its pool may have become too small for it just before.
    pub(crate) be_too_heavy: bool,
}

impl Expected {
    fn check(self, promises: &Promises, since: Instant) {
        let Self { handle, end, may } = self;
        let (name, state) = (handle.name().into_owned(), handle.state());
        let left = PATIENCE.saturating_sub(since.elapsed());
        let outcome = within(left.max(Duration::from_millis(100)), handle);
        promises.hold(Promise::Settles, outcome.is_some(), || {
            format!("{name}: {state:?}")
        });
        let outcome = outcome.expect("it was checked");
        check_outcome(&outcome, end, may, promises);
    }
}

pub(crate) fn check_outcome(
    outcome: &Result<u64, JoinError>,
    end: End,
    may: May,
    promises: &Promises,
) {
    let is_right = is_right(outcome, end, may);
    let what = || format!("{outcome:?} of a task that gives {end:?}, {may:?}");
    promises.hold(Promise::Outcome, is_right, what);
}

fn is_right(outcome: &Result<u64, JoinError>, end: End, may: May) -> bool {
    match (outcome, end) {
        (Ok(value), End::Value(own)) => *value == own,
        (Ok(_), End::Panic | End::Never) => false,
        (Err(error), End::Panic) if error.is_panic() => error.panic_message() == Some(ON_PURPOSE),
        (Err(error), _) => {
            error.is_cancelled() && may.cancel
                || error.is_timeout() && may.time_out
                || error.refusal() == Some(Refusal::Full) && may.be_full
                || error.refusal() == Some(Refusal::TooHeavy) && may.be_too_heavy
        }
    }
}

/// What a thread has started in a round, and has not awaited.
#[derive(Default)]
pub(crate) struct Tasks {
    pub(crate) handles: Vec<Expected>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) permits: Vec<Held>,
}

/// A permit that a thread holds.
pub(crate) struct Held {
    _counted: Counted,
    _permit: aiopool::Permit,
}

impl Held {
    pub(crate) fn new(permit: aiopool::Permit, census: &Arc<Census>) -> Self {
        let mut counted = Counted::new(census, What::Permit, 1);
        counted.run();
        Self {
            _counted: counted,
            _permit: permit,
        }
    }
}

impl Tasks {
    /// Gives back what tasks of other threads may wait for: permits, and tasks that do not end by themselves.
    pub(crate) fn let_others_go_on(&mut self) {
        self.permits.clear();
        let endless = |expected: &&Expected| matches!(expected.end, End::Never);
        let endless = self.handles.iter().filter(endless);
        endless.for_each(|expected| _ = expected.handle.abort());
    }

    /// Waits for everything that is left.
    pub(crate) fn settle(self, promises: &Promises) {
        let since = Instant::now();
        for expected in self.handles {
            expected.check(promises, since);
        }
        for feed in self.feeds {
            let shown = format!("{feed:?}");
            let report = within(PATIENCE, feed);
            promises.hold(Promise::Settles, report.is_some(), || shown);
        }
    }
}
