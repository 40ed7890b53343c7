use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::task::AbortHandle;

use super::conclude::Concluding;
use crate::fleet::fence::FencedTask;
use crate::fleet::ticket::Ticket;
use crate::fleet::wire::Envelope;

/// A task that this worker has.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) envelope: Envelope,
    pub(super) origin: u64,
    pub(super) sequence: u64,
    /// The number that the server has given the delivery.
    pub(super) delivery: u64,
    /// Where the server expects the acknowledgement.
    pub(super) reply: String,
    pub(super) arguments: Vec<u8>,
    pub(super) arrived: Instant,
    /// When its message was stored, by the server's clock.
    pub(super) stored: SystemTime,
    /// `true` if the server has delivered the task before.
    pub(super) redelivered: bool,
    /// `true` once `starts` is known, and that no other worker has the task.
    pub(super) checked: bool,
    /// `true` if the server has stored that the task has arrived, or need not know it yet: see `State::claim`.
    pub(super) claimed: bool,
    /// `true` if a majority of the servers stands behind the delivery, or there is only one server.
    pub(super) agreed: bool,
    /// How often the task has started before without an end that is known.
    pub(super) starts: u32,
    /// When the task was known to be within the pool's size.
    pub(super) within_size: Option<Instant>,
    pub(super) phase: Phase,
    /// What is under way for the task. It ends with the task.
    pub(super) helper: Option<AbortHandle>,
}

/// Where a task is: see the module.
#[derive(Debug)]
pub(super) enum Phase {
    Checking,
    Held,
    Recording,
    Running(Running),
    Concluding(Concluding),
    /// Its next message is being stored: for the next try, or behind the others.
    Resubmitting,
    Returning,
}

/// A task that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) ticket: Arc<Ticket>,
    pub(super) since: Instant,
    /// Why it is to stop, if it is.
    pub(super) stop: Option<Stop>,
}

/// Why a running task is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Cancelled,
    Expired,
    Returned,
    Lost,
}

impl Task {
    pub(super) fn fenced(&self) -> FencedTask<'_> {
        FencedTask {
            id: &self.envelope.id,
            group: &self.envelope.group,
            batch: self.envelope.batch.as_deref(),
            origin: self.origin,
        }
    }

    /// Returns `true` if there is no outcome yet, and the task is not on its way back.
    pub(super) fn is_unfinished(&self) -> bool {
        self.has_not_started() || matches!(self.phase, Phase::Running(_))
    }

    /// Returns `true` if another worker may have the task. It must not be given back: that would be the other one's.
    pub(super) fn is_doubtful(&self) -> bool {
        !self.redelivered && !self.checked
    }

    /// Number of the start that comes next.
    pub(super) fn attempt(&self) -> u32 {
        self.envelope
            .tries
            .saturating_add(self.starts)
            .saturating_add(1)
    }

    pub(super) fn has_not_started(&self) -> bool {
        matches!(self.phase, Phase::Checking | Phase::Held | Phase::Recording)
    }

    /// Returns the arguments. They are kept only if they may be needed for another try.
    pub(super) fn take_arguments(&mut self) -> Vec<u8> {
        if self.envelope.retry.is_empty() {
            std::mem::take(&mut self.arguments)
        } else {
            self.arguments.clone()
        }
    }

    /// Asks the task to stop, if it runs. The first reason counts, unless the lease is lost.
    pub(super) fn stop(&mut self, why: Stop) {
        if let Phase::Running(running) = &mut self.phase {
            if running.stop.is_none() || why == Stop::Lost {
                running.stop = Some(why);
            }
            running.ticket.stop();
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(helper) = &self.helper {
            helper.abort();
        }
    }
}

/// Milliseconds since 1970.
pub(super) fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    crate::fleet::wire::millis(since.unwrap_or(Duration::ZERO))
}
