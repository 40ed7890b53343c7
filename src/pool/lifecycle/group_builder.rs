use std::time::Duration;

use crate::error::GroupError;
use crate::pool::AioPool;
use crate::pool::core::parts::rate::Rate;

/// The settings of a group. Passed to the closures of [`AioPool::group_with`] and [`AioPool::keyed_with`].
///
/// By default a group has no rules of its own: its tasks take only permits of the pools around it, and any number of
/// them may wait.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let pool = aiopool::AioPool::new(100);
/// let uploads = pool.group_with("uploads", |group| group.size(2).max_waiting(50))?;
/// assert_eq!(uploads.size(), 2);
/// # Ok::<(), aiopool::GroupError>(())
/// # }).unwrap();
/// ```
#[must_use = "the closure returns it"]
#[derive(Debug)]
pub struct GroupBuilder {
    size: usize,
    max_waiting: Option<usize>,
    rate: Option<Rate>,
    spread: bool,
    share: u32,
}

/// The settings of a group, which can be used.
pub(crate) struct GroupSettings {
    pub(crate) size: usize,
    pub(crate) max_waiting: Option<usize>,
    pub(crate) rate: Option<Rate>,
    pub(crate) share: u32,
}

impl GroupBuilder {
    /// Runs the closure that sets the settings.
    pub(crate) fn settings(set: impl FnOnce(Self) -> Self) -> Result<GroupSettings, GroupError> {
        let default = Self {
            size: AioPool::UNBOUNDED,
            max_waiting: None,
            rate: None,
            spread: false,
            share: 1,
        };
        set(default).checked()
    }

    /// Sets how many tasks of the group run at once. By default, as many as the pools around it let run.
    pub fn size(mut self, size: usize) -> Self {
        self.size = size;
        self
    }

    /// Sets how many tasks of the group, and of the groups inside of it, may wait at once. By default, any number may
    /// wait.
    ///
    /// A task is rejected if it cannot start at once and its group, or any pool or group around it, is full by its own
    /// bound. So a bound for each tenant keeps a tenant that submits very much from filling the queue of the whole
    /// pool. Otherwise the bound is like the one of a pool: see [`Builder::max_waiting`](crate::Builder::max_waiting).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::future::pending;
    ///
    /// let pool = aiopool::AioPool::builder().size(1).max_waiting(256).build().unwrap();
    /// let tenant = |name: &str| pool.keyed_with(name, |group| group.size(4).max_waiting(64));
    /// let greedy = tenant("greedy");
    /// let waiting = greedy.map_n(0..1000, |_| pending::<()>());
    /// assert_eq!(greedy.waiting(), 64);               // one runs, 64 wait, the others were rejected
    /// let modest = tenant("modest").spawn_n(pending::<()>());
    /// assert!(!modest.is_finished());                 // another tenant's task waits
    /// # });
    /// ```
    pub fn max_waiting(mut self, waiting: usize) -> Self {
        self.max_waiting = Some(waiting);
        self
    }

    /// Limits how many tasks of the group, and of the groups inside of it, start in any interval of length `per`: for
    /// example, a rate for each host. By default, any number of them may start.
    ///
    /// A start counts in the rate of its group, and of each group and pool around it that has one. A group that has no
    /// start left holds up no others. Otherwise the rate is like the one of a pool: see
    /// [`Builder::rate`](crate::Builder::rate). In intervals of less than 50 ms the pool compensates for late timers here,
    /// too, as long as the starts that it waits for, of all groups together, come back 600 µs or more apart on average.
    /// Where they are closer, each may be late by up to 2 ms, as the timers of the runtime are.
    ///
    /// A group with a rate that is not in use any more, and its name, live until the interval of its last start is over. So
    /// a keyed group that comes back has no more starts than one that stays. Until then the timer of the pool keeps the
    /// pool alive.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::{Duration, Instant};
    ///
    /// let interval = Duration::from_millis(50);
    /// let pool = aiopool::AioPool::new(100);
    /// let host = |name: &str| pool.keyed_with(name, |group| group.size(4).rate(2, interval));
    /// let begun = Instant::now();
    /// let slow = host("a.example").map(0..6, |page| async move { page }).await;
    /// assert!(begun.elapsed() >= 2 * interval);
    /// assert_eq!(slow.len(), 6);
    /// # });
    /// ```
    pub fn rate(mut self, starts: u32, per: Duration) -> Self {
        self.rate = Some(Rate { starts, per });
        self
    }

    /// Sets whether the starts of the [`rate`](Self::rate) are kept apart, instead of coming in bursts. See
    /// [`Builder::spread`](crate::Builder::spread).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::{Duration, Instant};
    ///
    /// let second = Duration::from_secs(1);
    /// let pool = aiopool::AioPool::new(100);
    /// let host = pool.group_with("a.example", |group| group.rate(50, second).spread(true)).unwrap();
    /// let starts = host.map(0..4, |_| async { Instant::now() }).await;
    /// let starts: Vec<Instant> = starts.into_iter().map(Result::unwrap).collect();
    /// let mut pairs = starts.windows(2);
    /// assert!(pairs.all(|pair| pair[1] - pair[0] >= Duration::from_millis(20)));
    /// # });
    /// ```
    pub fn spread(mut self, on: bool) -> Self {
        self.spread = on;
        self
    }

    /// Sets how many of the turns the group has, in comparison with the other groups of a pool with
    /// [`fair_share`](crate::Builder::fair_share). The default is 1. In a pool without fair share it has no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::builder().size(1).fair_share(true).build().unwrap();
    /// let paid = pool.group_with("paid", |group| group.share(3)).unwrap();
    /// let free = pool.group("free", 1).unwrap();
    /// let (log, starts) = std::sync::mpsc::channel();
    /// for _ in 0..100 {
    ///     let (log_free, log_paid) = (log.clone(), log.clone());
    ///     free.spawn_n(async move { log_free.send("free") });
    ///     paid.spawn_n(async move { log_paid.send("paid") });
    /// }
    /// pool.join().await;
    /// let paid = starts.try_iter().take(40).filter(|group| *group == "paid").count();
    /// assert!((29..=31).contains(&paid)); // three of four
    /// # });
    /// ```
    pub fn share(mut self, share: u32) -> Self {
        self.share = share;
        self
    }

    fn checked(self) -> Result<GroupSettings, GroupError> {
        if self.size == 0 {
            return Err(GroupError::ZeroSize);
        }
        if self.share == 0 {
            return Err(GroupError::ZeroShare);
        }
        if self.rate.is_some_and(Rate::is_senseless) {
            return Err(GroupError::ZeroRate);
        }
        Ok(GroupSettings {
            size: self.size,
            max_waiting: self.max_waiting,
            rate: self.rate.map(|rate| rate.spread_if(self.spread)),
            share: self.share,
        })
    }
}
