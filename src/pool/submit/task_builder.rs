use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::error::TrySpawnError;
use crate::gate::Demand;
use crate::observe::Origin;
use crate::pool::AioPool;
use crate::pool::core::order::{Order, Patience};
use crate::pool::core::parts::blocks::Blocks;
use crate::pool::core::watch::Watch;
use crate::pool::submit::blocking_work::BlockingWork;
use crate::pool::submit::equipment::Equipment;
use crate::pool::submit::extras::TaskExtras;
use crate::pool::submit::options::TaskOptions;
use crate::pool::submit::rejected::Rejected;
use crate::pool::submit::starting::Starting;
use crate::pool::submit::stop_signal::StopSignal;
use crate::pool::submit::then::{Hop, Then};
use crate::task::{Body, JoinError, JoinHandle, Start, Tag, TaskId};

/// A task with options, before its submission. Returned by [`AioPool::task`] and [`AioPool::task_fn`].
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use std::time::Duration;
///
/// let pool = aiopool::AioPool::new(4);
/// let handle = pool
///     .task(async { "a thumbnail" })
///     .name("thumbnail 7")
///     .priority(10)
///     .timeout(Duration::from_secs(30))
///     .spawn_n();
/// assert_eq!(handle.name(), "thumbnail 7");
/// assert_eq!(handle.await.unwrap(), "a thumbnail");
/// # });
/// ```
#[must_use = "a task does nothing until one of the `spawn`s or `exec`"]
pub struct TaskBuilder<'p, F: Future> {
    pool: &'p AioPool,
    /// Boxed from the beginning: otherwise a large future would move with the builder, at each call on it.
    body: Box<Body<F, TaskExtras>>,
    options: TaskOptions,
    /// Where the builder was made.
    location: &'static Location<'static>,
    /// Where the last stage of the future runs.
    last: Stage,
}

/// Where a stage of a task's future runs: at the worker, or on a thread that it may block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Async,
    Blocking,
}

