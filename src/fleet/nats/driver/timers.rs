//! Tasks between two tries, and those that go behind the others: see [`size`](super::size).
//!
//! They are messages of the delayed stream, which one durable consumer hands out to any worker. A worker that gets one
//! before it is due gives it back with a delay, which the server keeps; a task that is due goes back into the work
//! stream. No permit of the pool is held meanwhile, on any version of the server.

use std::time::Duration;

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::message::PublishMessage;
use futures_util::StreamExt;
use tokio::sync::mpsc::UnboundedSender;

use super::intake::{facts, refuse};
use super::state::State;
use super::steps::{Step, confirmed};
use super::tasks::now_millis;
use crate::fleet::fence::FencedTask;
use crate::fleet::nats::link::{Link, StoreError, envelope, header_map, message};
use crate::fleet::nats::setup::TIMERS;
use crate::fleet::wire::{Envelope, Failure, Malformed, Outcome};

/// Messages that are asked for at a time.
const BATCH: usize = 64;

/// Time after which the server ends such a request. The next one has the same address: what the server sends in between
/// arrives.
const EXPIRES: Duration = Duration::from_secs(5);

/// How often the server says that it still has the request.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Longest delay that the server keeps, so that a cancelled task ends before its next try would begin.
const LONGEST: u64 = 10_000;

/// A task of the delayed stream.
#[derive(Debug)]
pub(super) struct Delayed {
    envelope: Envelope,
    origin: u64,
    arguments: Vec<u8>,
    reply: String,
}

impl State {
    /// Decides what becomes of a task of the delayed stream.
    pub(super) fn delayed(&self, delayed: Delayed) {
        let cancelled = self.fences.cover(FencedTask {
            id: &delayed.envelope.id,
            group: &delayed.envelope.group,
            batch: delayed.envelope.batch.as_deref(),
            origin: delayed.origin,
        });
        let link = self.link.clone();
        tokio::spawn(async move {
            let due = delayed.envelope.due.unwrap_or(0);
            let left = due.saturating_sub(now_millis()).min(LONGEST);
            let answer = if cancelled {
                end(&link, &delayed).await
            } else if left > 0 {
                format!("-NAK {{\"delay\":{}}}", left * 1_000_000)
            } else {
                resume(&link, &delayed).await
            };
            confirmed(&link, &delayed.reply, &answer).await;
        });
    }
}

/// Hands the tasks of the delayed stream to the driver, until it ends.
pub(super) async fn run(link: Link, steps: UnboundedSender<Step>) {
    while !steps.is_closed() {
        if read(&link, &steps).await.is_none() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

async fn read(link: &Link, steps: &UnboundedSender<Step>) -> Option<()> {
    let stream = link.names.delayed_stream();
    let consumer: PullConsumer = link
        .js
        .get_consumer_from_stream(TIMERS, stream)
        .await
        .ok()?;
    let pulling = consumer.stream().max_messages_per_batch(BATCH);
    let pulling = pulling.expires(EXPIRES).heartbeat(HEARTBEAT);
    let mut messages = pulling.messages().await.ok()?;
    loop {
        let message = tokio::select! {
            () = steps.closed() => return Some(()),
            message = messages.next() => message?.ok()?.message,
        };
        match delayed(link, &message) {
            Ok(delayed) => drop(steps.send(Step::Delayed(Box::new(delayed)))),
            Err(why) => {
                if let Some(facts) = facts(&message, link) {
                    tokio::spawn(refuse(link.clone(), facts, message, why));
                    let _ = steps.send(Step::Refused);
                }
            }
        }
    }
}

fn delayed(link: &Link, message: &async_nats::Message) -> Result<Delayed, Malformed> {
    let envelope = envelope(link, message)?;
    let place = link.names.place(&message.subject);
    let origin = place.and_then(|place| place.origin);
    Ok(Delayed {
        envelope,
        origin: origin.ok_or(Malformed::Subject)?,
        arguments: message.payload.to_vec(),
        reply: message.reply.as_deref().unwrap_or_default().to_owned(),
    })
}

/// Gives up a cancelled task. Returns the answer to the server: done, or again.
async fn end(link: &Link, delayed: &Delayed) -> String {
    let Envelope { owner, id, .. } = &delayed.envelope;
    let outcome = Outcome::Failed(Failure::Cancelled);
    let subject = link.names.result(owner, id, delayed.origin);
    let message =
        message(Some(outcome.header()), outcome.into_payload()).expected_last_subject_sequence(0);
    answer(&link.store(subject, message).await)
}

/// Puts a task that is due back into the work stream.
async fn resume(link: &Link, delayed: &Delayed) -> String {
    let envelope = Envelope {
        due: None,
        ..delayed.envelope.clone()
    };
    let subject = link.names.work(&envelope.group, &envelope.id);
    let mut headers = header_map(envelope.header());
    let id = envelope.message_id(delayed.origin);
    headers.insert(NATS_MESSAGE_ID, id.as_str());
    let message = PublishMessage::build()
        .headers(headers)
        .payload(delayed.arguments.clone().into());
    answer(&link.store(subject, message).await)
}

fn answer(stored: &Result<u64, StoreError>) -> String {
    match stored {
        Ok(_) | Err(StoreError::Exists) => "+ACK".to_owned(),
        Err(_) => "-NAK {\"delay\":1000000000}".to_owned(),
    }
}
