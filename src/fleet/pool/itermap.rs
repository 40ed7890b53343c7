use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::guard::{CancelOnDrop, UnderWay};
use super::submit::Options;
use super::{FleetPool, JobHandle};
use crate::Input;
use crate::fleet::error::{EngineError, JobError};
use crate::fleet::job::{Codec, Job};
use crate::fleet::wire::FenceKey;

/// Tasks that are submitted in one poll.
const PER_POLL: usize = 64;

/// Tasks that are submitted ahead, at least.
const LEAST_AHEAD: usize = 16;

/// Outcomes of one job over many arguments, as a stream. Made by [`FleetPool::itermap`].
///
/// Dropping it cancels the tasks whose outcome was not read.
#[must_use = "nothing is submitted before the stream is polled"]
pub struct IterMap<I, A, O, C> {
    pool: FleetPool,
    job: Job<A, O, C>,
    input: Option<I>,
    ahead: usize,
    ordered: bool,
    batch: String,
    under_way: Option<UnderWay>,
    guard: CancelOnDrop,
    running: FuturesUnordered<Item<O>>,
    /// Outcomes that wait for an earlier one.
    early: BTreeMap<usize, Result<O, JobError>>,
    taken: usize,
    read: usize,
}

impl<I, A, O, C> IterMap<I, A, O, C> {
    pub(super) fn new(pool: FleetPool, job: Job<A, O, C>, input: I) -> Self {
        let size = pool.inner.size.load(Ordering::Relaxed);
        let batch = pool.inner.client.new_id();
        let key = FenceKey::Batch(batch.clone());
        let (guard, under_way) = CancelOnDrop::new(pool.inner.client.clone(), key);
        Self {
            pool,
            job,
            input: Some(input),
            ahead: size.saturating_mul(2).max(LEAST_AHEAD),
            ordered: false,
            batch,
            under_way: Some(under_way),
            guard,
            running: FuturesUnordered::new(),
            early: BTreeMap::new(),
            taken: 0,
            read: 0,
        }
    }

    /// Yields outcomes in input order. Those that come early wait, and count as not read.
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// Takes at most `items` of the input that are not read yet. The default is twice the pool's size.
    ///
    /// # Panics
    ///
    /// If `items` is 0.
    pub fn buffer(mut self, items: usize) -> Self {
        assert!(items > 0, "a buffer of 0 items would never submit a task");
        self.ahead = items;
        self
    }
}

impl<I, A, O, C> IterMap<I, A, O, C>
where
    A: Serialize,
    O: DeserializeOwned,
    C: Codec,
    I: Input,
    I::Item: Borrow<A>,
{
    /// Returns the next outcome, or `None` after the last one.
    ///
    /// # Cancel safety
    ///
    /// An outcome is not lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<O, JobError>> {
        self.next_indexed().await.map(|(_, outcome)| outcome)
    }

    /// Returns the next outcome, with the place of its item in the input.
    pub(super) async fn next_indexed(&mut self) -> Option<(usize, Result<O, JobError>)> {
        poll_fn(|cx| self.poll_outcome(cx)).await
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, Result<O, JobError>)>> {
        self.submit_ahead(cx);
        loop {
            if let Some(outcome) = self.early.remove(&self.read) {
                return self.yielded(self.read, outcome);
            }
            match Pin::new(&mut self.running).poll_next(cx) {
                Poll::Ready(Some((place, outcome))) if self.ordered && place != self.read => {
                    self.early.insert(place, outcome);
                }
                Poll::Ready(Some((place, outcome))) => return self.yielded(place, outcome),
                Poll::Ready(None) if self.input.is_none() => {
                    self.guard.disarm();
                    return Poll::Ready(None);
                }
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn yielded(
        &mut self,
        place: usize,
        outcome: Result<O, JobError>,
    ) -> Poll<Option<(usize, Result<O, JobError>)>> {
        self.read += 1;
        Poll::Ready(Some((place, outcome)))
    }

    /// Submits tasks until enough of them are not read.
    fn submit_ahead(&mut self, cx: &mut Context<'_>) {
        for _ in 0..PER_POLL {
            let Some(input) = &mut self.input else { return };
            if self.taken - self.read >= self.ahead {
                return;
            }
            match input.poll_item(cx) {
                Poll::Pending => return,
                Poll::Ready(None) => {
                    self.input = None;
                    self.under_way = None;
                }
                Poll::Ready(Some(item)) => self.submit(item.borrow()),
            }
        }
        // There may be more to submit: the next poll does that, after others had their turn.
        cx.waker().wake_by_ref();
    }

    fn submit(&mut self, arguments: &A) {
        let options = Options {
            batch: Some(self.batch.clone()),
            under_way: self.under_way.clone(),
            ..Options::default()
        };
        let defaults = &self.pool.inner.defaults;
        let submitted = self.pool.submit(self.job, arguments, defaults, options);
        self.running.push(Item {
            place: self.taken,
            state: submitted.map(|submitted| submitted.handle).map_err(Some),
        });
        self.taken += 1;
    }
}

impl<I, A, O, C> Unpin for IterMap<I, A, O, C> {}

impl<I, A, O, C> Stream for IterMap<I, A, O, C>
where
    A: Serialize,
    O: DeserializeOwned,
    C: Codec,
    I: Input,
    I::Item: Borrow<A>,
{
    type Item = Result<O, JobError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let outcome = self.get_mut().poll_outcome(cx);
        outcome.map(|outcome| outcome.map(|(_, outcome)| outcome))
    }
}

impl<I, A, O, C> fmt::Debug for IterMap<I, A, O, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IterMap")
            .field("job", &self.job)
            .field("taken", &self.taken)
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

impl<I, A, O, C> Drop for IterMap<I, A, O, C> {
    fn drop(&mut self) {
        self.under_way = None;
        if self.running.is_empty() {
            self.guard.disarm();
        }
    }
}

/// A task, or the reason why it was not submitted.
struct Item<O> {
    place: usize,
    state: Result<JobHandle<O>, Option<EngineError>>,
}

impl<O> Future for Item<O> {
    type Output = (usize, Result<O, JobError>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let outcome = match &mut this.state {
            Ok(handle) => match Pin::new(handle).poll(cx) {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => return Poll::Pending,
            },
            Err(error) => Err(error.take().unwrap_or(EngineError::Disconnected).into()),
        };
        Poll::Ready((this.place, outcome))
    }
}
