use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::AioPool;
use super::clock::WaitLimit;
use super::core::{Patience, Runs, Terms};
use super::extras::{More, TaskExtras};
use super::limit::Limit;
use super::options::TaskOptions;
use super::record::{TaskRecord, Times};
use super::spawn::{Order, Rejected, Starting};
use super::then::Then;
use super::watch::{Subject, Watch};
use crate::error::TrySpawnError;
use crate::gate::Demand;
use crate::observe::Watcher;
use crate::task::{Body, JoinError, JoinHandle, Start, TaskId, TaskLabel, TaskState};

/// A task that is more than a future. Begun with [`AioPool::task`].
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
    /// Boxed from the beginning: a large future would move with the builder, at each of its calls.
    body: Box<Body<F, TaskExtras>>,
    options: TaskOptions,
}

impl<'p, F> TaskBuilder<'p, F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[inline]
    pub(super) fn new(pool: &'p AioPool, body: Box<Body<F, TaskExtras>>) -> Self {
        Self {
            pool,
            body,
            options: TaskOptions::default(),
        }
    }

    /// What the task is called, in place of `"{pool}-{id}"`. Names need not differ.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.options.name = Some(name.into());
        self
    }

    /// Its rank in the queue: higher starts first, equals in the order of their submission. The default is 0.
    ///
    /// It decides who starts. It does not make a task that runs any faster.
    pub fn priority(mut self, priority: i32) -> Self {
        self.options.demand.priority = priority;
        self
    }

    /// How many permits it takes. The default is 1.
    ///
    /// Nobody of its priority overtakes it while it waits for them. Heavier than the whole pool, it is
    /// rejected; made so by a later [`resize`](AioPool::resize), it runs alone.
    ///
    /// # Panics
    ///
    /// Panics if it is 0.
    #[track_caller]
    pub fn weight(mut self, permits: usize) -> Self {
        assert!(
            permits > 0,
            "a task of weight 0 would run without a permit: the least weight is 1"
        );
        self.options.demand.weight = permits;
        self
    }

    /// How long it may run, from its start. Then its future is dropped, and the handle says
    /// [`is_run_timeout`](JoinError::is_run_timeout). A value that is ready when the limit is seen beats it.
    ///
    /// Before [`then`](Self::then) it limits the future alone, and the callback is told. After it, it limits both.
    ///
    /// # Panics
    ///
    /// Submitting panics if the runtime has no timer.
    pub fn timeout(mut self, run: Duration) -> Self {
        self.options.run_limit = Some(run);
        self
    }

    /// How long it may wait in the queue. Then its future is dropped unpolled, and the handle says
    /// [`is_wait_timeout`](JoinError::is_wait_timeout).
    ///
    /// A permit that is there when the limit has run out beats it. All tasks of the pool that may wait for so
    /// long only have one timer together, a task of the runtime. If the runtime takes none, the time is over at once.
    ///
    /// # Panics
    ///
    /// Submitting panics if the runtime has no timer.
    pub fn wait_timeout(mut self, wait: Duration) -> Self {
        self.options.wait_limit = Some(wait);
        self
    }

    /// Gives the task time to end by itself when it is asked to stop.
    ///
    /// An abort is then seen inside, by [`Current::aborted`](crate::Current::aborted), and the future is dropped
    /// only `grace` later. If it ends before, its value wins. A task that has not started has nothing to end:
    /// it leaves the queue at once. So it is when the runtime ends.
    ///
    /// # Panics
    ///
    /// Submitting it panics if the runtime has no timer.
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

    /// What becomes of the result: `callback` gets it, and its own future's value is the task's.
    ///
    /// It runs under the same permit. It is called after a panic or a
    /// [`timeout`](Self::timeout) of the future too, and it is not called if the task
    /// is cancelled or never runs.
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
        let Self {
            pool,
            body,
            mut options,
        } = self;
        let limit = options.run_limit.take().map(|limit| pool.limit(limit));
        let identity = options.identity.get_or_insert_default().clone();
        let then = Then::new(body.into_future(), callback, limit, identity);
        TaskBuilder {
            pool,
            body: Body::boxed(then, TaskExtras::default()),
            options,
        }
    }

    /// Called with the number of the task if it is cancelled, when its future has been dropped.
    ///
    /// It runs before the handle settles. A panic in it is caught, and changes nothing.
    pub fn on_cancel(mut self, callback: impl FnOnce(TaskId) + Send + 'static) -> Self {
        self.options.on_cancel = Some(Box::new(callback));
        self
    }

    /// Called with the number of the task at its end, whatever that is: also when it is rejected.
    ///
    /// It runs before the handle settles, and after [`on_cancel`](Self::on_cancel). A panic in it
    /// is caught, and changes nothing.
    pub fn on_end(mut self, callback: impl FnOnce(TaskId) + Send + 'static) -> Self {
        self.options.on_end = Some(Box::new(callback));
        self
    }

    /// Submits the task, and waits until it has started. See [`AioPool::spawn`], also for what dropping this does.
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
    /// As for [`AioPool::try_spawn`]: gives the future back.
    pub fn try_spawn(self) -> Result<JoinHandle<F::Output>, TrySpawnError<F>> {
        self.ask(Start::Silent, Patience::Try, Runs::AtItsWorker)
            .map_err(Rejected::refuse)
    }

    /// Submits the task, and waits for its result.
    ///
    /// # Errors
    ///
    /// As for [`AioPool::exec`], also for what dropping this does.
    pub async fn exec(self) -> Result<F::Output, JoinError> {
        self.spawn().await.abort_on_drop().await
    }

    pub(super) fn pool(&self) -> &'p AioPool {
        self.pool
    }

    #[track_caller]
    pub(super) fn submit(self, start: Start) -> JoinHandle<F::Output> {
        let pool = self.pool;
        self.ask(start, Patience::Park, Runs::AtItsWorker)
            .unwrap_or_else(|rejected| rejected.settle(pool.core()))
    }

    /// Submits work that is to leave its worker.
    #[track_caller]
    pub(super) fn submit_blocking(self) -> JoinHandle<F::Output> {
        let pool = self.pool;
        self.ask(Start::Silent, Patience::Park, Runs::WhereItMayBlock)
            .unwrap_or_else(|rejected| rejected.settle(pool.core()))
    }

    #[track_caller]
    pub(super) fn ask(
        self,
        start: Start,
        patience: Patience,
        runs: Runs,
    ) -> Result<JoinHandle<F::Output>, Rejected<F, TaskExtras>> {
        if self.options.is_empty() && self.pool.takes_bare_futures() {
            return self.ask_bare(start, patience, runs);
        }
        let Self {
            pool,
            mut body,
            options,
        } = self;
        let wait = options.wait_limit.map(|wait| pool.core().wait_limit(wait));
        let demand = options.demand;
        let Equipment {
            label,
            extras,
            record,
        } = pool.equip(options, wait.clone());
        let watch = extras.watch.clone();
        *body.extras_mut() = TaskExtras { start, ..extras };
        let terms = Terms {
            home: pool.node(),
            demand,
            record,
            runs,
        };
        let order = Order {
            terms,
            label: label,
        };
        let submitted = pool.submit(body, order, patience);
        if let Some(watch) = watch {
            match &submitted {
                Ok(handle) => watch.submitted(handle.id()),
                Err(_) => watch.release(),
            }
        }
        let handle = submitted?;
        if let Some(wait) = wait {
            if handle.state() == TaskState::Waiting {
                pool.core().time_wait(&wait, handle.slot(), handle.id());
            }
        }
        Ok(handle)
    }

    /// The same for a task without options, in a pool where it needs nothing beyond its future.
    #[track_caller]
    fn ask_bare(
        mut self,
        start: Start,
        patience: Patience,
        runs: Runs,
    ) -> Result<JoinHandle<F::Output>, Rejected<F, TaskExtras>> {
        self.body.extras_mut().start = start;
        if (patience, runs) == (Patience::Park, Runs::AtItsWorker) {
            return Ok(self.pool.submit_bare(self.body));
        }
        let mut order = self.pool.bare_order();
        order.terms.runs = runs;
        self.pool.submit(self.body, order, patience)
    }
}

