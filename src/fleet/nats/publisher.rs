use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::message::OutboundMessage;
use async_nats::{Message, Subscriber};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::link::{ANSWER, Link, RETRY_PAUSE, StoreError, header_map};
use super::receipt::Receipt;
use super::stored::Stored;
use super::waiters::Waiters;
use crate::fleet::error::EngineError;
use crate::fleet::wire::Envelope;

/// Tasks that may wait for the server's acknowledgement at a time.
const WINDOW: usize = 2048;

/// How many of what has come are looked at, before it is looked at what else there is.
const BATCH: usize = 64;

/// A task that is to be stored.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) envelope: Envelope,
    pub(crate) arguments: Vec<u8>,
    /// Told when the server has the task, or refuses it.
    pub(crate) receipt: Receipt,
    /// Dropped when the task is no longer under way to the server.
    pub(crate) under_way: Option<Arc<oneshot::Sender<()>>>,
}

/// What comes to the publisher.
pub(super) struct Inputs {
    pub(super) submissions: mpsc::UnboundedReceiver<Submission>,
    /// What the server says about the tasks that were sent.
    pub(super) answers: Subscriber,
    pub(super) connections: watch::Receiver<bool>,
}

/// Sends tasks to the server, in the order of their submission, each until the server has acknowledged it.
///
/// Each message has an address of this client to which the server answers, with the number of the message at its end. The
/// id of a message makes the server recognize a task that it has had before, so that it is safe to send it again.
#[derive(Debug)]
pub(super) struct Publisher {
    link: Link,
    waiters: Arc<Waiters>,
    /// Tasks that the server has had under the same id before.
    duplicates: mpsc::UnboundedSender<(String, u64)>,
    patience: Duration,
    /// Where answers go, without the number.
    inbox: String,
    under_way: HashMap<u64, UnderWay>,
    /// Number of the next message.
    next: u64,
    next_repeat: Instant,
}

/// A task that was sent, and has no answer.
#[derive(Debug)]
struct UnderWay {
    submission: Submission,
    /// When it is sent again, unless there is an answer before.
    again: Instant,
    /// When it is given up. `None` for a patience without end.
    ends: Option<Instant>,
    /// Why it was sent more than once. The server may have had it the first time.
    failed: Option<EngineError>,
}

impl Publisher {
    pub(super) fn new(
        link: Link,
        waiters: Arc<Waiters>,
        duplicates: mpsc::UnboundedSender<(String, u64)>,
        patience: Duration,
    ) -> Self {
        Self {
            inbox: link.client.new_inbox(),
            link,
            waiters,
            duplicates,
            patience,
            under_way: HashMap::new(),
            next: 0,
            next_repeat: Instant::now(),
        }
    }

    /// The subject of all answers.
    pub(super) fn answers(&self) -> String {
        format!("{}.*", self.inbox)
    }

