use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::coop;
use crate::worker::{NestedWaits, PermitState, WorkerShared, running};

/// Gives the permit of the current task back while `future` is awaited, and takes a permit again afterwards.
///
/// Use it for waits that the pool cannot see: on a channel, a lock or another pool, when what the task waits for needs
/// a permit of this pool. A task that awaits its own pool lends its permit by itself: see [nested
/// use](crate::AioPool#nested-use).
///
/// The future is polled without a permit. `lend` completes only when the task has a permit again, and for that the task
/// waits in the queue before the tasks that have not started. (After 64 tasks in a row have taken their permit back, one
/// that has not started goes first, so that a loop over `lend` does not keep it from starting for ever.) Outside of a
/// pool's task this is just the future.
///
/// Hold no lock across it, nor across any other wait for the own pool: the task goes on only when another task has given
/// a permit up, and that task may be waiting for the lock.
///
/// Other futures that the task polls meanwhile (beside this one in a `join!`) are polled without a permit too.
///
/// # Cancel safety
///
/// The same as that of `future`. If `lend` is dropped half way, the task goes on, and has a permit again before it is
/// polled next.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use futures::channel::oneshot;
///
/// let pool = aiopool::AioPool::new(1);
/// let (tell, told) = oneshot::channel();
/// let waits = pool.spawn_n(async { aiopool::lend(told).await });
/// let tells = pool.spawn_n(async { tell.send("now") });  // runs while the first waits
/// assert_eq!(waits.await.unwrap(), Ok("now"));
/// # tells.await.unwrap().unwrap();
/// # });
/// ```
pub async fn lend<F: Future>(future: F) -> F::Output {
    coop::proceed().await;
    let Some(worker) = running() else {
        return future.await;
    };
    let mut lending = Lending::new(worker);
    let output = future.await;
    lending.end();
    poll_fn(|cx| lending.poll_returned(cx)).await;
    output
}

/// The state of one call of [`lend`].
struct Lending {
    worker: Arc<WorkerShared>,
    nested_waits: Arc<NestedWaits>,
    stage: Stage,
    /// The key of the waker that is to be woken when the permit is back.
    key: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// The future is ready, and the permit is not back yet.
    Returning,
    Over,
}

impl Lending {
    fn new(worker: Arc<WorkerShared>) -> Self {
        let nested_waits = worker.nested_waits();
        nested_waits.begin_lend();
        let stage = Stage::Waiting;
        let key = None;
        Self {
            worker,
            nested_waits,
            stage,
            key,
        }
    }

    fn end(&mut self) {
        self.nested_waits.end_lend();
        self.stage = Stage::Over;
    }

    fn poll_returned(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.may_go_on() {
            self.end_return();
            return Poll::Ready(());
        }
        if self.stage == Stage::Over {
            self.nested_waits.begin_return();
            self.stage = Stage::Returning;
        }
        self.nested_waits.on_return(&mut self.key, cx);
        Poll::Pending
    }

    /// Returns `true` if the task has its permit, or if this is polled outside of the task, where there is no permit to
    /// wait for.
    fn may_go_on(&self) -> bool {
        self.worker.permit() == PermitState::Held
            || !running().is_some_and(|worker| Arc::ptr_eq(&worker, &self.worker))
    }

    fn end_return(&mut self) {
        if self.stage == Stage::Returning {
            self.nested_waits.end_return();
            self.stage = Stage::Over;
        }
    }
}

impl Drop for Lending {
    fn drop(&mut self) {
        self.nested_waits.hush_return(self.key);
        match self.stage {
            Stage::Waiting => self.end(),
            Stage::Returning | Stage::Over => self.end_return(),
        }
    }
}
