use std::time::Duration;

use crate::pool::submit::extras::TaskExtras;
use crate::pool::submit::tries::{Rules, Tries};
use crate::pool::{AioPool, TaskBuilder};
use crate::task::Body;

/// Tasks that are tried again while they fail.
impl AioPool {
    /// Returns a [`TaskBuilder`] for a task that can be tried again: `function` makes the future of each try. Its
    /// argument is the number of the try, from 1.
    ///
    /// With [`retry`](TaskBuilder::retry), the task is tried again while it fails. Without it, the function is called
    /// once. The function is called when the task starts, not before. A panic of the function or of a try is the end of
    /// the task: it is not tried again.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let task = pool.task_fn(|attempt| async move {
    ///     if attempt < 3 { Err("busy") } else { Ok(attempt) }
    /// });
    /// let retried = task.name("report").retry([Duration::from_millis(1); 5]).exec().await.unwrap();
    /// assert_eq!(retried, Ok(3));
    /// # });
    /// ```
    #[track_caller]
    pub fn task_fn<F, Fut, T, E>(&self, function: F) -> TaskBuilder<'_, Tries<Fut>>
    where
        F: FnMut(u32) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let tries = Tries::new(function, self.core().me());
        TaskBuilder::new(self, Body::boxed(tries, TaskExtras::default()))
    }
}

/// When a task of [`task_fn`](AioPool::task_fn) is tried again.
impl<Fut, T, E> TaskBuilder<'_, Tries<Fut>>
where
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// Tries the task again while it fails: after each of these delays once. When no delay is left, the error of the
    /// last try is the result.
    ///
    /// So `[delay; 3]` makes up to four tries. The delays may come from any iterator: from `std::iter::repeat` for
    /// tries without end, or from a crate that computes them, such as `backon` in the example. The iterator is advanced
    /// when a try has failed.
    ///
    /// While the task waits for its next try, it lends its permit, as [`lend`](fn@crate::lend) does: it counts as
    /// waiting, other tasks run, and it comes before all tasks that have not started when it wants its permit back.
    /// Each further try takes a start of the pool's [rate](crate::Builder::rate), as
    /// [`throttle`](AioPool::throttle) does, and [`Stats::retries`](crate::Stats::retries) counts it.
    ///
    /// The task is one task for everything else: an abort ends it at once, also between two tries, and its
    /// [`timeout`](Self::timeout) covers all its tries and delays. A task with a [`grace`](Self::grace) that is aborted
    /// makes no further try: it ends with the error of its last try. A panic ends the task.
    ///
    /// # Panics
    ///
    /// Submitting the task panics if the runtime has no timer.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use backon::{BackoffBuilder, ExponentialBuilder};
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let delays = ExponentialBuilder::default()
    ///     .with_min_delay(Duration::from_millis(1))
    ///     .with_max_times(2)
    ///     .build();
    /// let fails = pool.task_fn(|attempt| async move { Err::<(), _>(attempt) });
    /// assert_eq!(fails.retry(delays).exec().await.unwrap(), Err(3));
    /// # });
    /// ```
    pub fn retry<I>(mut self, delays: I) -> Self
    where
        I: IntoIterator<Item = Duration>,
        I::IntoIter: Send + 'static,
    {
        self.rules_mut().set_delays(delays.into_iter());
        self
    }

    /// Tries the task again only after errors that `is_worth` returns `true` for. After any other error the task ends
    /// with it. By default, every error is worth another try.
    ///
    /// This has an effect together with [`retry`](Self::retry), before or after it.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let task = pool.task_fn(|attempt| async move {
    ///     Err::<(), _>(if attempt == 1 { "connection reset" } else { "not found" })
    /// });
    /// let task = task.retry([Duration::ZERO; 9]).retry_when(|error| *error != "not found");
    /// assert_eq!(task.exec().await.unwrap(), Err("not found"));
    /// # });
    /// ```
    pub fn retry_when(mut self, mut is_worth: impl FnMut(&E) -> bool + Send + 'static) -> Self {
        let is_worth = move |result: &Result<T, E>| result.as_ref().is_err_and(&mut is_worth);
        self.rules_mut().set_worth(Box::new(is_worth));
        self
    }

    /// Waits as long as the error asks for, where `asked` returns a time: what a server says in `Retry-After`, for
    /// example. Where it returns `None`, the task waits for the delay that it has from [`retry`](Self::retry).
    ///
    /// The number of tries stays the same: the delay from `retry` is used up in both cases.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// struct TooMany { retry_after: Option<Duration> }
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let task = pool.task_fn(|attempt| async move {
    ///     let retry_after = Some(Duration::from_millis(1));
    ///     if attempt == 1 { Err(TooMany { retry_after }) } else { Ok("here you are") }
    /// });
    /// let task = task.retry([Duration::from_secs(60); 3]).retry_after(|error| error.retry_after);
    /// assert!(task.exec().await.unwrap().is_ok()); // a millisecond later
    /// # });
    /// ```
    pub fn retry_after(
        mut self,
        mut asked: impl FnMut(&E) -> Option<Duration> + Send + 'static,
    ) -> Self {
        let asked = move |result: &Result<T, E>| result.as_ref().err().and_then(&mut asked);
        self.rules_mut().set_request(Box::new(asked));
        self
    }

    /// Limits how long each try may take. A try that takes longer is dropped, and has failed with the error that
    /// `error` returns.
    ///
    /// If the result of the try is ready when the end of the limit is noticed, the result wins. To limit all tries and
    /// delays together, use [`timeout`](Self::timeout).
    ///
    /// # Panics
    ///
    /// Submitting the task panics if the runtime has no timer.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// let pool = aiopool::AioPool::new(4);
    /// let task = pool.task_fn(|attempt| async move {
    ///     if attempt == 1 {
    ///         std::future::pending::<()>().await;
    ///     }
    ///     Ok::<_, &str>(attempt)
    /// });
    /// let task = task.try_timeout(Duration::from_millis(5), || "no answer");
    /// assert_eq!(task.retry([Duration::ZERO]).exec().await.unwrap(), Ok(2));
    /// # });
    /// ```
    pub fn try_timeout(
        mut self,
        time: Duration,
        mut error: impl FnMut() -> E + Send + 'static,
    ) -> Self {
        self.rules_mut().set_limit(time, move || Err(error()));
        self
    }

    fn rules_mut(&mut self) -> &mut Rules<Result<T, E>> {
        self.require_timer();
        self.future_mut().rules_mut()
    }
}
