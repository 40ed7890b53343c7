use std::task::{Poll, Waker};

use crate::lock::Lock;
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
pub(super) struct Tracker(Lock<Progress>);

/// The slot of a source or an item in the pool, and its number.
pub(super) type Position = (Slot, EntryId);

#[derive(Default)]
struct Progress {
    report: FeedReport,
    /// Number of items that run, plus one as long as the source exists. The feed has finished at 0.
    living: usize,
    aborted: bool,
    /// Where the source waits, or did before a worker took it to pull it. There it also waits for its stream.
    source: Option<Position>,
    /// Where the items run. An index is used again when its item has ended.
    items: Vec<Option<Position>>,
    vacant: Vec<usize>,
    waker: WakerSlot,
}

impl Tracker {
    pub(super) fn new() -> Self {
        let living = 1;
        Self(Lock::new(Progress {
            living,
            ..Progress::default()
        }))
    }

    /// Sets where the source waits for the first time.
    pub(super) fn park(&self, at: Position) {
        self.0.lock().source = Some(at);
    }

    /// Sets where the source waits now, while its old slot has yet to end. Returns `true` if the source may go on.
    pub(super) fn park_again(&self, at: Position, goes_on: bool) -> bool {
        let mut progress = self.0.lock();
        let goes_on = goes_on && !progress.aborted;
        progress.source = Some(at);
        progress.living += usize::from(goes_on);
        goes_on
    }

    /// Adds an item that starts, and sets where the source waits now, if it does.
    ///
    /// Returns the index of the item, and whether the item and the source may go on.
    pub(super) fn start(&self, item: Position, source: Option<Position>) -> (usize, bool) {
        let mut progress = self.0.lock();
        progress.living += 1;
        progress.source = source;
        let place = progress.vacant.pop().unwrap_or_else(|| {
            progress.items.push(None);
            progress.items.len() - 1
        });
        progress.items[place] = Some(item);
        (place, !progress.aborted)
    }

    /// Removes an item that has ended, and counts its end. Returns the waker to call, if the feed has finished.
    pub(super) fn end_item(&self, place: usize, end: End) -> Option<Waker> {
        let mut progress = self.0.lock();
        progress.items[place] = None;
        progress.vacant.push(place);
        progress.count(end);
        progress.end_one()
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
        let mut progress = self.0.lock();
        if progress.living == 0 || std::mem::replace(&mut progress.aborted, true) {
            return None;
        }
        let items = progress.items.iter().copied().flatten();
        Some(progress.source.into_iter().chain(items).collect())
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
        let progress = self.0.lock();
        if progress.living > 0 {
            WakerSlot::leave(progress, |progress| &mut progress.waker, waker);
            return Poll::Pending;
        }
        let report = progress.report;
        drop(progress);
        discard(waker);
        Poll::Ready(report)
    }

    /// Drops the waker: the feed is not awaited any more.
    pub(super) fn hush(&self) {
        WakerSlot::clear(self.0.lock(), |progress| &mut progress.waker);
    }
}

impl Progress {
    fn end_one(&mut self) -> Option<Waker> {
        self.living -= 1;
        match self.living {
            0 => self.waker.take(),
            _ => None,
        }
    }

    fn count(&mut self, end: End) {
        match end {
            End::Completed => self.report.completed += 1,
            End::Cancelled => self.report.cancelled += 1,
            End::Panicked | End::TimedOut | End::Rejected => self.report.failed += 1,
        }
    }
}
