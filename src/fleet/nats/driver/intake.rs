use std::time::{Duration, Instant, SystemTime};

use async_nats::header::{IntoHeaderName, NATS_MESSAGE_ID};
use async_nats::jetstream::{self, message::PublishMessage};
use async_nats::{HeaderMap, HeaderName, Message};

use super::state::State;
use super::steps::{Delivered, confirmed};
use super::tasks::{Phase, Task, now_millis};
use crate::fleet::admission::Company;
use crate::fleet::majority::Word;
use crate::fleet::nats::link::{Link, RETRY_PAUSE, envelope};
use crate::fleet::wire::{Envelope, Failure, Malformed, Outcome, headers};

/// How often it is tried to keep a refused message, before it is dropped.
const KEEPING: usize = 5;

/// Bytes of the headers of a refused message that are kept.
const KEPT_HEADERS: usize = 8 * 1024;

/// The first version of the server that delivers no task twice as if it were the first time.
const REPEATS_NONE: (i64, i64, i64) = (2, 10, 14);

/// What the server says about a delivery.
#[derive(Debug)]
pub(super) struct DeliveryFacts {
    stream: String,
    sequence: u64,
    /// The number of the delivery.
    delivery: u64,
    redelivered: bool,
    /// When the message was stored, by the server's clock.
    stored: SystemTime,
    reply: String,
}

impl State {
    /// Takes a message of the work stream.
    pub(super) fn take(&mut self, message: Message, now: Instant) {
        let Some(facts) = facts(&message, &self.link) else {
            return;
        };
        match envelope(&self.link, &message) {
            Ok(envelope) => self.take_task(envelope, facts, message.payload.to_vec(), now),
            Err(why) => {
                self.figures.refused += 1;
                tokio::spawn(refuse(self.link.clone(), facts, message, why));
            }
        }
    }

    /// The check of an earlier delivery is done: the task has started `starts` times.
    pub(super) fn checked(&mut self, key: u64, starts: u32) {
        let max = self.options.max_attempts;
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        if !matches!(task.phase, Phase::Checking) {
            return;
        }
        task.starts = starts;
        task.checked = true;
        if starts >= max {
            self.conclude(key, Outcome::Failed(Failure::Dead { attempts: starts }));
        } else {
            self.admit(key);
        }
    }

    /// Another worker has the task.
    pub(super) fn found_elsewhere(&mut self, key: u64) {
        if self.tasks.get(&key).is_some_and(Task::is_doubtful) {
            self.give_up(key);
        }
    }

    /// Lets a task start, if all is known that has to be known before.
    pub(super) fn admit(&mut self, key: u64) {
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        if task.claimed && task.checked && task.agreed && matches!(task.phase, Phase::Checking) {
            task.phase = Phase::Held;
            let company = Company::of(task.starts, self.options.max_attempts);
            self.admission.hold(key, company);
        }
    }

    fn take_task(
        &mut self,
        envelope: Envelope,
        facts: DeliveryFacts,
        arguments: Vec<u8>,
        now: Instant,
    ) {
        if self.holds(facts.sequence, now) {
            return;
        }
        let key = self.next_key;
        self.next_key += 1;
        let sent_after = self.echoes.sent_after().unwrap_or(self.since);
        let stored = self.clock.and_then(|clock| clock.earliest(facts.stored));
        let young = stored.filter(|stored| !self.rules.is_due(*stored, now));
        let start = young.map_or(sent_after, |stored| stored.min(sent_after));
        // Too old, or of an earlier connection: another worker may have the task already. It must not be given back, as
        // that would be its copy.
        if !self.echoes.has_answered() || !self.leases.add(key, start, now) {
            self.figures.lost += 1;
            return;
        }
        let doubtful = self.may_be_elsewhere(&facts);
        let fresh = !facts.redelivered && self.is_fresh(sent_after, now);
        let task = Task {
            origin: envelope.origin.unwrap_or(facts.sequence),
            sequence: facts.sequence,
            delivery: facts.delivery,
            reply: facts.reply,
            arguments,
            arrived: now,
            stored: facts.stored,
            redelivered: facts.redelivered,
            checked: !facts.redelivered && !doubtful,
            claimed: young.is_some(),
            agreed: self.majority.covers(now),
            starts: envelope.starts,
            within_size: fresh.then_some(now),
            phase: Phase::Checking,
            helper: None,
            envelope,
        };
        self.keys.insert(task.sequence, key);
        self.tasks.insert(key, task);
        self.sort(key);
    }