impl<'p, F> TaskBuilder<'p, F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[inline]
    #[track_caller]
    pub(crate) fn new(pool: &'p AioPool, body: Box<Body<F, TaskExtras>>) -> Self {
        Self {
            pool,
            body,
            options: TaskOptions::default(),
            location: Location::caller(),
            last: Stage::Async,
        }
    }

    /// Makes the builder of a task whose future blocks.
    pub(crate) fn blocking(mut self) -> Self {
        self.options.blocks = Some(Blocks::AtFirstPoll);
        self.last = Stage::Blocking;
        self
    }

    /// Sets the name of the task, in place of `"{pool}-{id}"`. Names need not be unique.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.options.name = Some(name.into());
        self
    }

    /// Attaches a value to the task, which is in the [`TaskInfo`](crate::TaskInfo) of listings and observers: the request
    /// that it serves, for example. A second call replaces the value of the first.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// struct Tenant(u32);
    ///
    /// let pool = aiopool::AioPool::new(1);
    /// let _job = pool.task(std::future::pending::<()>()).tag(Tenant(7)).spawn_n();
    /// let jobs = pool.tasks();
    /// let tenant: &Tenant = jobs[0].tag.as_ref().unwrap().get().unwrap();
    /// assert_eq!(tenant.0, 7);
    /// # });
    /// ```
    pub fn tag(mut self, value: impl Any + Send + Sync) -> Self {
        self.options.tag = Some(Tag::new(value));
        self
    }

    /// Sets the priority of the task in the queue: a task of a higher priority starts first, and tasks of equal
    /// priority start in the order of their submission. The default is 0.
    ///
    /// The priority decides which task starts next. It does not make a running task faster.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// pool.pause();
    /// let late = pool.task(std::future::pending::<()>()).name("late").spawn_n();
    /// let urgent = pool.task(async {}).priority(1).spawn_n();
    /// pool.resume();
    /// urgent.await.unwrap(); // though it was submitted last
    /// assert!(!late.is_finished());
    /// # });
    /// ```
    pub fn priority(mut self, priority: i32) -> Self {
        self.options.demand.priority = priority;
        self
    }

    /// Sets how many permits the task takes. The default is 1.
    ///
    /// No task of the same priority overtakes the task while it waits for its permits. A task that is heavier than the
    /// whole pool is rejected. If a later [`resize`](AioPool::resize) leaves the pool with fewer permits than the task
    /// takes, the task runs alone.
    ///
    /// # Panics
    ///
    /// Panics if `permits` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let light = pool.spawn(std::future::pending::<()>()).await;
    /// let heavy = pool.task(async { "all of it" }).weight(4).spawn_n();
    /// assert_eq!(pool.waiting(), 1, "three permits are not enough");
    /// light.abort();
    /// assert_eq!(heavy.await.unwrap(), "all of it");
    /// # });
    /// ```
    #[track_caller]
    pub fn weight(mut self, permits: usize) -> Self {
        assert!(
            permits > 0,
            "a task of weight 0 would run without a permit: the least weight is 1"
        );
        self.options.demand.weight = permits;
        self
    }

    /// Limits how long the task may run, counted from its start. After that time its future is dropped, and
    /// [`is_run_timeout`](JoinError::is_run_timeout) is `true` for the error of the handle. If the value is ready when
    /// the end of the limit is noticed, the value wins.
    ///
    /// Called before [`then`](Self::then), it limits the future alone, and the callback gets the timeout as its
    /// argument. Called after it, it limits the future and the callback together.
    ///
    /// # Panics
    ///
    /// Submitting the task panics if the runtime has no timer.
    pub fn timeout(mut self, run: Duration) -> Self {
        self.options.run_limit = Some(run);
        self
    }

    /// Limits how long the task may wait in the queue. After that time its future is dropped unpolled, and
    /// [`is_wait_timeout`](JoinError::is_wait_timeout) is `true` for the error of the handle.
    ///
    /// If a permit is free when the limit has run out, the task starts. All tasks of the pool that have such a limit
    /// share one timer, which is a task of the runtime. If the runtime does not run the timer, the limit has run out at
    /// once.
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
    /// let pool = aiopool::AioPool::new(1);
    /// let _busy = pool.spawn(std::future::pending::<()>()).await;
    /// let waits = pool.task(async {}).wait_timeout(Duration::from_millis(1)).spawn_n();
    /// assert!(waits.await.unwrap_err().is_wait_timeout());
    /// # });
    /// ```
    pub fn wait_timeout(mut self, wait: Duration) -> Self {
        self.options.wait_limit = Some(wait);
        self
    }

    /// Gives the task time to end by itself after an abort.
    ///
    /// The task sees the abort by [`Current::aborted`](crate::Current::aborted), and its future is dropped only `grace`
    /// later. If the future ends before that, its value is the result. A task that has not started has nothing to
    /// finish: it leaves the queue at once. The grace does not apply when the runtime ends.
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
    /// let pool = aiopool::AioPool::new(1);
    /// let careful = async {
    ///     aiopool::current().unwrap().aborted().await;
    ///     "saved"
    /// };
    /// let handle = pool.task(careful).grace(Duration::from_secs(5)).spawn().await;
    /// assert_eq!(handle.cancel().await.unwrap(), "saved");
    /// # });
    /// ```
    pub fn grace(mut self, grace: Duration) -> Self {
        self.options.grace = Some(grace);
        self
    }

    /// Passes the result to `callback`. The value of the future that `callback` returns is then the value of the task.
    ///
    /// The callback runs under the same permit. It is also called after a panic or a [`timeout`](Self::timeout) of the
    /// future. It is not called if the task is cancelled or never runs.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(1);
    /// let length = pool.task(async { "hello" }).then(|text| async move { text.unwrap().len() });
    /// assert_eq!(length.exec().await.unwrap(), 5);
    ///
    /// let careless = pool.task(async { panic!("oh") });
    /// let saved = careless.then(|result: Result<(), _>| async move { result.is_err() });
    /// assert!(saved.exec().await.unwrap());
    /// # });
    /// ```
    pub fn then<C, Fut>(self, callback: C) -> TaskBuilder<'p, Then<F, C, Fut>>
    where
        C: FnOnce(Result<F::Output, JoinError>) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        self.followed_by(callback, Stage::Async)
    }

    /// Passes the result to `work`, which may block its thread. The value of `work` is then the value of the task.
    ///
    /// The future runs at its worker. When it has a result, the task moves to a thread that it may block, as for
    /// [`task_blocking`](AioPool::task_blocking), and keeps its permit. Otherwise this is as [`then`](Self::then).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let pool = aiopool::AioPool::new(4);
    /// let name = async { "Cargo.toml" };                        // from a socket, for example
    /// let length = pool.task(name).then_blocking(|name| {
    ///     let text = std::fs::read_to_string(name?)?;
    ///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(text.len())
    /// });
    /// assert!(length.exec().await.unwrap().unwrap() > 0);
    /// # });
    /// ```
    pub fn then_blocking<C, T>(
        self,
        work: C,
    ) -> TaskBuilder<'p, impl Future<Output = T> + Send + use<F, C, T> + 'static>
    where
        C: FnOnce(Result<F::Output, JoinError>) -> T + Send + 'static,
        T: Send + 'static,
    {
        let callback = move |result| BlockingWork::new(move || work(result));
        self.followed_by(callback, Stage::Blocking)
    }

    fn followed_by<C, Fut>(self, callback: C, next: Stage) -> TaskBuilder<'p, Then<F, C, Fut>>
    where
        C: FnOnce(Result<F::Output, JoinError>) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let Self {
            pool,
            body,
            mut options,
            location,
            last,
        } = self;
        let limit = options.run_limit.take().map(|limit| pool.limit(limit));
        let identity = options.identity.get_or_insert_default().clone();
        let hop = match (last, next) {
            (Stage::Async, Stage::Blocking) => Hop::Leave(Blocks::on_demand(&mut options.blocks)),
            (Stage::Blocking, Stage::Async) => Hop::Return,
            (Stage::Async, Stage::Async) | (Stage::Blocking, Stage::Blocking) => Hop::Stay,
        };
        let then = Then::new(body.into_future(), callback, limit, identity, hop);
        TaskBuilder {
            pool,
            body: Body::boxed(then, TaskExtras::default()),
            options,
            location,
            last: next,
        }
    }

    /// Asks the task to stop when `signal` is ready, also while the task waits. The signal is any future: that of a
    /// `CancellationToken`, or a receiver whose sender is dropped.
    ///
    /// The task stops as after [`JoinHandle::abort_with`]: its time of [`grace`](Self::grace) counts, and
    /// [`JoinError::reason`] tells of the signal. The output of the signal is dropped. A panic in the signal is caught,
    /// and counts as the signal. A second call replaces the signal of the first.
    ///
    /// The signal is polled from the submission on, by a task of the runtime that it has to itself. So it costs more
    /// than any other option: about what spawning a task on the runtime costs. When the task has ended, the signal is
    /// dropped soon after. If the runtime drops the signal before, the task goes on without it.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use futures::channel::oneshot;
    ///
    /// let pool = aiopool::AioPool::new(1);
    /// let (stop, stopped) = oneshot::channel::<()>();
    /// let never = pool.task(std::future::pending::<()>()).stop_when(stopped).spawn_n();
    /// drop(stop);
    /// assert!(never.await.unwrap_err().is_cancelled());
    /// # });
    /// ```
    pub fn stop_when<S: Future + Send + 'static>(mut self, signal: S) -> Self {
        let (signal, unwatch) = StopSignal::new(signal);
        (self.options.stop_signal, self.options.unwatch) = (Some(signal), Some(unwatch));
        self
    }

    /// Sets a callback that is called with the number of the task if the task is cancelled, after its future has been
    /// dropped.
    ///
    /// It runs before the handle completes. A panic in it is caught, and changes nothing.
    pub fn on_cancel(mut self, callback: impl FnOnce(TaskId) + Send + 'static) -> Self {
        self.options.on_cancel = Some(Box::new(callback));
        self
    }

    /// Sets a callback that is called with the number of the task at its end, whatever the outcome is: also when the
    /// task is rejected.
    ///
    /// It runs before the handle completes, and after [`on_cancel`](Self::on_cancel). A panic in it is caught, and
    /// changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let (tell, told) = std::sync::mpsc::channel();
    /// let pool = aiopool::AioPool::new(1);
    /// let task = pool.task(async { panic!("oh") }).on_end(move |id| tell.send(id).unwrap());
    /// let handle = task.spawn_n();
    /// let id = handle.id();
    /// assert!(handle.await.unwrap_err().is_panic());
    /// assert_eq!(told.recv(), Ok(id));
    /// # });
    /// ```
    pub fn on_end(mut self, callback: impl FnOnce(TaskId) + Send + 'static) -> Self {
        self.options.on_end = Some(Box::new(callback));
        self
    }

    /// Submits the task, and waits until it has started. See [`AioPool::spawn`], also for the effect of dropping this
    /// future.
    pub async fn spawn(self) -> JoinHandle<F::Output> {
        let handle = self.submit(Start::Announced);
        Starting::new(handle).await
    }

    /// Submits the task, and returns at once. See [`AioPool::spawn_n`].
    pub fn spawn_n(self) -> JoinHandle<F::Output> {
        self.submit(Start::Silent)
    }

    /// Submits the task if the pool has room for it.
    ///
    /// # Errors
    ///
    /// As [`AioPool::try_spawn`]. The error contains the future. By itself it is no task: its time limits do not count,
    /// its further tries take no start of a rate, what follows it by [`then`](Self::then) or
    /// [`then_blocking`](Self::then_blocking) runs where it is polled, and a panic in it is a panic of that poll.
    pub fn try_spawn(self) -> Result<JoinHandle<F::Output>, TrySpawnError<F>> {
        self.try_submit(Start::Silent, Patience::Try)
            .map_err(Rejected::refuse)
    }

    /// Submits the task, and waits for its result.
    ///
    /// # Errors
    ///
    /// As [`AioPool::exec`], and [`JoinError::is_timeout`] for a task with a time limit.
    ///
    /// # Cancel safety
    ///
    /// As [`AioPool::exec`]: dropping this future aborts the task.
    pub async fn exec(self) -> Result<F::Output, JoinError> {
        self.spawn().await.abort_on_drop().await
    }

    pub(crate) fn pool(&self) -> &'p AioPool {
        self.pool
    }

    pub(super) fn future_mut(&mut self) -> &mut F {
        self.body.future_mut()
    }

    /// Makes the submission panic if the runtime has no timer.
    pub(super) fn require_timer(&mut self) {
        self.options.needs_timer = true;
    }

    #[track_caller]
    pub(crate) fn submit(self, start: Start) -> JoinHandle<F::Output> {
        let pool = self.pool;
        self.try_submit(start, Patience::Park)
            .unwrap_or_else(|rejected| rejected.into_handle(pool.core()))
    }

    #[track_caller]
    pub(crate) fn try_submit(
        self,
        start: Start,
        patience: Patience,
    ) -> Result<JoinHandle<F::Output>, Rejected<F, TaskExtras>> {
        if self.options.needs_timer {
            self.pool.core().check_timer();
        }
        if self.options.concern_the_gate_alone() && self.pool.takes_bare_futures() {
            return self.try_submit_without_extras(start, patience);
        }
        let Self {
            pool,
            mut body,
            mut options,
            location,
            ..
        } = self;
        let stop_signal = options.stop_signal.take();
        let origin = Origin {
            location,
            // `map` and its kind submit tasks that stand in a full queue, too.
            is_awaited: start == Start::Announced || patience == Patience::Stand,
        };
        let Equipment { order, extras } =
            pool.equip(options, |observed| Watch::new(observed, origin));
        let of_submission = extras.watch.as_ref();
        let of_submission = of_submission.and_then(|watch| watch.of_submission());
        let wait = extras.wait().cloned();
        *body.extras_mut() = TaskExtras { start, ..extras };
        let order = Order { patience, ..order };
        let submitted = pool.submit(body, order);
        if let Some(watch) = of_submission {
            watch.end_submission(submitted.as_ref().ok().map(JoinHandle::id));
        }
        let handle = submitted?;
        // After the submission, because the slot and the number of the task are known only now.
        if let Some(wait) = wait {
            pool.core().time_wait(&wait, handle.slot(), handle.id());
        }
        if let Some(stop_signal) = stop_signal {
            stop_signal.watch(pool.core(), handle.abort_handle());
        }
        Ok(handle)
    }

    /// Submits a task that has no options but a priority or a weight, in a pool that [takes bare
    /// futures](AioPool::takes_bare_futures).
    #[track_caller]
    fn try_submit_without_extras(
        mut self,
        start: Start,
        patience: Patience,
    ) -> Result<JoinHandle<F::Output>, Rejected<F, TaskExtras>> {
        self.body.extras_mut().start = start;
        let TaskOptions { demand, blocks, .. } = self.options;
        if (demand, patience) == (Demand::DEFAULT, Patience::Park) && blocks.is_none() {
            return Ok(self.pool.submit_bare(self.body));
        }
        let order = Order {
            demand,
            patience,
            blocks,
            ..self.pool.bare_order()
        };
        self.pool.submit(self.body, order)
    }
}

impl<F: Future> fmt::Debug for TaskBuilder<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskBuilder")
            .field("pool", &self.pool.name())
            .field("name", &self.options.name)
            .field("demand", &self.options.demand)
            .finish_non_exhaustive()
    }
}
