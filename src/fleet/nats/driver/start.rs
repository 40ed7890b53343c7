use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::message::OutboundMessage;

use super::reading::Reading;
use super::state::State;
use super::steps::Delivered;
use super::tasks::{Phase, Running, Stop, now_millis};
use crate::fleet::error::Fail;
use crate::fleet::nats::link::{header_map, outbound};
use crate::fleet::ticket::{End, Start, Ticket};
use crate::fleet::wire::{Event, Failure, Outcome};

/// What the server adds to a message, in bytes, at most.
const OVERHEAD: usize = 512;

/// Time before a task is run again that the local pool has dropped.
const DROPPED_PAUSE: Duration = Duration::from_secs(1);

impl State {
    /// Starts the tasks whose turn it is.
    pub(super) fn start_ready(&mut self, now: Instant) {
        if self.controls != Reading::CaughtUp {
            return;
        }
        let slots = self.slots();
        while let Some(key) = self.admission.next(slots) {
            if !self.is_within_size(key, now) {
                return self.ask_for_permits(now);
            }
            self.admission.start(key);
            let Some(task) = self.tasks.get_mut(&key) else {
                self.admission.ended();
                continue;
            };
            if task.redelivered {
                task.phase = Phase::Recording;
                let starts = task.starts.saturating_add(1);
                let delivered = Delivered::of(key, task, &self.link);
                self.help(key, delivered.record(starts));
            } else {
                self.run(key, now);
            }
        }
    }

    /// The start of a task is stored.
    pub(super) fn recorded(&mut self, key: u64, now: Instant) {
        let recording = |phase: &Phase| matches!(phase, Phase::Recording);
        if self
            .tasks
            .get(&key)
            .is_some_and(|task| recording(&task.phase))
        {
            self.run(key, now);
        }
    }

    /// A run has ended, for this or another reason.
    pub(super) fn ended(&mut self, key: u64, end: End) {
        self.admission.ended();
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        let Phase::Running(running) = &task.phase else {
            return;
        };
        match running.stop {
            Some(Stop::Lost) => drop(self.remove(key)),
            Some(Stop::Cancelled) => self.conclude(key, Outcome::Failed(Failure::Cancelled)),
            Some(Stop::Expired) if !matches!(end, End::Done(_)) => {
                self.conclude(key, Outcome::Failed(Failure::Expired));
            }
            Some(Stop::Returned) if matches!(end, End::Stopped) => self.give_back(key, None),
            _ => self.ended_by_itself(key, end),
        }
    }

    fn run(&mut self, key: u64, now: Instant) {
        let Some(lost_at) = self.leases.lost_at(key) else {
            self.admission.ended();
            return drop(self.remove(key));
        };
        let Some(task) = self.tasks.get_mut(&key) else {
            return self.admission.ended();
        };
        let ticket = Arc::new(Ticket::new(lost_at, now));
        let start = Start {
            key,
            id: task.envelope.id.clone(),
            group: task.envelope.group.clone(),
            job: task.envelope.job.clone(),
            attempt: task.attempt(),
            arguments: task.take_arguments(),
            ticket: ticket.clone(),
        };
        task.phase = Phase::Running(Running {
            ticket,
            since: now,
            stop: None,
        });
        if let Some(at) = task.envelope.deadline {
            let left = Duration::from_millis(at.saturating_sub(now_millis()));
            if let Some(at) = now.checked_add(left) {
                self.deadlines.insert((at, key));
            }
        }
        self.figures.started += 1;
        self.tell_started(key);
        let sent = self
            .starts
            .as_ref()
            .is_some_and(|starts| starts.send(start).is_ok());
        if !sent {
            self.ended(key, End::Dropped);
        }
    }

    /// Tells the owner that the task has started, if it waits for that.
    pub(super) fn tell_started(&mut self, key: u64) {
        if self
            .tasks
            .get(&key)
            .is_some_and(|task| task.envelope.notify)
        {
            self.tell(key, Event::Started);
        }
    }

    /// Tells the owner of a task something.
    pub(super) fn tell(&mut self, key: u64, event: Event) {
        let Some(task) = self.tasks.get(&key) else {
            return;
        };
        let subject = self
            .link
            .names
            .event(&task.envelope.owner, &task.envelope.id);
        self.link.post(OutboundMessage {
            headers: Some(header_map(event.header())),
            ..outbound(subject, event.payload())
        });
    }

    fn ended_by_itself(&mut self, key: u64, end: End) {
        match end {
            End::Done(result) => self.conclude(key, Outcome::Done(result)),
            End::Failed(fail) => self.failed(key, fail),
            End::Panicked(message) => {
                self.conclude(key, Outcome::Failed(Failure::Panicked(message)));
            }
            End::Decode(why) => self.conclude(key, Outcome::Failed(Failure::Decode(why))),
            End::Unknown => {
                let job = self.tasks.get(&key).map(|task| task.envelope.job.clone());
                let job = job.unwrap_or_default();
                self.conclude(key, Outcome::Failed(Failure::Unknown { job }));
            }
            // The lease was lost while nobody looked.
            End::Stopped => {
                self.figures.lost += 1;
                drop(self.remove(key));
            }
            End::Dropped => self.give_back(key, Some(DROPPED_PAUSE)),
        }
    }

    /// A try has failed: there is another one, if the policy says so.
    fn failed(&mut self, key: u64, fail: Fail) {
        let (why, after, fatal) = match fail {
            Fail::Error(why) => (why, None, false),
            Fail::Retry { why, after } => (why, Some(after), false),
            Fail::Fatal(why) => (why, None, true),
        };
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        let next = task.envelope.next_try(task.origin, after, now_millis());
        let Some(next) = next.filter(|_| !fatal) else {
            return self.conclude(key, Outcome::Failed(Failure::Failed(why)));
        };
        task.phase = Phase::Resubmitting;
        self.figures.retried += 1;
        let arguments = std::mem::take(&mut task.arguments);
        let delivered = Delivered::of(key, task, &self.link);
        self.help(key, delivered.go_on_as(next, arguments));
    }

    /// An outcome that the server would not take is replaced by one that says so.
    pub(super) fn sendable(&self, outcome: Outcome) -> Outcome {
        let limit = self.link.client.max_payload();
        let bytes = match &outcome {
            Outcome::Done(result) => result.len() + OVERHEAD,
            // The text of a failure is shortened where it is made: see `Outcome::shortened`.
            Outcome::Failed(_) => 0,
        };
        if limit > 0 && bytes > limit {
            Outcome::Failed(Failure::TooLarge { bytes, limit })
        } else {
            outcome.shortened()
        }
    }
}
