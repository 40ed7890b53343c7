use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::{FusedStream, Stream};

use super::itermap::IterMap;
use super::iterwait::IterWait;
use super::look::{Look, look};
use crate::coop;
use crate::input::Input;
use crate::task::{JoinError, PoolRef, Sleep};

/// The condition under which enough results are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnWhen {
    /// At least one result is there. Gives all results that are there then.
    FirstCompleted,
    /// A result is a [`JoinError`], or all results are there.
    FirstError,
    /// All results are there.
    AllCompleted,
}

impl ReturnWhen {
    /// Returns `true` if these results are enough, where more may come.
    pub(super) fn is_met(self, has_some: bool, has_failed: bool) -> bool {
        match self {
            Self::FirstCompleted => has_some,
            Self::FirstError => has_failed,
            Self::AllCompleted => false,
        }
    }
}

/// A stream of results that also holds the results of its next batch.
pub trait Gathers: FusedStream<Item = Result<Self::Value, JoinError>> + Unpin {
    /// The value of a task.
    type Value;

    /// Polls for the next result. Does not spend the budget of the thread.
    fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Item>>;

    /// Returns the results that wait for the rest of their batch.
    fn gathered(&mut self) -> &mut Vec<Self::Item>;

    /// Returns the number of these results.
    fn gathered_len(&self) -> usize;
}

/// Results in batches: a stream of vectors, none of them empty.
///
/// `S` is an [`IterMap`](crate::IterMap) or an [`IterWait`](crate::IterWait), and the items of this stream are vectors
/// of the items of that one: `Vec<Result<T, JoinError>>`.
///
/// One poll takes at most 1024 results. If more are ready, the rest goes into the next batch, if those are enough, or
/// is taken at the next poll.
///
/// Made by [`IterMap::batches`](crate::IterMap::batches) and [`IterWait::batches`](crate::IterWait::batches).
/// Dropping it drops the [`IterMap`](crate::IterMap) or [`IterWait`](crate::IterWait) inside.
#[must_use = "streams do nothing unless polled"]
pub struct Batches<S> {
    results: S,
    until: ReturnWhen,
    /// `None` if there is no handle, and so nothing to wait for.
    pool_ref: Option<Arc<dyn PoolRef>>,
    limit: Option<Duration>,
    timer: Timer,
    /// Whether the next batch contains an error.
    failed: bool,
}

/// The timer of a batch.
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

    /// Limits the time for each batch: gives the results that are there after `limit`, counted from the batch's first
    /// poll.
    ///
    /// A result that is ready when the timer is seen to have run out belongs to the batch, also with a limit of 0. If
    /// no result is there by then, the batch is the next result, with those that are ready at the same time.
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

    /// Returns `true` if the time for this batch is over.
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
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        ready!(coop::poll(cx, |cx| self.poll_gathered(cx)));
        let batch = std::mem::take(self.results.gathered());
        (self.timer, self.failed) = (Timer::Unset, false);
        Poll::Ready((!batch.is_empty()).then_some(batch))
    }

    /// Returns the bounds on the number of batches that are still to come. Each has at least one result.
    fn batches_left(&self) -> (usize, Option<usize>) {
        let gathered = self.results.gathered_len();
        let (least, most) = self.results.size_hint();
        let is_sure = least > 0 || gathered > 0;
        let most = most.and_then(|most| most.checked_add(gathered));
        (usize::from(is_sure), most)
    }

    /// Returns `true` if all batches have been given.
    fn is_over(&self) -> bool {
        self.results.is_terminated() && self.results.gathered_len() == 0
    }

    /// Gathers the results that are ready.
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

    /// Gathers results until the batch is complete. Results that are ready come before the end of the time.
    fn poll_gathered(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut look = self.gather(cx);
        let is_late = look != Look::Ended && self.is_late(cx);
        if is_late && look == Look::Dry {
            look = self.gather(cx);
        }
        let is_empty = self.results.gathered_len() == 0;
        let is_enough = is_late || self.until.is_met(!is_empty, self.failed);
        if look == Look::Ended || (!is_empty && is_enough) {
            return Poll::Ready(());
        }
        if look == Look::Broken {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<I, F, Fut> Stream for Batches<IterMap<I, F, Fut::Output>>
where
    I: Input,
    F: FnMut(I::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    type Item = Vec<Result<Fut::Output, JoinError>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_batch(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.batches_left()
    }
}

impl<I, F, Fut> FusedStream for Batches<IterMap<I, F, Fut::Output>>
where
    I: Input,
    F: FnMut(I::Item) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    fn is_terminated(&self) -> bool {
        self.is_over()
    }
}

impl<T> Stream for Batches<IterWait<T>> {
    type Item = Vec<Result<T, JoinError>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_batch(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.batches_left()
    }
}

impl<T> FusedStream for Batches<IterWait<T>> {
    fn is_terminated(&self) -> bool {
        self.is_over()
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
