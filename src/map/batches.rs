use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;

use super::look::{Look, look};
use crate::coop;
use crate::task::{JoinError, PoolRef, Sleep};

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

    /// The next result, however many were given in a row.
    fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Item>>;

    /// The results that wait for the others of their batch.
    fn gathered(&mut self) -> &mut Vec<Result<Self::Value, JoinError>>;
}

/// Results in batches: a stream of vectors, none of them empty.
///
/// One poll takes 1024 results at most: of more that are ready at once, the rest is for the next batch, if these are
/// enough, or for the next poll.
///
/// Made by [`IterMap::batches`](crate::IterMap::batches) and [`IterWait::batches`](crate::IterWait::batches).
/// Dropping it is dropping them.
#[must_use = "streams do nothing unless polled"]
pub struct Batches<S> {
    results: S,
    until: ReturnWhen,
    /// `None` where there is no handle, and so nothing to wait for.
    pool_ref: Option<Arc<dyn PoolRef>>,
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
    pub(super) fn new(results: S, until: ReturnWhen, pool_ref: Option<Arc<dyn PoolRef>>) -> Self {
        Self {
            results,
            until,
            pool_ref,
            limit: None,
            timer: Timer::Unset,
            failed: false,
        }
    }

    /// Gives what is there after `limit`, counted from the first poll for each batch.
    ///
    /// A result that is ready when the time is seen to be over belongs to the batch, also with a limit of 0.
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
        let (Some(limit), Some(pool_ref)) = (self.limit, &self.pool_ref) else {
            return false;
        };
        if let Timer::Unset = self.timer {
            self.timer = Timer::Running(pool_ref.sleep(limit));
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
    /// Gathers what is there.
    fn gather(&mut self, cx: &mut Context<'_>) -> Look {
        look(cx, |cx| {
            let next = self.results.poll_result(cx);
            next.map(|next| next.map(|result| self.add(result)))
        })
    }

    fn add(&mut self, result: Result<S::Value, JoinError>) {
        self.failed |= result.is_err();
        self.results.gathered().push(result);
    }

    /// Gathers, and says whether the batch is complete. What is there goes before a time that is over.
    fn poll_gathered(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut look = self.gather(cx);
        let is_late = look != Look::Ended && self.is_late(cx);
        if is_late && look == Look::Dry {
            look = self.gather(cx);
        }
        let is_empty = self.results.gathered().is_empty();
        if look == Look::Ended || (!is_empty && (is_late || self.is_enough())) {
            return Poll::Ready(());
        }
        if look == Look::Broken {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
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
        ready!(coop::poll(cx, |cx| self.poll_gathered(cx)));
        let batch = std::mem::take(self.results.gathered());
        (self.timer, self.failed) = (Timer::Unset, false);
        Poll::Ready((!batch.is_empty()).then_some(batch))
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
