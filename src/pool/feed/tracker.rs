use std::task::{Poll, Waker};

use crate::lock::Lock;
use crate::task::{End, Gone, Slot, TaskId};
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
    /// Whether the pool took none of it, closed or full.
    pub rejected: bool,
}

/// What a feed, its source and its items know of each other.
pub(super) struct Tracker(Lock<Progress>);

#[derive(Default)]
struct Progress {
    report: FeedReport,
    /// The source, if it is there, and the items that run.
    living: usize,
    aborted: bool,
    /// Where the source waits, as what.
    source: Option<(Slot, TaskId)>,
    /// Where the items run: a place is given again when its item has ended.
    items: Vec<Option<(Slot, TaskId)>>,
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

    /// Says where the source waits.
    pub(super) fn park(&self, slot: Slot, id: TaskId) {
        self.0.lock().source = Some((slot, id));
    }

    /// The source has left the queue, for whatever reason. Returns whether it may go on.
    pub(super) fn unpark(&self) -> bool {
        let mut progress = self.0.lock();
        progress.source = None;
        !progress.aborted
    }

    /// Counts an item that is about to start, and returns its place.
    pub(super) fn reserve(&self) -> usize {
        let mut progress = self.0.lock();
        progress.living += 1;
        if let Some(place) = progress.vacant.pop() {
            return place;
        }
        progress.items.push(None);
        progress.items.len() - 1
    }

    /// Says where it runs. Returns whether it may.
    pub(super) fn fill(&self, place: usize, slot: Slot, id: TaskId) -> bool {
        let mut progress = self.0.lock();
        progress.items[place] = Some((slot, id));
        !progress.aborted
    }

    /// Counts an item that has come to its end, and is about to go.
    pub(super) fn count(&self, place: usize, end: End) {
        let mut progress = self.0.lock();
        progress.items[place] = None;
        progress.vacant.push(place);
        let report = &mut progress.report;
        match end {
            End::Completed => report.completed += 1,
            End::Cancelled => report.cancelled += 1,
            End::Panicked | End::TimedOut | End::Rejected => report.failed += 1,
            End::Nothing => {}
        }
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
    pub(super) fn begin_abort(&self) -> Option<Vec<(Slot, TaskId)>> {
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

impl Gone for Tracker {
    /// The source has gone from the pool, or an item.
    fn gone(&self) -> Option<Waker> {
        let mut progress = self.0.lock();
        progress.living -= 1;
        match progress.living {
            0 => progress.waker.take(),
            _ => None,
        }
    }
}
