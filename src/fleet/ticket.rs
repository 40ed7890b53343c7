//! What passes between a worker's engine and the tasks that it runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use std::task::Waker;

use futures_util::task::AtomicWaker;

use super::error::Fail;

/// The right of a running task to go on.
///
/// The task looks at it before each poll, so that a task whose process was stopped for too long does not go on for even
/// one poll.
#[derive(Debug)]
pub(crate) struct Ticket {
    epoch: Instant,
    lost_at: AtomicU64,
    stopped: AtomicBool,
    waker: AtomicWaker,
}

impl Ticket {
    /// Returns a ticket that is valid until `lost_at`.
    pub(crate) fn new(lost_at: Instant, now: Instant) -> Self {
        let ticket = Self {
            epoch: now,
            lost_at: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        };
        ticket.extend(lost_at);
        ticket
    }

    /// Makes it valid until `lost_at`.
    pub(crate) fn extend(&self, lost_at: Instant) {
        let time = lost_at.saturating_duration_since(self.epoch);
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.lost_at.store(nanos, Ordering::Release);
    }

    /// Makes it invalid, and wakes the task.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Returns `true` if the task may be polled.
    pub(crate) fn is_valid(&self, now: Instant) -> bool {
        let lost_at = Duration::from_nanos(self.lost_at.load(Ordering::Acquire));
        !self.stopped.load(Ordering::Acquire) && now.saturating_duration_since(self.epoch) < lost_at
    }
}

/// A task that is to be started.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) key: u64,
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) job: String,
    pub(crate) attempt: u32,
    pub(crate) arguments: Vec<u8>,
    pub(crate) ticket: std::sync::Arc<Ticket>,
}

/// How a run has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done(Vec<u8>),
    Failed(Fail),
    Panicked(String),
    /// The arguments are of another type.
    Decode(String),
    /// There is no job of this name.
    Unknown,
    /// The ticket was no longer valid.
    Stopped,
    /// The local pool has dropped the task.
    Dropped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_ends_with_its_lease_or_when_it_is_stopped() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let ticket = Ticket::new(later, now);
        assert!(ticket.is_valid(now) && !ticket.is_valid(later));
        ticket.extend(later + Duration::from_secs(1));
        assert!(ticket.is_valid(later));
        ticket.stop();
        assert!(!ticket.is_valid(now));
    }
}
