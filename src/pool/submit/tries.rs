use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::{Either, select};
use pin_project_lite::pin_project;

use crate::coop;
use crate::pool::submit::limit::Limit;
use crate::pool::{Core, lend};
use crate::task::PoolRef;
use crate::worker::running;

pin_project! {
    /// A function that is called until the future that it returns succeeds, or no further try is left. Made by
    /// [`AioPool::task_fn`](crate::AioPool::task_fn).
    #[must_use = "futures do nothing unless polled"]
    pub struct Tries<Fut>
    where
        Fut: Future,
    {
        // Boxed, so that its type is no parameter: with one, the compiler does not accept a future that awaits such a
        // task as `Send` if the result of a try contains a reference, even a `&'static str`.
        function: Function<Fut>,
        // The number of the current try, from 1.
        attempt: u32,
        core: Arc<Core>,
        // `None` if there is one try, without a limit.
        rules: Option<Box<Rules<Fut::Output>>>,
        #[pin]
        stage: Stage<Fut, Fut::Output>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<Fut, R> {
        Between,
        Trying { #[pin] future: Fut, limit: Option<Limit> },
        Pausing { result: Option<R>, pause: Pause },
    }
}

/// When a task is tried again. `R` is the result of a try.
pub(crate) struct Rules<R> {
    delays: Box<dyn Iterator<Item = Duration> + Send>,
    is_worth: Option<Judge<R, bool>>,
    asks_for: Option<Judge<R, Option<Duration>>>,
    limit: Option<TryLimit<R>>,
}

type Function<Fut> = Box<dyn FnMut(u32) -> Fut + Send>;

pub(crate) type Judge<R, V> = Box<dyn FnMut(&R) -> V + Send>;

/// How long one try may take, and what makes the result of a try that has taken longer.
struct TryLimit<R> {
    time: Duration,
    result: Box<dyn FnMut() -> R + Send>,
}

/// The wait between two tries. Boxed, since few tasks ever wait there.
type Pause = Pin<Box<dyn Future<Output = Paused> + Send>>;

enum Paused {
    ToTheEnd,
    /// The task was asked to stop meanwhile.
    ToStop,
}

impl<R> Default for Rules<R> {
    fn default() -> Self {
        Self {
            delays: Box::new(std::iter::empty()),
            is_worth: None,
            asks_for: None,
            limit: None,
        }
    }
}

impl<R> Rules<R> {
    pub(crate) fn set_delays(&mut self, delays: impl Iterator<Item = Duration> + Send + 'static) {
        self.delays = Box::new(delays);
    }

    /// Sets what decides if a failure is worth another try.
    pub(crate) fn set_worth(&mut self, is_worth: Judge<R, bool>) {
        self.is_worth = Some(is_worth);
    }

    /// Sets what finds a delay that a failure asks for.
    pub(crate) fn set_request(&mut self, asks_for: Judge<R, Option<Duration>>) {
        self.asks_for = Some(asks_for);
    }

    pub(crate) fn set_limit(&mut self, time: Duration, result: impl FnMut() -> R + Send + 'static) {
        let result = Box::new(result);
        self.limit = Some(TryLimit { time, result });
    }

    /// Returns how long to wait for the next try, or `None` if there is none.
    fn delay_after(&mut self, failure: &R) -> Option<Duration> {
        let is_worth = self.is_worth.as_mut();
        if !is_worth.is_none_or(|is_worth| is_worth(failure)) {
            return None;
        }
        // Taken in any case, so that the iterator decides how many tries there are.
        let delay = self.delays.next()?;
        let asked = self.asks_for.as_mut().and_then(|asks| asks(failure));
        Some(asked.unwrap_or(delay))
    }
}

impl<Fut: Future> Tries<Fut> {
    pub(crate) fn new(function: impl FnMut(u32) -> Fut + Send + 'static, core: Arc<Core>) -> Self {
        Self {
            function: Box::new(function),
            attempt: 0,
            core,
            rules: None,
            stage: Stage::Between,
        }
    }

    pub(crate) fn rules_mut(&mut self) -> &mut Rules<Fut::Output> {
        self.rules.get_or_insert_default()
    }
}

impl<Fut, T, E> Future for Tries<Fut>
where
    Fut: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        // Bounded: each pause spends a unit of the budget for awaits that are ready.
        loop {
            let this = self.as_mut().project();
            match this.stage.project() {
                StageProjection::Between => self.as_mut().begin_try(),
                StageProjection::Trying { .. } => {
                    let result = ready!(self.as_mut().poll_try(cx));
                    let Some(delay) = self.as_mut().delay_after(&result) else {
                        return Poll::Ready(result);
                    };
                    self.as_mut().begin_pause(result, delay);
                }
                StageProjection::Pausing { result, pause } => {
                    let paused = ready!(pause.as_mut().poll(cx));
                    let last = result.take();
                    self.as_mut().project().stage.set(Stage::Between);
                    if let (Paused::ToStop, Some(last)) = (paused, last) {
                        return Poll::Ready(last);
                    }
                }
            }
        }
    }
}

