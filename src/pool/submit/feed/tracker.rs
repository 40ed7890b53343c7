use std::task::{Poll, Waker};

use super::watchers::{WatcherKey, Watchers};
use crate::lock::Lock;
use crate::pool::progress::{Progress, Seen, Until};
use crate::task::{End, EntryId, Slot};
use crate::unwind::discard;
use crate::waker_slot::WakerSlot;

/// The counts of a [`Feed`](super::Feed): how its tasks have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FeedReport {
    /// Number of tasks that ran to their end.
    pub completed: u64,
    /// Number of tasks that panicked or were rejected. A panic of the input or the closure counts here too.
    pub failed: u64,
    /// Number of tasks that were cancelled.
    pub cancelled: u64,
    /// `true` if the input or the closure panicked, which ended the feed.
    pub broken: bool,
    /// `true` if the pool took nothing of the feed, because it was closed or full, or took no more of it, because the
    /// runtime was gone.
    pub rejected: bool,
}

/// The state that a feed, its source and its items share.
pub(super) struct Tracker(Lock<FeedState>);

/// The slot of a source or an item in the pool, and its number.
pub(super) type Position = (Slot, EntryId);

#[derive(Default)]
struct FeedState {
    report: FeedReport,
    /// Number of items that the input had at the beginning, if it knew that.
    total: Option<u64>,
    /// Number of items that run, plus one as long as the source exists. The feed has finished at 0.
    living: usize,
    aborted: bool,
    /// Where the source waits, or did before a worker took it to pull it. There it also waits for its stream.
    source: Option<Position>,
    /// Where the items run. An index is used again when its item has ended.
    items: Vec<Option<Position>>,
    vacant: Vec<usize>,
    waker: WakerSlot,
    watchers: Watchers,
}

impl Tracker {
    pub(super) fn new(total: Option<u64>) -> Self {
        Self(Lock::new(FeedState {
            total,
            living: 1,
            ..FeedState::default()
        }))
    }

    /// Sets where the source waits for the first time.
    pub(super) fn park(&self, at: Position) {
        self.0.lock().source = Some(at);
    }

    /// Sets where the source waits now, while its old slot has yet to end. Returns `true` if the source may go on.
    pub(super) fn park_again(&self, at: Position, goes_on: bool) -> bool {
        let mut state = self.0.lock();
        let goes_on = goes_on && !state.aborted;
        state.source = Some(at);
        state.living += usize::from(goes_on);
        goes_on
    }

    /// Adds an item that starts, and sets where the source waits now, if it does.
    ///
    /// Returns the index of the item, and whether the item and the source may go on.
    pub(super) fn start(&self, item: Position, source: Option<Position>) -> (usize, bool) {
        let mut state = self.0.lock();
        state.living += 1;
        state.source = source;
        let place = state.vacant.pop().unwrap_or_else(|| {
            state.items.push(None);
            state.items.len() - 1
        });
        state.items[place] = Some(item);
        (place, !state.aborted)
    }

    /// Removes an item that has ended, and counts its end. Returns the waker to call, if the feed has finished.
    pub(super) fn end_item(&self, place: usize, end: End) -> Option<Waker> {
        let mut state = self.0.lock();
        state.items[place] = None;
        state.vacant.push(place);
        state.count(end);
        state.end_one()
    }

    /// Removes the source. Returns the waker to call, if the feed has finished.
    pub(super) fn end_source(&self) -> Option<Waker> {
        self.0.lock().end_one()
    }

    /// Notes that the input or the closure has panicked.
    pub(super) fn mark_broken(&self) {
        let report = &mut self.0.lock().report;
        report.broken = true;
        report.failed += 1;
    }

    pub(super) fn mark_rejected(&self) {
        self.0.lock().report.rejected = true;
    }

    /// Lets no more items start. Returns what the caller has to abort, or `None` if the feed has finished or was
    /// aborted before.
    pub(super) fn begin_abort(&self) -> Option<Vec<Position>> {
        let mut state = self.0.lock();
        if state.living == 0 || std::mem::replace(&mut state.aborted, true) {
            return None;
        }
        let items = state.items.iter().copied().flatten();
        Some(state.source.into_iter().chain(items).collect())
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.0.lock().aborted
    }

    pub(super) fn is_finished(&self) -> bool {
        self.0.lock().living == 0
    }

    pub(super) fn report(&self) -> FeedReport {
        self.0.lock().report
    }

    pub(super) fn poll(&self, waker: Waker) -> Poll<FeedReport> {
        let state = self.0.lock();
        if state.living > 0 {
            WakerSlot::leave(state, |state| &mut state.waker, waker);
            return Poll::Pending;
        }
        let report = state.report;
        drop(state);
        discard(waker);
        Poll::Ready(report)
    }

    /// Reads the counts for a stream of them: as [`Watched::look`](crate::pool::progress::Watched::look), where `left` is
    /// the key of the waker of the last call.
    pub(super) fn look(
        &self,
        left: &mut Option<WatcherKey>,
        waker: Waker,
        decide: &mut dyn FnMut(Seen) -> Option<Until>,
    ) {
        let mut state = self.0.lock();
        let stale = state.watchers.remove(left.take());
        let unused = match decide(state.see()) {
            Some(until) => {
                *left = Some(state.watchers.add(until, waker));
                None
            }
            None => Some(waker),
        };
        drop(state);
        discard((stale, unused));
    }

    /// Takes the waker of a stream back.
    pub(super) fn stop_watching(&self, left: Option<WatcherKey>) {
        let stale = self.0.lock().watchers.remove(left);
        discard(stale);
    }

    /// Drops the waker: the feed is not awaited any more.
    pub(super) fn hush(&self) {
        WakerSlot::clear(self.0.lock(), |state| &mut state.waker);
    }
}

impl FeedState {
    fn end_one(&mut self) -> Option<Waker> {
        self.living -= 1;
        let is_over = self.living == 0;
        let reader = if is_over { self.waker.take() } else { None };
        if self.watchers.is_empty() {
            return reader;
        }
        self.watchers.take(is_over, reader)
    }

    fn see(&self) -> Seen {
        let FeedReport {
            completed,
            failed,
            cancelled,
            ..
        } = self.report;
        let done = completed + failed + cancelled;
        let active = self.items.len() - self.vacant.len();
        let has_source = self.living > active && !self.aborted;
        let left = self.total.map_or(1, |total| {
            total.saturating_sub(done.saturating_add(active as u64))
        });
        let waiting = if has_source { left } else { 0 };
        let now = Progress {
            done,
            failed,
            active,
            waiting: waiting.try_into().unwrap_or(usize::MAX),
            total: self.total,
        };
        let is_over = self.living == 0;
        Seen { now, is_over }
    }

    fn count(&mut self, end: End) {
        match end {
            End::Completed => self.report.completed += 1,
            End::Cancelled => self.report.cancelled += 1,
            End::Panicked | End::TimedOut | End::Rejected => self.report.failed += 1,
        }
    }
}