    /// Returns `true` if the task of a message is here, with a lease that is valid. The server has delivered it again
    /// nevertheless: one before 2.10.14 may do that, and one that was killed. What runs here goes on.
    fn holds(&self, sequence: u64, now: Instant) -> bool {
        self.keys.get(&sequence).is_some_and(|key| {
            let returning = |task: &Task| matches!(task.phase, Phase::Returning);
            let lost_at = self.leases.lost_at(*key);
            lost_at.is_some_and(|at| now < at) && !self.tasks.get(key).is_none_or(returning)
        })
    }

    /// Returns `true` if another worker may have the task, though this is its first delivery.
    fn may_be_elsewhere(&mut self, facts: &DeliveryFacts) -> bool {
        let (major, minor, patch) = REPEATS_NONE;
        !facts.redelivered
            && self.repeats.may_be_one(facts.sequence, facts.delivery)
            && !self.link.client.is_server_compatible(major, minor, patch)
    }

    /// Decides what becomes of a new task.
    fn sort(&mut self, key: u64) {
        let Some(task) = self.tasks.get(&key) else {
            return;
        };
        let failure = if !task.envelope.readable {
            Some(Failure::Version)
        } else if self.fences.cover(task.fenced()) {
            Some(Failure::Cancelled)
        } else if task.envelope.deadline.is_some_and(|at| at <= now_millis()) {
            Some(Failure::Expired)
        } else {
            None
        };
        if let Some(failure) = failure {
            return self.conclude(key, Outcome::Failed(failure));
        }
        if self.stopping.is_some() {
            return self.give_back(key, None);
        }
        let (is_redelivered, is_doubtful) = (task.redelivered, task.is_doubtful());
        let unsure = is_redelivered || is_doubtful;
        let delivered = unsure.then(|| Delivered::of(key, task, &self.link));
        if !task.agreed {
            self.majority.keep(task.arrived, Word::Delivered(key));
        }
        if !task.claimed {
            self.claim(key);
        }
        self.admission.expect(key);
        match delivered {
            Some(delivered) if is_redelivered => self.help(key, delivered.check()),
            Some(delivered) => self.help(key, delivered.ask_others()),
            None => {}
        }
        self.admit(key);
    }
}

pub(super) fn facts(message: &Message, link: &Link) -> Option<DeliveryFacts> {
    let reply = message.reply.as_ref()?.to_string();
    // What the server says of a delivery is in the address for its acknowledgement.
    let delivery = jetstream::Message {
        message: Message {
            subject: message.subject.clone(),
            reply: message.reply.clone(),
            payload: Vec::new().into(),
            headers: None,
            status: None,
            description: None,
            length: 0,
        },
        context: link.js.clone(),
    };
    let info = delivery.info().ok()?;
    Some(DeliveryFacts {
        stream: info.stream.to_owned(),
        sequence: info.stream_sequence,
        delivery: info.consumer_sequence,
        redelivered: info.delivered > 1,
        stored: info.published.into(),
        reply,
    })
}

/// Keeps a message that is no task where it can be looked at, and takes it out of the queue.
pub(super) async fn refuse(link: Link, facts: DeliveryFacts, message: Message, why: Malformed) {
    let kept = kept(&link, &facts, &message, why);
    for _ in 0..KEEPING {
        if link.store(link.names.refused(), kept.clone()).await.is_ok() {
            break;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
    while !confirmed(&link, &facts.reply, "+ACK").await {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The message with its headers, apart from those that the server would obey, and apart from what is too long.
fn kept(link: &Link, facts: &DeliveryFacts, message: &Message, why: Malformed) -> PublishMessage {
    let mut map = HeaderMap::new();
    let mut size = 0;
    for (name, values) in message.headers.iter().flat_map(HeaderMap::iter) {
        let obeyed = AsRef::<str>::as_ref(name)
            .to_ascii_lowercase()
            .starts_with("nats-");
        for value in values.iter().filter(|_| !obeyed) {
            size += AsRef::<str>::as_ref(name).len() + value.as_str().len();
            if size <= KEPT_HEADERS {
                map.append(name.clone(), value.as_str());
            }
        }
    }
    let ours: [(HeaderName, String); 3] = [
        (headers::REASON.into_header_name(), why.to_string()),
        (
            headers::SUBJECT.into_header_name(),
            message.subject.to_string(),
        ),
        (
            NATS_MESSAGE_ID,
            format!("refused.{}.{}", facts.stream, facts.sequence),
        ),
    ];
    for (name, value) in ours {
        map.insert(name, value.as_str());
    }
    let limit = link.client.max_payload().saturating_sub(2 * KEPT_HEADERS);
    let payload = message.payload.slice(..message.payload.len().min(limit));
    PublishMessage::build().headers(map).payload(payload)
}
