//! What a worker does at the server on behalf of one task. Each of these waits and tries again until it is done, or
//! until the task is dropped because its lease is lost.

use std::time::{Duration, Instant, SystemTime};

use super::position::Position;
use super::size::Permits;
use super::tasks::Task;
use crate::fleet::clock::ServerClock;
use crate::fleet::nats::link::{Link, RETRY_PAUSE, StoreError, header_map, message};
use crate::fleet::wire::{Envelope, Question};
use async_nats::Request;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::message::PublishMessage;

/// What tells the server that a task is still at work.
pub(super) const RENEWAL: &str = "+WPI";

/// Time within which the server has answered if a task may be given back.
const QUICKLY: Duration = Duration::from_secs(1);

/// Time that another worker has to say that it has a task.
const OTHERS: Duration = Duration::from_millis(250);

/// What such work has come to.
#[derive(Debug)]
pub(super) enum Step {
    /// The server has confirmed a renewal that was sent at `sent`.
    Renewed { key: u64, sent: Instant },
    /// The task has started `starts` times, and has no outcome.
    Checked { key: u64, starts: u32 },
    /// Another worker has the task.
    Elsewhere { key: u64 },
    /// The task has an outcome, or goes on in another message.
    Over { key: u64 },
    /// The start of the task is stored.
    Recorded { key: u64 },
    /// The server has forgotten the message.
    Acknowledged { key: u64 },
    /// The server has the task again.
    Returned { key: u64 },
    /// Of a question that was asked at `asked`: what the server says about the permits, unless it says nothing.
    Permits {
        asked: Instant,
        permits: Option<Permits>,
    },
    /// What was sent at `sent` is stored by a majority, or is not.
    Stored { sent: Instant, is_stored: bool },
    /// The server counts so many deliveries, by what it knew at a time after `connected`.
    Deliveries { last: u64, connected: Instant },
    /// The server has said what time it is.
    Clock(ServerClock),
    /// No task has its origin below `floor`.
    Floor { floor: u64 },
    /// The last task is `last`, as of a time at which the control stream had the message `control`.
    Last { last: u64, control: u64 },
    /// A task of the delayed stream.
    Delayed(Box<super::timers::Delayed>),
    /// A message of the delayed stream that is no task.
    Refused,
}

/// The message of a task, for those who have to do something with it.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    pub(super) key: u64,
    pub(super) link: Link,
    pub(super) reply: String,
    pub(super) sequence: u64,
    pub(super) origin: u64,
    pub(super) stored: SystemTime,
    pub(super) envelope: Envelope,
}

impl Delivered {
    pub(super) fn of(key: u64, task: &Task, link: &Link) -> Self {
        Self {
            key,
            link: link.clone(),
            reply: task.reply.clone(),
            sequence: task.sequence,
            origin: task.origin,
            stored: task.stored,
            envelope: task.envelope.clone(),
        }
    }

    /// Finds out what became of the earlier deliveries.
    pub(super) async fn check(self) -> Step {
        loop {
            match self.look().await {
                Some(step) => return step,
                None => tokio::time::sleep(RETRY_PAUSE).await,
            }
        }
    }

    /// Finds out whether another worker has the task.
    pub(super) async fn ask_others(self) -> Step {
        let sequence = self.sequence;
        let question = serde_json::to_vec(&Question::Holds { sequence }).unwrap_or_default();
        let request = Request::new()
            .payload(question.into())
            .timeout(Some(OTHERS));
        let subject = self.link.names.question();
        let key = self.key;
        match self.link.client.send_request(subject, request).await {
            Ok(_) => Step::Elsewhere { key },
            Err(_) => Step::Checked { key, starts: 0 },
        }
    }

    /// Stores the next message of the task, then acknowledges this one.
    pub(super) async fn go_on_as(self, next: Envelope, arguments: Vec<u8>) -> Step {
        let subject = self.link.names.delayed(self.origin, &next.group, &next.id);
        let mut headers = header_map(next.header());
        let id = next.message_id(self.origin);
        headers.insert(NATS_MESSAGE_ID, id.as_str());
        let message = PublishMessage::build()
            .headers(headers)
            .payload(arguments.into());
        self.store(&subject, message).await;
        self.acknowledge().await
    }

    /// Stores that the task has started once more.
    pub(super) async fn record(self, starts: u32) -> Step {
        self.record_starts(starts).await;
        Step::Recorded { key: self.key }
    }

    /// Gives the task back, as one that has started `starts` times, if that is known.
    ///
    /// The server delivers the task again at the time at which it is told so, whoever has the task by then. So it is told
    /// once, right after it has confirmed something else. If that gets lost, the task comes back when its lease is over.
    pub(super) async fn give_back(self, starts: Option<u32>, delay: Option<Duration>) -> Step {
        if let Some(starts) = starts {
            self.record_starts(starts).await;
        }
        let answer = match delay {
            None => "-NAK".to_owned(),
            Some(delay) => format!("-NAK {{\"delay\":{}}}", delay.as_nanos()),
        };
        self.reach().await;
        confirmed(&self.link, &self.reply, &answer).await;
        Step::Returned { key: self.key }
    }

    /// Waits until the server confirms that the task is still here, and does that quickly.
    async fn reach(&self) {
        loop {
            let asked = Instant::now();
            if confirmed(&self.link, &self.reply, RENEWAL).await && asked.elapsed() < QUICKLY {
                return;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Tells the server that the message is done with, until it confirms that.
    async fn acknowledge(self) -> Step {
        self.answer("+ACK").await;
        Step::Acknowledged { key: self.key }
    }

    async fn answer(&self, answer: &str) {
        while !confirmed(&self.link, &self.reply, answer).await {
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn record_starts(&self, starts: u32) {
        let subject = self.link.names.starts(self.sequence);
        let record = message(None, starts.to_string().into_bytes());
        self.store(&subject, record).await;
    }

    /// Stores a message, whatever it takes.
    async fn store(&self, subject: &str, message: PublishMessage) {
        loop {
            match self.link.store(subject.to_owned(), message.clone()).await {
                Ok(_) | Err(StoreError::Exists) => return,
                Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
            }
        }
    }

    /// An outcome is stored before the message is acknowledged, and so is a next try. A worker that was lost between
    /// the two leaves a message that is done with.
    async fn look(&self) -> Option<Step> {
        let names = &self.link.names;
        let position = Position {
            link: &self.link,
            envelope: &self.envelope,
            origin: self.origin,
            sequence: self.sequence,
            delayed: false,
        };
        if position.goes_on().await? {
            return Some(Step::Over { key: self.key });
        }
        if position.has_outcome().await? {
            return Some(Step::Over { key: self.key });
        }
        let starts = names.starts(self.sequence);
        let record = self.link.last(&names.starts_stream(), &starts).await.ok()?;
        // A server that was killed may have given the number before: then the record is that of another task.
        let record = record.filter(|record| SystemTime::from(record.time) >= self.stored);
        let starts =
            record.and_then(|record| std::str::from_utf8(&record.payload).ok()?.parse().ok());
        // The first start is not stored: it is what a task that is delivered again has behind it.
        let first = self.envelope.starts.saturating_add(1);
        Some(Step::Checked {
            key: self.key,
            starts: starts.unwrap_or(first),
        })
    }
}

/// Sends an acknowledgement, and returns `true` if the server has confirmed it.
pub(super) async fn confirmed(link: &Link, reply: &str, answer: &str) -> bool {
    link.client
        .request(reply.to_owned(), answer.to_owned().into())
        .await
        .is_ok()
}
