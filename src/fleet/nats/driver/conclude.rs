//! How a task that is over leaves the server: its outcome is stored, and then its message is acknowledged.
//!
//! Each of the two is sent with an address of this worker, is confirmed there, and is sent again if that takes too long.
//! If the task has an outcome already, that one stays.

use std::time::Instant;

use async_nats::Message;
use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use async_nats::message::OutboundMessage;

use super::address::Part;
use super::state::State;
use super::tasks::Phase;
use crate::fleet::nats::link::{ANSWER, RETRY_PAUSE, StoreError, header_map, outbound};
use crate::fleet::nats::stored::Stored;
use crate::fleet::wire::{Envelope, Header, Outcome};

/// What the server has still to confirm of a task that is over.
#[derive(Debug)]
pub(super) struct Concluding {
    /// What is to be stored. `None` once it is.
    outcome: Option<Unstored>,
    /// When it is sent again, unless it is confirmed before.
    again: Instant,
}

/// An outcome that is to be stored.
#[derive(Debug)]
struct Unstored {
    /// The message without its headers, which take longer to copy than to make.
    message: OutboundMessage,
    header: Header,
}

impl State {
    /// Stores the outcome of a task, then acknowledges its message.
    pub(super) fn conclude(&mut self, key: u64, outcome: Outcome) {
        let outcome = self.sendable(outcome);
        let Some(task) = self.tasks.get(&key) else {
            return;
        };
        match outcome {
            Outcome::Done(_) => self.figures.completed += 1,
            Outcome::Failed(_) => self.figures.failed += 1,
        }
        let header = outcome.header();
        let Envelope { owner, id, .. } = &task.envelope;
        let subject = self.link.names.result(owner, id, task.origin);
        let message = OutboundMessage {
            reply: Some(self.inbox.answer(Part::Store, key)),
            ..outbound(subject, outcome.into_payload())
        };
        let unstored = Unstored { message, header };
        self.begin_conclusion(key, Some(unstored));
    }

    /// Acknowledges the message of a task that is done with.
    pub(super) fn acknowledge(&mut self, key: u64) {
        self.begin_conclusion(key, None);
    }

    /// The server has answered to what was sent for a task that is over.
    pub(super) fn answered(&mut self, key: u64, part: Part, message: &Message) {
        let Some(concluding) = self.concluding(key) else {
            return;
        };
        match (part, &concluding.outcome) {
            (Part::Store, Some(_)) => match Stored::of(message) {
                // There is an outcome now: this one, or an earlier one.
                Ok(_) | Err(StoreError::Exists) => {
                    concluding.outcome = None;
                    self.send_conclusion(key);
                }
                Err(_) => concluding.again = Instant::now() + RETRY_PAUSE,
            },
            (Part::Acknowledge, None) if message.status.is_some() => {
                concluding.again = Instant::now() + RETRY_PAUSE;
            }
            (Part::Acknowledge, None) => self.acknowledged(key),
            _ => {}
        }
    }

    /// Sends again what was not confirmed in time.
    pub(super) fn repeat_conclusions(&mut self, now: Instant) {
        if now < self.next_repeat {
            return;
        }
        self.next_repeat = now + RETRY_PAUSE;
        let late: Vec<u64> = self
            .tasks
            .iter()
            .filter(|(_, task)| matches!(&task.phase, Phase::Concluding(it) if it.again <= now))
            .map(|(key, _)| *key)
            .collect();
        for key in late {
            self.send_conclusion(key);
        }
    }

    /// Sends again what was sent on a connection that is lost.
    pub(super) fn repeat_all_conclusions(&mut self, now: Instant) {
        for task in self.tasks.values_mut() {
            if let Phase::Concluding(concluding) = &mut task.phase {
                concluding.again = now;
            }
        }
        self.next_repeat = now;
    }

    fn begin_conclusion(&mut self, key: u64, outcome: Option<Unstored>) {
        self.admission.withdraw(key);
        if let Some(task) = self.tasks.get_mut(&key) {
            let again = Instant::now();
            task.phase = Phase::Concluding(Concluding { outcome, again });
            self.send_conclusion(key);
        }
    }

    fn send_conclusion(&mut self, key: u64) {
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        let Phase::Concluding(concluding) = &mut task.phase else {
            return;
        };
        concluding.again = Instant::now() + ANSWER;
        let message = match &concluding.outcome {
            Some(Unstored { message, header }) => {
                let mut headers = header_map(header.clone());
                headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
                OutboundMessage {
                    headers: Some(headers),
                    ..message.clone()
                }
            }
            None => OutboundMessage {
                reply: Some(self.inbox.answer(Part::Acknowledge, key)),
                ..outbound(task.reply.as_str(), "+ACK".into())
            },
        };
        self.link.post(message);
    }

    fn concluding(&mut self, key: u64) -> Option<&mut Concluding> {
        match &mut self.tasks.get_mut(&key)?.phase {
            Phase::Concluding(concluding) => Some(concluding),
            _ => None,
        }
    }
}