    pub(super) async fn run(mut self, mut from: Inputs) {
        let mut ticks = interval(RETRY_PAUSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut submitted = Vec::with_capacity(BATCH);
        loop {
            let room = WINDOW.saturating_sub(self.under_way.len()).min(BATCH);
            tokio::select! {
                // In this order: without answers there is no room for more.
                biased;
                Ok(()) = from.connections.changed() => {
                    if *from.connections.borrow_and_update() {
                        self.repeat_all();
                    }
                }
                Some(answer) = from.answers.next() => {
                    let more = std::iter::from_fn(|| from.answers.next().now_or_never()?).take(BATCH);
                    std::iter::once(answer).chain(more).for_each(|answer| self.answered(&answer));
                }
                _ = from.submissions.recv_many(&mut submitted, room), if room > 0 => {
                    if submitted.is_empty() {
                        return; // The client is gone.
                    }
                    submitted.drain(..).for_each(|submission| self.submit(submission));
                }
                _ = ticks.tick(), if !self.under_way.is_empty() => {}
            }
            let is_connected = *from.connections.borrow();
            self.repeat(Instant::now(), is_connected);
        }
    }

    fn submit(&mut self, submission: Submission) {
        let now = Instant::now();
        let number = self.next;
        self.next += 1;
        let message = self.message(number, &submission);
        self.link.post(message);
        let under_way = UnderWay {
            submission,
            again: now + ANSWER.min(self.patience),
            ends: now.checked_add(self.patience),
            failed: None,
        };
        self.under_way.insert(number, under_way);
    }

    fn message(&self, number: u64, submission: &Submission) -> OutboundMessage {
        let envelope = &submission.envelope;
        let mut headers = header_map(envelope.header());
        headers.insert(NATS_MESSAGE_ID, envelope.id.as_str());
        OutboundMessage {
            subject: self.link.names.work(&envelope.group, &envelope.id).into(),
            reply: Some(format!("{}.{number}", self.inbox).into()),
            payload: submission.arguments.clone().into(),
            headers: Some(headers),
        }
    }

    /// The server has answered to a message.
    fn answered(&mut self, answer: &Message) {
        let number = answer.subject.rsplit('.').next();
        let Some(number) = number.and_then(|number| number.parse().ok()) else {
            return;
        };
        let Some(under_way) = self.under_way.get_mut(&number) else {
            return;
        };
        match Stored::of(answer) {
            Err(StoreError::Unknown(error)) => {
                under_way.failed = Some(error);
                under_way.again = Instant::now() + RETRY_PAUSE;
            }
            Err(StoreError::Exists) => {
                let error = EngineError::Rejected("wrong sequence".to_owned());
                self.settle(number, Err(error));
            }
            Err(StoreError::Refused(error)) => self.settle(number, Err(error)),
            Ok(stored) => self.settle(number, Ok(stored)),
        }
    }

    /// Sends again what was sent on a connection that is lost.
    fn repeat_all(&mut self) {
        let now = Instant::now();
        for under_way in self.under_way.values_mut() {
            under_way.again = now;
        }
        self.next_repeat = now;
    }

    /// Sends again what has no answer for too long, and gives up what is out of time.
    fn repeat(&mut self, now: Instant, is_connected: bool) {
        if now < self.next_repeat {
            return;
        }
        self.next_repeat = now + RETRY_PAUSE;
        let late = self.under_way.iter().filter(|(_, sent)| sent.again <= now);
        // In the order in which they were sent.
        let late: BTreeSet<u64> = late.map(|(number, _)| *number).collect();
        for number in late {
            self.repeat_one(number, now, is_connected);
        }
    }

    fn repeat_one(&mut self, number: u64, now: Instant, is_connected: bool) {
        let Some(under_way) = self.under_way.get_mut(&number) else {
            return;
        };
        let silence = match is_connected {
            true => EngineError::Timeout,
            false => EngineError::Disconnected,
        };
        let failed = under_way.failed.get_or_insert(silence).clone();
        if under_way.ends.is_some_and(|ends| ends <= now) {
            return self.settle(number, Err(failed));
        }
        let later = now + ANSWER;
        under_way.again = under_way.ends.map_or(later, |ends| ends.min(later));
        if is_connected {
            let message = self.message(number, &self.under_way[&number].submission);
            self.link.post(message);
        }
    }

    fn settle(&mut self, number: u64, stored: Result<Stored, EngineError>) {
        let Some(UnderWay {
            submission, failed, ..
        }) = self.under_way.remove(&number)
        else {
            return;
        };
        let id = submission.envelope.id;
        match &stored {
            Ok(stored) => {
                self.waiters.accepted(&id, stored.sequence);
                // A message that has got lost and one whose acknowledgement has got lost look the same from here.
                if stored.duplicate || failed.is_some() {
                    let _ = self.duplicates.send((id, stored.sequence));
                }
            }
            Err(error) => self.waiters.refused(&id, error),
        }
        submission.receipt.tell(stored.map(drop));
        drop(submission.under_way);
    }
}
