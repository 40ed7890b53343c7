//! Messages that a consumer has passed, and that are in their stream nevertheless.
//!
//! The server removes a message when it is acknowledged, and the consumer never delivers one up to its floor. An old server
//! that was killed may have both: it has forgotten that it has removed a message, or it has given the number of the message
//! a second time, as its stream was empty. In the first case the task is over, and the message is deleted. In the second
//! one nobody has had the task: it is stored again, with its origin, and is delivered as a later message.

use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::message::{PublishMessage, StreamMessage};

use super::inbox::server_of;
use super::position::Position;
use crate::fleet::error::EngineError;
use crate::fleet::nats::admin::next_message;
use crate::fleet::nats::link::{Link, StoreError, envelope_of, header_map};
use crate::fleet::wire::Envelope;

/// Messages that are looked at in one sweep.
const MOST: usize = 2000;

/// A stream of tasks, with the server that has said what is passed.
#[derive(Debug)]
pub(super) struct Passed<'s> {
    pub(super) link: &'s Link,
    pub(super) stream: &'s str,
    pub(super) server: &'s str,
}

/// Why not all of them are gone.
#[derive(Debug)]
pub(super) enum Left {
    /// The stream takes no more messages.
    Full,
    /// The server does not answer, or is another one.
    Unknown,
}

impl Passed<'_> {
    /// Sees to the messages up to the number `last`, in their order.
    pub(super) async fn settle(&self, last: u64) -> Result<(), Left> {
        let mut from = 1;
        for _ in 0..MOST {
            let next = next_message(self.link, self.stream, from).await;
            let Some(message) = known(next.ok())?.filter(|message| message.sequence <= last) else {
                break;
            };
            from = message.sequence + 1;
            let envelope = envelope_of(self.link, &message);
            if !self.is_over(&message, envelope.as_ref()).await? {
                self.store_again(&message, envelope).await?;
            }
            self.delete(message.sequence).await?;
        }
        Ok(())
    }

    async fn is_over(
        &self,
        message: &StreamMessage,
        envelope: Option<&Envelope>,
    ) -> Result<bool, Left> {
        let Some(envelope) = envelope else {
            return Ok(false);
        };
        let position = Position {
            link: self.link,
            envelope,
            origin: envelope.origin.unwrap_or(message.sequence),
            sequence: message.sequence,
            delayed: self.stream == self.link.names.delayed_stream(),
        };
        Ok(known(position.goes_on().await)? || known(position.has_outcome().await)?)
    }

    /// Stores a message again. One that is no task is refused by the worker that gets it.
    async fn store_again(
        &self,
        message: &StreamMessage,
        envelope: Option<Envelope>,
    ) -> Result<(), Left> {
        self.check_server()?;
        let again = PublishMessage::build()
            .headers(headers(message, envelope))
            .payload(message.payload.clone());
        match self.link.store(message.subject.to_string(), again).await {
            Ok(_) => Ok(()),
            Err(StoreError::Refused(EngineError::Full)) => Err(Left::Full),
            Err(_) => Err(Left::Unknown),
        }
    }

    /// Another worker may have deleted it.
    async fn delete(&self, sequence: u64) -> Result<(), Left> {
        self.check_server()?;
        let stream = known(self.link.stream(self.stream).await.ok())?;
        let _ = stream.delete_message(sequence).await;
        Ok(())
    }

    /// Another server, or one that was restarted, may have given the number to another task.
    fn check_server(&self) -> Result<(), Left> {
        known((server_of(self.link) == self.server).then_some(()))
    }
}

fn known<T>(answer: Option<T>) -> Result<T, Left> {
    answer.ok_or(Left::Unknown)
}

/// The headers of a message without those that the server would obey, with the origin, and with an id by which the server
/// knows the second one of two workers that store the message again.
fn headers(message: &StreamMessage, envelope: Option<Envelope>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, values) in message.headers.iter() {
        let text: &str = name.as_ref();
        if !text.to_ascii_lowercase().starts_with("nats-") {
            values
                .iter()
                .for_each(|value| map.append(name.clone(), value.clone()));
        }
    }
    if let Some(envelope) = envelope {
        let origin = envelope.origin.or(Some(message.sequence));
        let header = Envelope { origin, ..envelope }.header();
        for (name, values) in header_map(header).iter() {
            values
                .iter()
                .for_each(|value| map.insert(name.clone(), value.clone()));
        }
    }
    let (sequence, stored) = (message.sequence, message.time.unix_timestamp_nanos());
    map.insert(
        NATS_MESSAGE_ID,
        format!("again.{sequence}.{stored}").as_str(),
    );
    map
}
