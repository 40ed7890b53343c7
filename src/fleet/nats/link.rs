use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, ErrorCode};
use async_nats::message::OutboundMessage;
use async_nats::{Client, HeaderMap, HeaderName, HeaderValue, Message, Subject};
use futures_util::SinkExt;
use tokio::time::Instant;

use super::patience::message_error;
use crate::fleet::error::EngineError;
use crate::fleet::wire::headers::TASK;
use crate::fleet::wire::{Envelope, Header, Malformed, Names};

/// Time that the server has for an answer.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// Messages that may wait for the server's acknowledgement at a time.
const WINDOW: usize = 2048;

/// A connection, with the names of one pool.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) js: jetstream::Context,
    pub(super) names: Names,
}

/// What became of a message that was to be stored.
#[derive(Debug)]
pub(super) enum StoreError {
    /// The server may or may not have it. It is safe to try again, as each message has an id.
    Unknown(EngineError),
    /// The subject has a message already.
    Exists,
    /// The server does not take it.
    Refused(EngineError),
}

impl Link {
    pub(super) fn new(client: Client, names: Names) -> Self {
        let js = ContextBuilder::new()
            .timeout(ANSWER)
            .ack_timeout(ANSWER)
            .max_ack_inflight(WINDOW)
            .build(client.clone());
        Self { client, js, names }
    }

    /// Returns the stream `name`, without asking whether it exists.
    pub(super) async fn stream(&self, name: &str) -> Result<Stream<()>, EngineError> {
        self.js
            .get_stream_no_info(name)
            .await
            .map_err(|error| EngineError::Rejected(error.to_string()))
    }

    /// Sends a message without waiting for it. Its subject is one of [`Names`].
    pub(super) fn post(&mut self, message: OutboundMessage) {
        let mut cx = Context::from_waker(Waker::noop());
        match self.client.poll_ready_unpin(&mut cx) {
            // An error says that the connection has ended for ever, which everybody else hears.
            Poll::Ready(ready) => drop(ready.and_then(|()| self.client.start_send_unpin(message))),
            Poll::Pending => self.post_later(message),
        }
    }

    /// The connection is behind: a task waits for it. Messages still go out in the order of the calls.
    #[cold]
    fn post_later(&mut self, message: OutboundMessage) {
        // The task takes the client that has asked for a place. The clone has not, and asks behind it.
        let clone = self.client.clone();
        let mut client = std::mem::replace(&mut self.client, clone);
        tokio::spawn(async move { client.feed(message).await });
    }

    /// Stores a message, once: what comes back is its sequence number.
    pub(super) async fn store(
        &self,
        subject: String,
        message: PublishMessage,
    ) -> Result<u64, StoreError> {
        let acknowledgement = self
            .js
            .send_publish(subject, message)
            .await
            .map_err(|error| store_error(&error))?;
        acknowledgement
            .await
            .map(|stored| stored.sequence)
            .map_err(|error| store_error(&error))
    }

    /// Stores a message, and tries again while the connection is lost, for at most `patience`.
    pub(super) async fn store_patiently(
        &self,
        subject: &str,
        message: &PublishMessage,
        patience: Duration,
    ) -> Result<u64, StoreError> {
        let ends = Instant::now().checked_add(patience);
        loop {
            match self.store(subject.to_owned(), message.clone()).await {
                Err(StoreError::Unknown(error)) if ends.is_some_and(|at| Instant::now() >= at) => {
                    return Err(StoreError::Unknown(error));
                }
                Err(StoreError::Unknown(_)) => tokio::time::sleep(RETRY_PAUSE).await,
                settled => return settled,
            }
        }
    }

    /// Returns the last message of `subject` in `stream`, as the leader of the stream has it.
    pub(super) async fn last(
        &self,
        stream: &str,
        subject: &str,
    ) -> Result<Option<StreamMessage>, EngineError> {
        let stream = self.stream(stream).await?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(Some(message)),
            Err(error) => message_error(&error).map_or(Ok(None), Err),
        }
    }
}

/// Returns a message without headers that wants no answer.
pub(super) fn outbound(subject: impl Into<Subject>, payload: Vec<u8>) -> OutboundMessage {
    OutboundMessage {
        subject: subject.into(),
        reply: None,
        payload: payload.into(),
        headers: None,
    }
}

/// Time before a message is sent again.
pub(super) const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Returns `header` as the client of NATS wants it.
pub(super) fn header_map((name, value): Header) -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert(HeaderName::from_static(name), value);
    map
}

/// Returns the value of a header of `message`.
pub(super) fn header_of<'m>(message: &'m Message, name: &'static str) -> Option<&'m str> {
    header_in(message.headers.as_ref()?, name)
}

/// Reads a message of the work stream, or of the delayed one.
pub(super) fn envelope(link: &Link, message: &Message) -> Result<Envelope, Malformed> {
    Envelope::parse(&link.names, &message.subject, header_of(message, TASK))
}

/// Returns the envelope of a message that was looked up in a stream.
pub(super) fn envelope_of(link: &Link, message: &StreamMessage) -> Option<Envelope> {
    let header = header_in(&message.headers, TASK);
    Envelope::parse(&link.names, &message.subject, header).ok()
}

pub(super) fn header_in<'m>(headers: &'m HeaderMap, name: &'static str) -> Option<&'m str> {
    let value = headers.get(HeaderName::from_static(name));
    value.map(HeaderValue::as_str)
}

/// Returns a message for a stream.
pub(super) fn message(header: Option<Header>, payload: Vec<u8>) -> PublishMessage {
    let message = PublishMessage::build().payload(payload.into());
    match header {
        Some(header) => message.headers(header_map(header)),
        None => message,
    }
}

pub(super) fn store_error(error: &PublishError) -> StoreError {
    match error.kind() {
        PublishErrorKind::TimedOut | PublishErrorKind::StreamNotFound => {
            StoreError::Unknown(EngineError::Timeout)
        }
        PublishErrorKind::BrokenPipe | PublishErrorKind::MaxAckPending => {
            StoreError::Unknown(EngineError::Disconnected)
        }
        PublishErrorKind::WrongLastSequence => StoreError::Exists,
        _ => store_error_of_server(error),
    }
}

fn store_error_of_server(error: &PublishError) -> StoreError {
    let source = std::error::Error::source(error);
    match source.and_then(|source| source.downcast_ref::<jetstream::Error>()) {
        Some(error) => refusal(error),
        None => StoreError::Refused(EngineError::Rejected(error.to_string())),
    }
}

/// Returns what it means that the server does not store a message.
pub(super) fn refusal(error: &jetstream::Error) -> StoreError {
    let rejected = || EngineError::Rejected(error.to_string());
    match error.error_code() {
        MAXIMUM_MESSAGES => StoreError::Refused(EngineError::Full),
        ErrorCode::STREAM_WRONG_LAST_SEQUENCE => StoreError::Exists,
        ErrorCode::CLUSTER_NOT_AVAILABLE | ErrorCode::INSUFFICIENT_RESOURCES => {
            StoreError::Unknown(rejected())
        }
        _ => StoreError::Refused(rejected()),
    }
}

/// The stream holds as many messages as it may.
const MAXIMUM_MESSAGES: ErrorCode = ErrorCode::STREAM_STORE_FAILED;
