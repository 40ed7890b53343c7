use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::available_parallelism;
use std::time::Duration;

use super::AioPool;
use super::rate::Rate;
use crate::error::BuildError;
use crate::observe::{Observer, Watcher};
use crate::spawner::Spawner;

/// What does not change in a pool.
pub(crate) struct Settings {
    pub(super) name: Arc<str>,
    /// How many may wait; `None` for any number.
    pub(super) max_waiting: Option<usize>,
    pub(super) rate: Option<Rate>,
    pub(super) timed: bool,
    pub(super) watcher: Option<Arc<Watcher>>,
}

impl Settings {
    /// The observer, unless it is known to hear of nothing.
    #[inline]
    pub(super) fn heard_by(&self) -> Option<&Arc<Watcher>> {
        self.watcher.as_ref().filter(|watcher| watcher.hears())
    }
}

/// Makes a pool with more than a size. Begun with [`AioPool::builder`].
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
    timed: bool,
    watcher: Option<Arc<Watcher>>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            size: None,
            name: None,
            spawner: None,
            max_waiting: None,
            rate: None,
            timed: false,
            watcher: None,
        }
    }

    /// How many tasks run at once. The default is the number of threads that the machine runs at once.
    pub fn size(mut self, size: usize) -> Self {
        self.size = Some(size);
        self
    }

    /// What the pool is called, and its tasks after it. The default is `"AioPool-{n}"`, with a number of its own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Where the workers run. By default the runtime is found at the first spawn, as for [`AioPool::new`].
    pub fn spawner(mut self, spawner: impl Spawner) -> Self {
        self.spawner = Some(Box::new(spawner));
        self
    }

    /// How many tasks may wait at once: those beyond are rejected. The default is any number.
    ///
    /// With 0, a task either starts at once or is rejected.
    ///
    /// The verbs that pull their items do not lose any to this: [`map`](AioPool::map), [`try_map`](AioPool::try_map),
    /// [`itermap`](AioPool::itermap) and [`itermap_stream`](AioPool::itermap_stream) pull an item when there is room for
    /// its task. Where there is none, each of them has one task in the queue beyond the bound, so that its turn comes: as
    /// a [`feed`](AioPool::feed) has that goes on, and whoever waits [in place](AioPool::run).
    pub fn max_waiting(mut self, waiting: usize) -> Self {
        self.max_waiting = Some(waiting);
        self
    }

    /// How many tasks may start in any interval of this length, however many permits are free. Default: no limit.
    ///
    /// A task that waits for the rate stands in the queue and holds no permit of the pool; order is kept. It
    /// holds for the pool with all its groups, and for [`run`](AioPool::run) and [`acquire`](AioPool::acquire) too.
    ///
    /// A task starts when its future is first polled, and code in place when it has its permit. A start comes back
    /// when the interval after that poll is over, or at once if the future is dropped before. No interval sees more
    /// first polls than this.
    ///
    /// The time is the runtime's, so it needs a timer. There is one for the whole pool, as long as tasks wait for the
    /// rate.
    ///
    /// The timers of a runtime may be late by up to 2 ms; those of tokio count milliseconds. In intervals of less than
    /// 50 ms the pool makes up for that: a thread, `aiopool-rate`, sleeps for what the runtime's timers are too coarse
    /// for, and for the last 150 µs before a start the timer yields to the runtime again and again. At a start a
    /// millisecond this takes a quarter of a core. All pools share the thread, which ends when none has needed it for
    /// 100 ms. What is lost at a start is not caught up with, since the interval after it would see a start too many:
    /// of a start a millisecond, about nine tenths are reached. A longer interval with more starts loses less.
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

    /// Whether the pool takes the time at a task's submission and start, for
    /// [`TaskInfo::waited`](crate::TaskInfo::waited) and [`running`](crate::TaskInfo::running).
    ///
    /// Off by default, since the clock costs more than the task otherwise does. An observer turns it on.
    pub fn timed(mut self, timed: bool) -> Self {
        self.timed = timed;
        self
    }

    /// Who is told what happens to the tasks.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.watcher = Some(Arc::new(Watcher::new(observer)));
        self
    }

    /// Makes the pool.
    ///
    /// # Errors
    ///
    /// [`BuildError::ZeroSize`] if the size is 0: to hold tasks back, [`pause`](AioPool::pause) the pool.
    /// [`BuildError::ZeroRate`] if the rate is of no starts, or its interval is empty.
    /// [`BuildError::NoTimer`] if there is a rate, and the spawner has no timer, or no runtime yet.
    pub fn build(self) -> Result<AioPool, BuildError> {
        let size = self
            .size
            .unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
        if size == 0 {
            return Err(BuildError::ZeroSize);
        }
        self.check_rate()?;
        let settings = Settings {
            name: self.name.unwrap_or_else(default_name).into(),
            max_waiting: self.max_waiting,
            rate: self.rate,
            timed: self.timed || self.watcher.is_some(),
            watcher: self.watcher,
        };
        Ok(AioPool::assemble(size, settings, self.spawner))
    }
}

impl Builder {
    fn check_rate(&self) -> Result<(), BuildError> {
        let Some(rate) = self.rate else { return Ok(()) };
        if rate.starts == 0 || rate.per.is_zero() {
            return Err(BuildError::ZeroRate);
        }
        match &self.spawner {
            Some(spawner) if !rate.is_kept_by(&**spawner) => Err(BuildError::NoTimer),
            Some(_) | None => Ok(()),
        }
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
            .field("timed", &self.timed)
            .finish_non_exhaustive()
    }
}