/// What the options of a task come to.
pub(super) struct Equipment {
    /// For its handles.
    label: Arc<TaskLabel>,
    /// For its worker.
    pub(super) extras: TaskExtras,
    /// For the pool.
    pub(super) record: Option<TaskRecord>,
}

impl AioPool {
    /// Makes of its options what the task needs, its handles, and the pool.
    pub(super) fn equip(&self, options: TaskOptions, wait: Option<Arc<WaitLimit>>) -> Equipment {
        let settings = &self.core().settings;
        let concern_the_worker = options.concern_the_worker();
        let named = options
            .name
            .map(|name| Arc::new(self.inner.label.named(name)));
        let label = named.as_ref().unwrap_or(&self.inner.label).clone();
        let times = Times::new(settings.timed);
        let watch = settings.heard_by().map(|watcher| {
            let is_bare = named.is_none() && options.demand == Demand::DEFAULT;
            let subject = match is_bare {
                true => self.bare_subject(watcher),
                false => self.subject(watcher, &label, options.demand),
            };
            Box::new(Watch::new(subject, times))
        });
        let more = || More {
            label: label.clone(),
            run_limit: options.run_limit.map(|limit| self.limit(limit)),
            grace: options.grace.map(|grace| self.limit(grace)),
            wait,
            identity: options.identity,
            on_cancel: options.on_cancel,
            on_end: options.on_end,
        };
        let extras = TaskExtras {
            token: self.core().token(),
            watch,
            more: concern_the_worker.then(|| Box::new(more())),
            ..TaskExtras::default()
        };
        let record = TaskRecord {
            label: named,
            times,
            runtime: None,
        };
        let record = (!record.is_empty()).then_some(record);
        Equipment {
            label,
            extras,
            record,
        }
    }

    fn bare_subject(&self, watcher: &Arc<Watcher>) -> Arc<Subject> {
        let (label, subject) = (&self.inner.label, &self.inner.subject);
        subject
            .get_or_init(|| self.subject(watcher, label, Demand::DEFAULT))
            .clone()
    }

    fn subject(
        &self,
        watcher: &Arc<Watcher>,
        label: &Arc<TaskLabel>,
        demand: Demand,
    ) -> Arc<Subject> {
        Arc::new(Subject {
            watcher: watcher.clone(),
            label: label.clone(),
            group: self.group_name(),
            demand,
        })
    }

    /// A limit that begins with the task. That there is a timer for it is tried once.
    #[track_caller]
    fn limit(&self, run: Duration) -> Limit {
        self.core().check_timer(run);
        Limit::new(run)
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
