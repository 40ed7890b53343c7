//! The pools that the threads use, which live as long as the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use aiopool::{AioPool, Ended, Observer, Stats, TaskInfo};

use crate::census::Census;
use crate::promises::{Promise, Promises};
use crate::random::Random;
use crate::runtime::Runtime;

/// The highest size that a pool has.
const LARGEST: usize = 12;

/// What may happen in a round, besides tasks that come and go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) size: usize,
    pub(crate) aborts: bool,
    pub(crate) pauses: bool,
    pub(crate) resizes: bool,
}

impl Rules {
    pub(crate) fn random(random: &mut Random) -> Self {
        Self {
            size: 3 + random.below(LARGEST as u64 - 2) as usize,
            aborts: !random.once_in(3),
            pauses: random.once_in(2),
            resizes: random.once_in(2),
        }
    }

    pub(crate) fn other_size(random: &mut Random) -> usize {
        1 + random.below(LARGEST as u64) as usize
    }
}

/// A pool or group to submit to.
pub(crate) struct Place {
    pub(crate) pool: AioPool,
    pub(crate) census: Arc<Census>,
    /// Whether its queue has a bound.
    pub(crate) may_be_full: bool,
    pub(crate) is_root: bool,
}

/// A pool, and the censuses of the groups that it has now and then.
pub(crate) struct Whole {
    pub(crate) pool: AioPool,
    pub(crate) census: Arc<Census>,
    one: Arc<Census>,
    two: Arc<Census>,
    inside: Arc<Census>,
    may_be_full: bool,
}

pub(crate) struct Pools {
    pub(crate) promises: Arc<Promises>,
    pub(crate) wholes: Vec<Whole>,
    pub(crate) callbacks: Callbacks,
    /// Number of ends that the observer of the last pool was told of.
    pub(crate) observed: Arc<AtomicU64>,
}

/// How many callbacks were given to tasks, and how many were called.
#[derive(Clone, Default)]
pub(crate) struct Callbacks {
    pub(crate) given: Arc<AtomicU64>,
    pub(crate) called: Arc<AtomicU64>,
}

/// Counts the ends of which it is told.
struct Counting(Arc<AtomicU64>);

impl Observer for Counting {
    fn on_end(&self, _: &TaskInfo, _: Ended) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Pools {
    pub(crate) fn new(runtime: &Runtime, promises: &Arc<Promises>) -> Self {
        let ends = Arc::default();
        let limited = runtime.builder().name("limited").max_waiting(300);
        let observed = runtime.builder().name("observed").timed(true);
        let builders = [
            ("plain", runtime.builder().name("plain")),
            ("fair", runtime.builder().name("fair").fair_share(true)),
            ("limited", limited.rate(300, Duration::from_millis(10))),
            ("observed", observed.observer(Counting(Arc::clone(&ends)))),
        ];
        let wholes = builders.into_iter().map(|(name, builder)| {
            let pool = builder
                .size(LARGEST)
                .build()
                .expect("its options are right");
            Whole::new(name, pool, promises)
        });
        Self {
            promises: promises.clone(),
            wholes: wholes.collect(),
            callbacks: Callbacks::default(),
            observed: ends,
        }
    }

    /// Number of tasks that were submitted since the beginning.
    pub(crate) fn submitted(&self) -> u64 {
        let counts = self.wholes.iter().map(|whole| whole.pool.stats().submitted);
        counts.sum()
    }

    pub(crate) fn begin_round(&self, rules: Rules) {
        for whole in &self.wholes {
            whole.pool.resize(rules.size).expect("it is not 0");
            whole
                .census
                .set_limit(if rules.resizes { LARGEST } else { rules.size });
        }
    }

    /// Lets everything run to its end.
    pub(crate) fn end_round(&self) {
        for whole in &self.wholes {
            for group in whole.pool.groups() {
                group.groups().iter().for_each(AioPool::resume);
                group.resume();
            }
            whole.pool.resume();
        }
    }

    /// Looks at the pools all the time.
    pub(crate) fn watch(&self, rules: Rules, goes_on: &dyn Fn() -> bool) {
        let mut before: Vec<Stats> = self.wholes.iter().map(|whole| whole.pool.stats()).collect();
        while goes_on() {
            for (whole, before) in self.wholes.iter().zip(&mut before) {
                let active = whole.pool.active();
                let is_right = rules.resizes || active <= rules.size;
                let what = || format!("{active} of {:?}", whole.pool);
                self.promises.hold(Promise::Size, is_right, what);
                let stats = whole.pool.stats();
                let is_right = ended(stats) <= stats.submitted && has_grown(*before, stats);
                let what = || format!("{before:?}, then {stats:?}");
                self.promises.hold(Promise::Counters, is_right, what);
                *before = stats;
            }
            thread::sleep(Duration::from_micros(200));
        }
    }
}

/// The sum of the counts of ends.
pub(crate) fn ended(stats: Stats) -> u64 {
    stats.completed + stats.panicked + stats.cancelled + stats.timed_out + stats.rejected
}

fn has_grown(before: Stats, after: Stats) -> bool {
    let counts = |stats: Stats| {
        let ends = [
            stats.completed,
            stats.panicked,
            stats.cancelled,
            stats.timed_out,
        ];
        let others = [
            stats.submitted,
            stats.started,
            stats.rejected,
            stats.refused,
        ];
        ends.into_iter().chain(others).chain([stats.retries])
    };
    counts(before)
        .zip(counts(after))
        .all(|(before, after)| before <= after)
}

impl Whole {
    fn new(name: &'static str, pool: AioPool, promises: &Arc<Promises>) -> Self {
        let census = Census::new(name, promises, None);
        let [one, two] = ["one", "two"].map(|name| Census::new(name, promises, Some(&census)));
        let inside = Census::new("inside", promises, Some(&two));
        one.set_limit(1);
        two.set_limit(2);
        inside.set_limit(2);
        Self {
            pool,
            census,
            one,
            two,
            inside,
            may_be_full: name == "limited",
        }
    }

    /// Returns the pool itself, or one of its groups, which may have to be made for that.
    pub(crate) fn place(&self, random: &mut Random) -> Place {
        let two = || {
            self.pool
                .keyed_with("two", |group| group.size(2).share(3).max_waiting(20))
        };
        let which = random.below(6);
        let (pool, census, has_bound) = match which {
            0 => (self.pool.keyed("one", 1), &self.one, false),
            1 => (two(), &self.two, true),
            2 => (two().keyed("inside", 2), &self.inside, true),
            // One of many groups, of which most are gone before they are used again.
            3 => (
                self.pool.keyed(format!("tenant {}", random.below(40)), 3),
                &self.census,
                false,
            ),
            _ => (self.pool.clone(), &self.census, false),
        };
        Place {
            pool,
            census: census.clone(),
            may_be_full: has_bound || self.may_be_full,
            is_root: which > 3,
        }
    }
}
