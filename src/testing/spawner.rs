use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::flag::Flag;
use super::timer::Timer;
use super::workers::Workers;
use crate::pool::{AioPool, Builder};
use crate::spawner::{Blocking, Spawner};
use crate::worker::Worker;

/// A runtime without a thread, which a test drives by hand.
///
/// Workers are polled when the test calls [`run`](Self::run) or [`step`](Self::step), in the order in which they came, on
/// the thread of the caller. So a test runs in the same order each time. Blocking work runs there, too: blocking work that
/// waits for another task of the test would wait forever.
///
/// Its clock stands still until the test calls [`advance`](Self::advance) or [`skip`](Self::skip). Timeouts, delays,
/// holds, the times of tasks, and rates go by it. Only a [rate](crate::Builder::rate) with an interval of less than 50 ms
/// also uses the machine's clock.
///
/// Clones are the same runtime. When the last one and all pools that use it are gone, its workers are dropped.
///
/// # Examples
///
/// ```
/// use aiopool::testing::ManualSpawner;
///
/// let (spawner, pool) = ManualSpawner::pool(2);
/// let handle = pool.spawn_n(async { 1 + 1 });
/// assert!(!handle.is_finished());              // nothing runs by itself
/// spawner.run();
/// assert!(handle.is_finished());
/// assert_eq!(spawner.run_until(handle).unwrap(), 2);
/// ```
#[derive(Clone)]
pub struct ManualSpawner {
    runtime: Arc<Runtime>,
}

struct Runtime {
    workers: Workers,
    /// `None` if the runtime has no timer. Then it goes by the machine's clock.
    clock: Option<Arc<Clock>>,
    is_shut_down: AtomicBool,
}

impl ManualSpawner {
    /// Makes a runtime with a clock, which shows the present time.
    pub fn new() -> Self {
        Self::with_clock(Some(Arc::new(Clock::new())))
    }

    /// Makes a runtime without a timer, which goes by the machine's clock: as [`FnSpawner`](crate::FnSpawner) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::{AioPool, BuildError};
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let spawner = ManualSpawner::without_timer();
    /// let rate = spawner.builder().size(2).rate(10, std::time::Duration::from_secs(1));
    /// assert!(matches!(rate.build(), Err(BuildError::NoTimer)));
    /// ```
    pub fn without_timer() -> Self {
        Self::with_clock(None)
    }

    fn with_clock(clock: Option<Arc<Clock>>) -> Self {
        Self {
            runtime: Arc::new(Runtime {
                workers: Workers::default(),
                clock,
                is_shut_down: AtomicBool::new(false),
            }),
        }
    }

    /// Makes a runtime, and a pool of this size on it.
    ///
    /// # Panics
    ///
    /// Panics if `size` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let (spawner, pool) = ManualSpawner::pool(1);
    /// let handles = pool.map_n([1, 2], |n| async move { n });
    /// assert_eq!((pool.active(), pool.waiting()), (1, 1));
    /// spawner.run();
    /// assert!(handles.iter().all(|handle| handle.is_finished()));
    /// ```
    #[track_caller]
    pub fn pool(size: usize) -> (Self, AioPool) {
        let spawner = Self::new();
        let pool = AioPool::with_spawner(size, spawner.clone());
        (spawner, pool)
    }

    /// Returns a builder for a pool on this runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let spawner = ManualSpawner::new();
    /// let pool = spawner.builder().size(4).name("thumbnails").timed(true).build().unwrap();
    /// assert_eq!(pool.name(), "thumbnails");
    /// ```
    pub fn builder(&self) -> Builder {
        AioPool::builder().spawner(self.clone())
    }

    /// Polls each worker once that has been woken, and runs the blocking work that has come. Returns `true` if there was
    /// anything to do.
    ///
    /// A worker may run several tasks in one poll, one after the other.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::{ManualSpawner, Probe};
    ///
    /// let (spawner, pool) = ManualSpawner::pool(1);
    /// let probe = Probe::new();
    /// pool.spawn_n(probe.task(()));
    /// assert!(spawner.step());
    /// assert!(!spawner.step());                    // nothing was woken
    /// probe.end();
    /// assert!(spawner.step());
    /// ```
    pub fn step(&self) -> bool {
        self.runtime.workers.step()
    }

