use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use crate::task::{JoinError, Keeper, Sleep};

/// When enough results are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnWhen {
    /// One is there: gives all that are there then.
    FirstCompleted,
    /// One is a [`JoinError`], or all are there.
    FirstError,
    /// All are there.
    AllCompleted,
}

/// A stream of results that keeps those of its batch to come.
pub trait Gathers: Stream<Item = Result<Self::Value, JoinError>> + Unpin {
    /// What a task has for a result.
    type Value;

    /// The results that wait for the others of their batch.
    fn gathered(&mut self) -> &mut Vec<Result<Self::Value, JoinError>>;
}

/// Results in batches: a stream of vectors, none of them empty.
///
/// Made by [`IterMap::batches`](crate::IterMap::batches) and [`IterWait::batches`](crate::IterWait::batches).
/// Dropping it is dropping them.
#[must_use = "streams do nothing unless polled"]
pub struct Batches<S> {
    results: S,
    until: ReturnWhen,
    /// `None` where there is no handle, and so nothing to wait for.
    keeper: Option<Arc<dyn Keeper>>,
    limit: Option<Duration>,
    timer: Timer,
    /// Whether the batch to come has an error in it.
    failed: bool,
}

/// The time that a batch has.
enum Timer {
    Unset,
    Running(Sleep),
    Over,
}

impl<S> Batches<S> {
    pub(super) fn new(results: S, until: ReturnWhen, keeper: Option<Arc<dyn Keeper>>) -> Self {
        Self {
            results,
            until,
            keeper,
            limit: None,
            timer: Timer::Unset,
            failed: false,
        }
    }

    /// Gives what is there after `limit`, counted from the first poll for each batch.
    ///
    /// If nothing is there by then, the batch is the first result that comes, and those with it.
    ///
    /// # Panics
    ///
    /// Polling panics if the runtime has no timer.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// use aiopool::{AioPool, ReturnWhen, iterwait};
    /// use futures::StreamExt;
    ///
    /// let pool = AioPool::new(2);
    /// let never = pool.spawn_n(std::future::pending::<i32>());
    /// let soon = pool.spawn_n(async { 1 });
    /// let batches = iterwait([never, soon]).batches(ReturnWhen::AllCompleted);
    /// let mut batches = batches.timeout(Duration::from_millis(10));
    /// assert_eq!(batches.next().await.unwrap().len(), 1);
    /// # });
    /// ```
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Whether the time for this batch is over.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let (Some(limit), Some(keeper)) = (self.limit, &self.keeper) else {
            return false;
        };
        if let Timer::Unset = self.timer {
            self.timer = Timer::Running(keeper.sleep(limit));
        }
        if let Timer::Running(sleep) = &mut self.timer {
            if sleep.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.timer = Timer::Over;
        }
        true
    }
}

impl<S: Gathers> Batches<S> {
    /// Gathers what is there, and says whether there will be more.
    fn gather(&mut self, cx: &mut Context<'_>) -> bool {
        while let Poll::Ready(next) = Pin::new(&mut self.results).poll_next(cx) {
            let Some(result) = next else { return false };
            self.failed |= result.is_err();
            self.results.gathered().push(result);
        }
        true
    }

    fn is_enough(&self) -> bool {
        match self.until {
            ReturnWhen::FirstCompleted => true,
            ReturnWhen::FirstError => self.failed,
            ReturnWhen::AllCompleted => false,
        }
    }
}

impl<S: Gathers> Stream for Batches<S> {
    type Item = Vec<S::Item>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let more = self.gather(cx);
        let enough = !more || self.is_late(cx) || self.is_enough();
        let batch = self.results.gathered();
        if batch.is_empty() {
            return if more {
                Poll::Pending
            } else {
                Poll::Ready(None)
            };
        }
        if !enough {
            return Poll::Pending;
        }
        let batch = std::mem::take(batch);
        (self.timer, self.failed) = (Timer::Unset, false);
        Poll::Ready(Some(batch))
    }
}

impl<S> fmt::Debug for Batches<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("until", &self.until)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
