use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::pool::submit::limit::Limit;
use crate::pool::submit::options::Identity;
use crate::sync::atomic::AtomicBool;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::{Failure, JoinError};
use crate::unwind::caught;

pin_project! {
    /// A future followed by a callback that gets its result. Made by [`TaskBuilder::then`](crate::TaskBuilder::then).
    #[must_use = "futures do nothing unless polled"]
    pub struct Then<F, C, Fut>
    where
        F: Future,
    {
        // Boxed, so that the bounds of `Future` do not name its type: otherwise the compiler does not accept a future that
        // awaits such a task as `Send` if the first result contains a reference, even a `&'static str`.
        callback: Option<Callback<F::Output, Fut>>,
        of: PhantomData<fn() -> C>,
        limit: Option<Limit>,
        identity: Identity,
        hop: Hop,
        #[pin]
        stage: Stage<F, Fut>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, Fut> {
        First { #[pin] future: F },
        Second { #[pin] future: Fut },
        Between,
    }
}

type Callback<T, Fut> = Box<dyn FnOnce(Result<T, JoinError>) -> Fut + Send>;

/// Where the second future of a [`Then`] runs, in comparison with the first.
#[derive(Debug)]
pub(crate) enum Hop {
    /// At the same place.
    Stay,
    /// Where it may block. The flag tells the task to go there.
    Leave(Arc<AtomicBool>),
    /// At a worker again.
    Return,
}

impl Hop {
    /// Returns `true` if the second future runs at another place. The task goes there when the poll is over, without a
    /// waker.
    fn moves(&self) -> bool {
        if let Self::Leave(wants) = self {
            wants.store(true, Relaxed);
        }
        !matches!(self, Self::Stay)
    }
}

impl<F: Future, C, Fut> Then<F, C, Fut> {
    pub(crate) fn new(
        future: F,
        callback: C,
        limit: Option<Limit>,
        identity: Identity,
        hop: Hop,
    ) -> Self
    where
        C: FnOnce(Result<F::Output, JoinError>) -> Fut + Send + 'static,
    {
        Self {
            callback: Some(Box::new(callback)),
            of: PhantomData,
            limit,
            identity,
            hop,
            stage: Stage::First { future },
        }
    }
}

impl<F, C, Fut> Future for Then<F, C, Fut>
where
    F: Future,
    Fut: Future,
{
    type Output = Fut::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fut::Output> {
        if let Some(callback) = self.as_mut().project().callback.take() {
            let Poll::Ready(result) = self.as_mut().poll_first(cx) else {
                *self.project().callback = Some(callback);
                return Poll::Pending;
            };
            let future = callback(result);
            let mut this = self.as_mut().project();
            this.stage.set(Stage::Second { future });
            // A future that `try_spawn` has given back is no task, and stays where it is polled.
            let is_task = this.identity.get().is_some();
            if is_task && this.hop.moves() {
                return Poll::Pending;
            }
        }
        match self.project().stage.project() {
            StageProjection::Second { future } => future.poll(cx),
            StageProjection::First { .. } | StageProjection::Between => {
                unreachable!("polled after its callback panicked")
            }
        }
    }
}

impl<F: Future, C, Fut> Then<F, C, Fut> {
    /// Polls the first future until it has a result, which may be a panic or a timeout, and drops it. A value that is
    /// ready wins over the limit.
    fn poll_first(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, JoinError>> {
        let this = self.as_mut().project();
        let StageProjection::First { future } = this.stage.project() else {
            return Poll::Pending;
        };
        let polled = caught(|| {
            // A future that `try_spawn` has given back is no task, and has no limit.
            let pool_ref = this.identity.get().map(|(_, label)| &**label.pool_ref());
            let mut limit = this.limit.as_mut().zip(pool_ref);
            if let Some((limit, pool_ref)) = &mut limit {
                limit.begin(*pool_ref);
            }
            match (future.poll(cx), limit) {
                (Poll::Ready(value), _) => Poll::Ready(Ok(value)),
                (Poll::Pending, Some((limit, pool_ref))) => limit
                    .poll(pool_ref, cx)
                    .map(|()| Err(Failure::RAN_TOO_LONG)),
                (Poll::Pending, None) => Poll::Pending,
            }
        });
        let result = match polled {
            Ok(polled) => ready!(polled),
            Err(payload) => Err(Failure::Panicked(payload)),
        };
        let dropped = caught(|| self.as_mut().project().stage.set(Stage::Between));
        let result = match dropped {
            Ok(()) => result,
            Err(payload) => Err(Failure::Panicked(payload)),
        };
        Poll::Ready(result.map_err(|failure| self.error(failure)))
    }

    /// Returns the failure of the first future as an error of the task. In a future that `try_spawn` has given back,
    /// which is no task, a panic goes on.
    fn error(&self, failure: Failure) -> JoinError {
        match (self.identity.get(), failure) {
            (Some((id, label)), failure) => JoinError::new(*id, label.clone(), failure),
            (None, Failure::Panicked(payload)) => resume_unwind(payload),
            (None, _) => unreachable!("the first future has a limit only as a part of a task"),
        }
    }
}

impl<F: Future, C, Fut> fmt::Debug for Then<F, C, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Then").finish_non_exhaustive()
    }
}
