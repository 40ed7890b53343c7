use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::available_parallelism;
use std::time::Duration;

use crate::adaptive::Adaptive;
use crate::error::BuildError;
use crate::observe::{Observer, Watcher};
use crate::pool::AioPool;
use crate::pool::core::parts::rate::Rate;
use crate::pool::core::settings::Settings;
use crate::spawner::{Spawner, has_timer};

/// Builds a pool with more options than a size. Created by [`AioPool::builder`].
///
/// # Examples
///
/// ```
/// use aiopool::AioPool;
///
/// let pool = AioPool::builder().size(8).name("thumbnails").max_waiting(1000).build()?;
/// assert_eq!(pool.name(), "thumbnails");
/// assert_eq!(pool.size(), 8);
/// # Ok::<(), aiopool::BuildError>(())
/// ```
#[must_use = "it makes no pool until `build`"]
pub struct Builder {
    size: Option<usize>,
    name: Option<String>,
    spawner: Option<Box<dyn Spawner>>,
    max_waiting: Option<usize>,
    rate: Option<Rate>,
    spread: bool,
    fair_share: bool,
    timed: bool,
    watcher: Option<Watcher>,
    adaptive: Option<Adaptive>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            size: None,
            name: None,
            spawner: None,
            max_waiting: None,
            rate: None,
            spread: false,
            fair_share: false,
            timed: false,
            watcher: None,
            adaptive: None,
        }
    }

    /// Sets how many tasks run at once. The default is the number of threads that the machine runs at once.
    pub fn size(mut self, size: usize) -> Self {
        self.size = Some(size);
        self
    }

    /// Sets the name of the pool, from which its tasks get theirs. The default is `"AioPool-{n}"`, with a number of its
    /// own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets where the workers run. By default the runtime is found at the first spawn, as for [`AioPool::new`].
    pub fn spawner(mut self, spawner: impl Spawner) -> Self {
        self.spawner = Some(Box::new(spawner));
        self
    }

    /// Sets how many tasks may wait at once. Further tasks are rejected. By default, any number may wait.
    ///
    /// With 0, a task either starts at once or is rejected: where a [rate](Self::rate) has no start left, or during a
    /// [hold](AioPool::hold), too, since the task would have to wait. The tasks of all groups count. To keep one group from
    /// filling the queue, give each group a [bound of its own](crate::GroupBuilder::max_waiting).
    ///
    /// Methods that pull their items do not lose any item to this: [`map`](AioPool::map),
    /// [`try_map`](AioPool::try_map), [`itermap`](AioPool::itermap), and the same verbs over a stream, pull an item when
    /// there is room for its task. If there is none, each of them puts one task into the queue beyond
    /// the bound, which starts when it is the next. So does a [`feed`](AioPool::feed) that goes on, of a stream too, and so does code
    /// that waits [in place](AioPool::run).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::builder().size(1).max_waiting(1).build().unwrap();
    /// let _active = pool.spawn(std::future::pending::<()>()).await;
    /// let waits = pool.spawn_n(std::future::pending::<()>());
    /// assert!(!waits.is_finished());
    /// let refused = pool.spawn_n(async {});
    /// assert!(refused.await.unwrap_err().is_rejected());
    /// # });
    /// ```
    pub fn max_waiting(mut self, waiting: usize) -> Self {
        self.max_waiting = Some(waiting);
        self
    }

    /// Sets how many tasks may start in any interval of this length, however many permits are free. By default, there
    /// is no limit.
    ///
    /// The starts of an interval may all be made at its beginning, one right after the other: `rate(20, second)` lets
    /// twenty tasks start at once, and the next twenty a second later. That suits a server that counts requests in an
    /// interval, and gets the most out of its limit. For a server that counts smoothly, or that a burst would overload,
    /// [`spread`](Self::spread) keeps the starts apart.
    ///
    /// A task that waits for the rate stays in the queue and holds no permit of the pool; the order is kept. The rate
    /// covers the pool with all its groups, and [`run`](AioPool::run) and [`acquire`](AioPool::acquire) too. It counts
    /// starts of tasks: what a task does after its start is counted where the task calls
    /// [`throttle`](AioPool::throttle), and for each try of a [`retry`](crate::TaskBuilder::retry).
    ///
    /// A task starts when its future is first polled, and code in place starts when it has its permit. A start becomes
    /// free again when the interval after that poll is over, or at once if the future is dropped before that poll. No
    /// interval sees more first polls than this. The exception is a first poll that goes on for longer than the interval,
    /// since it blocks or since its thread is held up: its start becomes free when the interval after its beginning is over.
    ///
    /// A group may have a rate of its own: see [`GroupBuilder::rate`](crate::GroupBuilder::rate).
    ///
    /// The time is that of the runtime, so the runtime needs a timer. There is one timer for the whole pool, as long as
    /// tasks wait for the rate. If the runtime refuses or drops the timer while nothing is active, the intervals are over
    /// at once: otherwise nothing would start the tasks that wait.
    ///
    /// The timers of a runtime may be late by up to 2 ms; those of tokio count milliseconds. In intervals of less than
    /// 50 ms the pool compensates for that: a thread, `aiopool-rate`, sleeps for the time for which the runtime's
    /// timers are too coarse, and for the last 150 µs before a start the timer yields to the runtime again and again.
    /// At one start per millisecond this takes a quarter of a core. All pools share the thread, which ends when no pool
    /// has needed it for 100 ms. The time that is lost at a start is not made up for, since the interval after it would
    /// see a start too many: at one start per millisecond, about nine tenths of the rate are reached. A longer interval
    /// with more starts loses less.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::{Duration, Instant};
    ///
    /// let interval = Duration::from_millis(20);
    /// let pool = aiopool::AioPool::builder().size(100).rate(5, interval).build().unwrap();
    /// let begun = Instant::now();
    /// pool.map(0..15, |n| async move { n }).await;
    /// assert!(begun.elapsed() >= 2 * interval);
    /// # });
    /// ```
    pub fn rate(mut self, starts: u32, per: Duration) -> Self {
        self.rate = Some(Rate { starts, per });
        self
    }

    /// Sets whether the starts of the [`rate`](Self::rate) are kept apart, instead of coming in bursts.
    ///
    /// With `rate(20, second).spread(true)`, a task starts 50 ms after the one before it, or later. No interval sees more
    /// starts than without it, and a pool that had nothing to start does not make up for that.
    ///
    /// Use the rate as it is to get the full number of starts in each interval. If starts are spread, a start that is
    /// late delays all later ones, so that a little of that number is lost. Use `spread` where the server limits how close
    /// requests may be, or where bursts are worse than being a little slower.
    ///
    /// It has an effect together with a rate, before or after it. By default, starts are not kept apart.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::{Duration, Instant};
    ///
    /// let second = Duration::from_secs(1);
    /// let pool = aiopool::AioPool::builder().size(100).rate(100, second).spread(true).build().unwrap();
    /// let starts = pool.map(0..5, |_| async { Instant::now() }).await;
    /// let starts: Vec<Instant> = starts.into_iter().map(Result::unwrap).collect();
    /// let mut pairs = starts.windows(2);
    /// assert!(pairs.all(|pair| pair[1] - pair[0] >= Duration::from_millis(10)));
    /// # });
    /// ```
    pub fn spread(mut self, on: bool) -> Self {
        self.spread = on;
        self
    }

    /// Sets whether the groups of the pool start their tasks in turns. By default, the oldest task of all groups is the
    /// next, so that a tenant who submits very many tasks at once holds up the tasks that others submit later.
    ///
    /// With fair share, the groups that have tasks to start take turns, whatever the age of their tasks. Where groups
    /// wait for permits, a group whose [share](crate::GroupBuilder::share) is 2 starts twice as many tasks as one whose
    /// share is 1, and so do all other shares. A task of weight 3 counts as three tasks. The tasks that were submitted
    /// to the pool itself are one more member with the share 1. The same holds inside of each group, for its own tasks
    /// and its groups. A [`scope`](AioPool::scope) is a group with the share 1, too.
    ///
    /// - Inside of a group, tasks start by priority, and in the order of their submission. A priority matters only
    ///   there: it gives the group no more turns.
    /// - A group that has nothing to start, or is paused, or full by its own size, saves no turns: when it goes on, it
    ///   has its next turn with the others, and no more turns than they.
    /// - A group that has ended and is created again, as [`keyed`](AioPool::keyed) does, begins like a new one.
    /// - A [`feed_stream`](AioPool::feed_stream) whose stream has no item at its turn has had this turn.
    /// - A turn is a start. How long tasks run does not count. A task that takes back a permit that it had lent still
    ///   comes before new tasks.
    /// - As without fair share, a heavy task whose turn it is waits for its permits, and is not overtaken.
    ///
    /// A start takes time that grows with the logarithm of the number of groups that have tasks to start.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::builder().size(4).fair_share(true).build().unwrap();
    /// let flood = pool.keyed("greedy tenant", 4).map_n(0..10_000, |n| async move { n });
    /// let job = pool.keyed("modest tenant", 4).spawn_n(async { "done" });
    /// assert_eq!(job.await.unwrap(), "done");                 // it has the next turn
    /// assert!(!flood.last().unwrap().is_finished());
    /// # });
    /// ```
    pub fn fair_share(mut self, on: bool) -> Self {
        self.fair_share = on;
        self
    }

    /// Sets whether the pool takes the time at the submission and at the first poll of a task, for
    /// [`TaskInfo::waited`](crate::TaskInfo::waited) and [`running`](crate::TaskInfo::running).
    ///
    /// It goes by the clock of the runtime ([`Spawner::now`]), also where that is paused for a test.
    ///
    /// Off by default, since the clock costs more than everything else the pool does for a task. An observer turns it on,
    /// unless it only [captures](crate::Observer::capture).
    pub fn timed(mut self, timed: bool) -> Self {
        self.timed = timed;
        self
    }

    /// Adds an observer, which is told what happens to the tasks.
    ///
    /// A pool may have several, which are told in the order in which they were added. The scopes that they
    /// [capture](Observer::capture) stand inside each other, the first outermost.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    ///
    /// use aiopool::{AioPool, Ended, Observer, TaskInfo};
    ///
    /// struct Failures(Arc<AtomicUsize>);
    ///
    /// impl Observer for Failures {
    ///     fn on_end(&self, _: &TaskInfo, ended: Ended) {
    ///         self.0.fetch_add(usize::from(ended != Ended::Completed), Relaxed);
    ///     }
    /// }
    ///
    /// let failures = Arc::new(AtomicUsize::new(0));
    /// let pool = AioPool::builder().observer(Failures(failures.clone())).build().unwrap();
    /// pool.spawn_n(async { panic!("oh") }).await.unwrap_err();
    /// assert_eq!(failures.load(Relaxed), 1);
    /// # });
    /// ```
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.watcher = Some(Watcher::with(self.watcher, observer));
        self
    }

    /// Lets the size follow what the tasks run into: how long they take, and whether they fail.
    ///
    /// The [size](Self::size) of the builder is where it begins. A [`resize`](AioPool::resize) sets the size from which
    /// it goes on. A pool that shrinks starts nothing until fewer tasks are active than its size. Groups keep their
    /// sizes. What it has measured is in [`Stats::adaptive`](crate::Stats::adaptive).
    ///
    /// The time of a task is that from its first poll to its end, with the time for which it has lent its permit. The pool
    /// is [timed](Self::timed) for that. Code in place (`run`, `acquire`) and tasks that are cancelled do not count.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use aiopool::{Adaptive, AioPool, current};
    ///
    /// # async fn request(n: u32) -> u32 { if n % 50 == 0 { 503 } else { 200 } }
    /// let pool = AioPool::builder().size(10).adaptive(Adaptive::aimd(1..=100)).build().unwrap();
    /// pool.map(0..1000, |n| async move {
    ///     let status = request(n).await;
    ///     if status == 503 {
    ///         current().unwrap().report_overload();
    ///     }
    ///     status
    /// })
    /// .await;
    /// assert!((1..=100).contains(&pool.size()));
    /// assert!(pool.stats().adaptive.unwrap().decreases > 0);
    /// # });
    /// ```
    pub fn adaptive(mut self, adaptive: Adaptive) -> Self {
        self.adaptive = Some(adaptive);
        self
    }

    /// Builds the pool.
    ///
    /// # Errors
    ///
    /// [`BuildError::ZeroSize`] if the size is 0. To hold tasks back, [`pause`](AioPool::pause) the pool.
    /// [`BuildError::ZeroRate`] if the rate allows no starts, or its interval is empty.
    /// [`BuildError::NoTimer`] if there is a rate, and the spawner has no timer, or no runtime yet.
    /// [`BuildError::NoAdaptiveSize`] if there is no size within the bounds of an adaptive size.
    pub fn build(self) -> Result<AioPool, BuildError> {
        let size = self
            .size
            .unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
        if size == 0 {
            return Err(BuildError::ZeroSize);
        }
        if self.adaptive.as_ref().is_some_and(|rule| !rule.has_size()) {
            return Err(BuildError::NoAdaptiveSize);
        }
        self.check_rate()?;
        let rate = self.kept_rate();
        let settings = Settings {
            name: self.name.unwrap_or_else(default_name).into(),
            max_waiting: self.max_waiting,
            rate,
            fair_share: self.fair_share,
            timed: self.timed || self.adaptive.is_some(),
            watcher: self.watcher.map(Arc::new),
            adaptive: self.adaptive,
        };
        Ok(AioPool::assemble(size, settings, self.spawner))
    }
}

impl Builder {
    fn check_rate(&self) -> Result<(), BuildError> {
        let Some(rate) = self.rate else { return Ok(()) };
        if rate.is_senseless() {
            return Err(BuildError::ZeroRate);
        }
        match &self.spawner {
            Some(spawner) if !has_timer(&**spawner) => Err(BuildError::NoTimer),
            Some(_) | None => Ok(()),
        }
    }

    /// Returns the rate that the pool keeps.
    fn kept_rate(&self) -> Option<Rate> {
        self.rate.map(|rate| rate.spread_if(self.spread))
    }
}

fn default_name() -> String {
    static UNNAMED: AtomicU64 = AtomicU64::new(0);
    format!("AioPool-{}", UNNAMED.fetch_add(1, Relaxed))
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("size", &self.size)
            .field("name", &self.name)
            .field("max_waiting", &self.max_waiting)
            .field("rate", &self.rate)
            .field("spread", &self.spread)
            .field("fair_share", &self.fair_share)
            .field("timed", &self.timed)
            .finish_non_exhaustive()
    }
}
