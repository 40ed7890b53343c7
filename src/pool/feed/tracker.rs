use std::task::{Poll, Waker};

use crate::lock::Lock;
use crate::task::{End, Slot, TaskId};
use crate::unwind::discard;

/// What has become of a [`Feed`](super::Feed).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedReport {
    /// Tasks that came to their end.
    pub completed: u64,
    /// Tasks that panicked or were rejected; with them a panic of the iterator or the closure.
    pub failed: u64,
    /// Tasks that were cancelled.
    pub cancelled: u64,
    /// Whether its iterator or closure panicked, which ended it.
    pub broken: bool,
    /// Whether the pool took none of it, closed or full; or no more of it, when its runtime was gone.
    pub rejected: bool,
}

/// What a feed, its source and its items know of each other.
pub(super) struct Tracker(Lock<Progress>);

/// Where something is in the pool, and as what.
pub(super) type QueueEntry = (Slot, TaskId);

#[derive(Default)]
struct Progress {
    report: FeedReport,
    /// The source, if it is there, and the items that run.
    living: usize,
    aborted: bool,
    /// Where the source waits, or did before it was taken out to be pulled.
    source: Option<QueueEntry>,
    /// Where the items run: a place is given again when its item has ended.
    items: Vec<Option<QueueEntry>>,
    vacant: Vec<usize>,
    waker: Option<Waker>,
}

impl Tracker {
    pub(super) fn new() -> Self {
        let living = 1;
        Self(Lock::new(Progress {
            living,
            ..Progress::default()
        }))
    }

    /// Says where the source waits first.
    pub(super) fn park(&self, at: QueueEntry) {
        self.0.lock().source = Some(at);
    }

    /// Says where the source waits from now on, while where it was is yet to end. Returns whether it may go on.
    pub(super) fn park_again(&self, at: QueueEntry, goes_on: bool) -> bool {
        let mut progress = self.0.lock();
        let goes_on = goes_on && !progress.aborted;
        progress.source = Some(at);
        progress.living += usize::from(goes_on);
        goes_on
    }

    /// Adds an item that starts, and says where the source waits from now on, if it does.
    ///
    /// Returns the place of the item, and whether both may go on.
    pub(super) fn start(&self, item: QueueEntry, source: Option<QueueEntry>) -> (usize, bool) {
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

    /// An item has gone from the pool, in this way. Returns whom to wake.
    pub(super) fn end_item(&self, place: usize, end: End) -> Option<Waker> {
        let mut progress = self.0.lock();
        progress.items[place] = None;
        progress.vacant.push(place);
        progress.count(end);
        progress.end_one()
    }

    /// The source has gone from the pool. Returns whom to wake.
    pub(super) fn end_source(&self) -> Option<Waker> {
        self.0.lock().end_one()
    }

    /// Its iterator or closure has panicked.
    pub(super) fn mark_broken(&self) {
        let report = &mut self.0.lock().report;
        report.broken = true;
        report.failed += 1;
    }

    pub(super) fn mark_rejected(&self) {
        self.0.lock().report.rejected = true;
    }

    /// Lets no more items start, and returns what is to be aborted; `None` if that is no news.
    pub(super) fn begin_abort(&self) -> Option<Vec<QueueEntry>> {
        let mut progress = self.0.lock();
        if progress.living == 0 || std::mem::replace(&mut progress.aborted, true) {
            return None;
        }
        let items = progress.items.iter().copied().flatten();
        Some(progress.source.into_iter().chain(items).collect())
    }

    pub(super) fn is_finished(&self) -> bool {
        self.0.lock().living == 0
    }

    pub(super) fn report(&self) -> FeedReport {
        self.0.lock().report
    }

    pub(super) fn poll(&self, waker: Waker) -> Poll<FeedReport> {
        let mut progress = self.0.lock();
        let finished = (progress.living == 0).then_some(progress.report);
        let stale = match finished {
            Some(_) => Some(waker),
            None => progress.waker.replace(waker),
        };
        drop(progress);
        discard(stale);
        finished.map_or(Poll::Pending, Poll::Ready)
    }

    /// Nobody waits for it any more.
    pub(super) fn hush(&self) {
        let stale = self.0.lock().waker.take();
        discard(stale);
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
            End::Nothing => {}
        }
    }
}