impl<Fut, T, E> Tries<Fut>
where
    Fut: Future<Output = Result<T, E>>,
{
    fn begin_try(self: Pin<&mut Self>) {
        let mut this = self.project();
        if *this.attempt > 0 {
            this.core.count_retry();
        }
        *this.attempt = this.attempt.saturating_add(1);
        let future = (this.function)(*this.attempt);
        let limit = this.rules.as_ref().and_then(|rules| rules.limit.as_ref());
        let mut limit = limit.map(|limit| Limit::new(limit.time));
        if let Some(limit) = &mut limit {
            limit.begin(&**this.core);
        }
        this.stage.set(Stage::Trying { future, limit });
    }

    /// Polls the current try. A result that is ready wins over the limit.
    fn poll_try(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let this = self.project();
        let StageProjection::Trying { future, limit } = this.stage.project() else {
            return Poll::Pending;
        };
        if let Poll::Ready(result) = future.poll(cx) {
            return Poll::Ready(result);
        }
        let rules = this.rules.as_mut().and_then(|rules| rules.limit.as_mut());
        let (Some(limit), Some(rules)) = (limit, rules) else {
            return Poll::Pending;
        };
        limit.poll(&**this.core, cx).map(|()| (rules.result)())
    }

    fn delay_after(self: Pin<&mut Self>, result: &Result<T, E>) -> Option<Duration> {
        let rules = self.project().rules.as_mut()?;
        if result.is_ok() {
            return None;
        }
        rules.delay_after(result)
    }

    /// Drops the try that has failed, and begins to wait for the next one.
    fn begin_pause(self: Pin<&mut Self>, result: Result<T, E>, delay: Duration) {
        let mut this = self.project();
        let pause: Pause = Box::pin(pause(this.core.clone(), delay));
        let result = Some(result);
        this.stage.set(Stage::Pausing { result, pause });
    }
}

impl Core {
    /// Counts that the task that is being polled on this thread is tried again. A future that `try_spawn` has given back
    /// is no task, and counts nowhere.
    fn count_retry(&self) {
        if let Some(worker) = self.running_here() {
            self.lock().count_retry(worker.slot());
        }
    }
}

/// Waits for the next try, and lends the permit of the task meanwhile. Returns at once if the task is asked to stop.
async fn pause(core: Arc<Core>, delay: Duration) -> Paused {
    let waiting = pin!(async {
        lend(async {
            if !delay.is_zero() {
                core.sleep(delay).await;
            }
        })
        .await;
        // With the permit: the start counts from now on, and is not to wait for the permit after that.
        // Only in a task: a future that was given back may outlive its group.
        let home = core.has_rates().then(|| core.home_here()).flatten();
        if let Some(home) = home {
            home.throttle().await;
        }
    });
    let Some(nested_waits) = running().map(|worker| worker.nested_waits()) else {
        waiting.await;
        return Paused::ToTheEnd;
    };
    // The wait comes first: where it yields because it was ready too often, nothing else is to use up that yield.
    let stopped = pin!(nested_waits.aborted());
    match select(waiting, stopped).await {
        Either::Left(_) if !nested_waits.is_aborted() => return Paused::ToTheEnd,
        Either::Left(_) | Either::Right(_) => {}
    }
    // The worker now drops a task without grace. A task that is polled again has grace.
    coop::yield_once().await;
    Paused::ToStop
}

impl<Fut: Future> fmt::Debug for Tries<Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tries")
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