    /// Calls [`step`](Self::step) until there is nothing to do.
    ///
    /// A task that wakes itself again and again keeps this from returning: use `step` then. The clock does not move.
    pub fn run(&self) {
        while self.step() {}
    }

    /// Polls `future` and the workers in turn until the future is ready, and returns its value.
    ///
    /// The future is polled when it is woken, as by a runtime. It need not be `Send`, and may borrow. The clock does not
    /// move.
    ///
    /// # Panics
    ///
    /// Panics if the future is not ready and nothing has been woken: nothing that this runtime runs would ever make it
    /// ready. The message says how many workers and timers wait. Other threads are not waited for.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let (spawner, pool) = ManualSpawner::pool(2);
    /// let squares = pool.map(1..=3, |n| async move { n * n });
    /// let squares = spawner.run_until(squares).into_iter().map(Result::unwrap);
    /// assert_eq!(squares.sum::<i32>(), 14);
    /// ```
    ///
    /// A deadlock is a failure with a message, in place of a hang:
    ///
    /// ```should_panic
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let (spawner, pool) = ManualSpawner::pool(1);
    /// let permit = spawner.run_until(pool.acquire());
    /// spawner.run_until(pool.acquire());           // panics: the permit is held above
    /// # drop(permit);
    /// ```
    #[track_caller]
    pub fn run_until<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let is_woken = Flag::set();
        loop {
            let polled = is_woken.take().then(|| poll(future.as_mut(), &is_woken));
            if let Some(Poll::Ready(output)) = polled {
                return output;
            }
            let is_stalled = !self.step() && !is_woken.is_set();
            assert!(!is_stalled, "the future is never ready: {self:?}");
        }
    }

    /// Moves the clock on, and runs the workers: first at the present time, then at each time at which a timer ends, and
    /// at last at the end of `time`.
    ///
    /// # Panics
    ///
    /// Panics if the runtime was made [without a timer](Self::without_timer).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let second = Duration::from_secs(1);
    /// let spawner = ManualSpawner::new();
    /// let pool = spawner.builder().size(8).rate(2, second).build().unwrap();
    /// pool.feed(0..10, |_| async {});
    /// spawner.advance(second / 2);
    /// assert_eq!(pool.stats().completed, 2);
    /// spawner.advance(3 * second);                 // three more intervals have begun
    /// assert_eq!(pool.stats().completed, 8);
    /// ```
    #[track_caller]
    pub fn advance(&self, time: Duration) {
        let clock = self.clock();
        let end = later(clock, time);
        self.run();
        while let Some(next) = clock.next_until(end) {
            clock.move_to(next);
            self.run();
        }
        clock.move_to(end);
    }

    /// Moves the clock on, and polls nothing: as if the thread of the runtime had been busy for so long.
    ///
    /// The timers that have ended meanwhile are woken. The next [`run`](Self::run) sees all of them late.
    ///
    /// # Panics
    ///
    /// Panics if the runtime was made [without a timer](Self::without_timer).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let spawner = ManualSpawner::new();
    /// let pool = spawner.builder().size(1).timed(true).build().unwrap();
    /// pool.spawn_n(std::future::pending::<()>());
    /// spawner.skip(Duration::from_secs(7));
    /// assert_eq!(pool.tasks()[0].waited, Some(Duration::from_secs(7)));
    /// ```
    #[track_caller]
    pub fn skip(&self, time: Duration) {
        let clock = self.clock();
        clock.move_to(later(clock, time));
    }

    /// Returns a timer for a task of the test, which ends when the clock has been moved on by `duration`.
    ///
    /// # Panics
    ///
    /// Panics if the runtime was made [without a timer](Self::without_timer).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let (spawner, pool) = ManualSpawner::pool(1);
    /// let handle = pool.spawn_n(spawner.timer(Duration::from_secs(2)));
    /// spawner.advance(Duration::from_secs(1));
    /// assert!(!handle.is_finished());
    /// spawner.advance(Duration::from_secs(1));
    /// assert!(handle.is_finished());
    /// ```
    #[track_caller]
    pub fn timer(&self, duration: Duration) -> Timer {
        let clock = self.clock();
        Timer::new(clock.clone(), clock.key_after(duration))
    }

    /// Returns how many workers live: those that have not been polled to their end, and were not dropped.
    ///
    /// An active task has a worker. The timer of a pool is one, too. A worker without a task stays for a moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let (spawner, pool) = ManualSpawner::pool(2);
    /// pool.map_n(0..1000, |_| async {});
    /// assert_eq!(spawner.workers(), 2);            // a task that waits has none
    /// spawner.run();
    /// assert_eq!(spawner.workers(), 0);
    /// ```
    pub fn workers(&self) -> usize {
        self.runtime.workers.len()
    }

    /// Returns how many timers wait: those that have been polled, and have not ended or been dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use aiopool::testing::ManualSpawner;
    ///
    /// let (spawner, pool) = ManualSpawner::pool(1);
    /// let task = pool.task(std::future::pending::<()>()).timeout(Duration::from_secs(1));
    /// let handle = task.spawn_n();
    /// spawner.run();
    /// assert_eq!(spawner.timers(), 1);
    /// spawner.advance(Duration::from_secs(1));
    /// assert_eq!(spawner.timers(), 0);
    /// # assert!(handle.is_finished());
    /// ```
    pub fn timers(&self) -> usize {
        let clock = self.runtime.clock.as_ref();
        clock.map_or(0, |clock| clock.waiting())
    }

    /// Drops the worker whose turn is next, and no other: as an executor does that cancels one of its tasks. Returns
    /// `false` if there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::{ManualSpawner, Probe};
    ///
    /// let (spawner, pool) = ManualSpawner::pool(1);
    /// let handle = pool.spawn_n(Probe::new().task(()));
    /// let next = pool.spawn_n(async { "next" });
    /// spawner.run();
    /// assert!(spawner.drop_worker());
    /// assert!(spawner.run_until(handle).unwrap_err().is_cancelled());
    /// assert_eq!(spawner.run_until(next).unwrap(), "next");
    /// ```
    pub fn drop_worker(&self) -> bool {
        self.runtime.workers.drop_one()
    }

    /// Drops all workers, and those that come meanwhile. Workers that come later are polled.
    pub fn drop_workers(&self) {
        while self.drop_worker() {}
    }

    /// Ends the runtime: drops all workers and blocking work, and from now on each that it is given.
    ///
    /// So do tokio's runtimes at their end. Every task of the pool settles then.
    ///
    /// # Examples
    ///
    /// ```
    /// use aiopool::testing::{ManualSpawner, Probe, assert_idle, assert_settled};
    ///
    /// let (spawner, pool) = ManualSpawner::pool(1);
    /// let active = pool.spawn_n(Probe::new().task(()));
    /// let waiting = pool.spawn_n(async {});
    /// spawner.run();
    /// spawner.shut_down();
    /// let late = pool.spawn_n(async {});
    /// assert_settled([&active, &waiting, &late]);
    /// assert_idle(&pool);
    /// ```
    pub fn shut_down(&self) {
        self.runtime.is_shut_down.store(true, SeqCst);
        self.runtime.workers.drop_blocking();
        self.drop_workers();
    }

    fn is_shut_down(&self) -> bool {
        self.runtime.is_shut_down.load(SeqCst)
    }

    #[track_caller]
    fn clock(&self) -> &Arc<Clock> {
        let clock = self.runtime.clock.as_ref();
        clock.expect("the runtime has no clock: make it by `ManualSpawner::new`")
    }
}

fn poll<F: Future>(future: Pin<&mut F>, is_woken: &Arc<Flag>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&is_woken.waker()))
}

#[track_caller]
fn later(clock: &Clock, time: Duration) -> Instant {
    let later = clock.now().checked_add(time);
    later.expect("the clock does not go so far")
}

impl Default for ManualSpawner {
    fn default() -> Self {
        Self::new()
    }
}

impl Spawner for ManualSpawner {
    fn spawn(&self, worker: Worker) {
        if !self.is_shut_down() {
            self.runtime.workers.add(worker);
        }
    }

    fn spawn_blocking(&self, work: Blocking) {
        if !self.is_shut_down() {
            self.runtime.workers.add_blocking(work);
        }
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        self.runtime.clock.as_ref()?;
        Some(Box::pin(self.timer(duration)))
    }

    fn now(&self) -> Instant {
        let clock = self.runtime.clock.as_ref();
        clock.map_or_else(Instant::now, |clock| clock.now())
    }
}

impl fmt::Debug for ManualSpawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualSpawner")
            .field("workers", &self.workers())
            .field("woken", &self.runtime.workers.woken())
            .field("timers", &self.timers())
            .field("is_shut_down", &self.is_shut_down())
            .finish()
    }
}
