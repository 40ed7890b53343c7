use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::gathers::Gathers;
use super::look::{Look, look};
use super::return_when::ReturnWhen;
use crate::coop;
use crate::task::{JoinError, PoolRef, Sleep};

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
    pub(super) fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        ready!(coop::poll(cx, |cx| self.poll_gathered(cx)));
        let batch = std::mem::take(self.results.gathered());
        (self.timer, self.failed) = (Timer::Unset, false);
        Poll::Ready((!batch.is_empty()).then_some(batch))
    }

    /// Returns the bounds on the number of batches that are still to come. Each has at least one result.
    pub(super) fn batches_left(&self) -> (usize, Option<usize>) {
        let gathered = self.results.gathered_len();
        let (least, most) = self.results.size_hint();
        let is_sure = least > 0 || gathered > 0;
        let most = most.and_then(|most| most.checked_add(gathered));
        (usize::from(is_sure), most)
    }

    /// Returns `true` if all batches have been given.
    pub(super) fn is_over(&self) -> bool {
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

impl<S> fmt::Debug for Batches<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("until", &self.until)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
