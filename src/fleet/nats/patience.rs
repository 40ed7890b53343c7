//! Questions to the server that it may answer later: while the connection is lost, it is restarted, or its cluster elects a
//! leader.

use std::error::Error;
use std::time::Duration;

use async_nats::jetstream::context::{ConsumerInfoError, ConsumerInfoErrorKind};
use async_nats::jetstream::context::{RequestError, RequestErrorKind};
use async_nats::jetstream::stream::{ConsumerUpdateError, ConsumerUpdateErrorKind};
use async_nats::jetstream::stream::{RawMessageError, RawMessageErrorKind};
use async_nats::jetstream::{self, ErrorCode};
use tokio::time::Instant;

use super::link::RETRY_PAUSE;
use crate::fleet::error::EngineError;

/// Asks until the server answers, for at most `patience`.
pub(super) async fn patiently<T, F>(
    patience: Duration,
    ask: impl Fn() -> F,
) -> Result<T, EngineError>
where
    F: Future<Output = Result<T, EngineError>>,
{
    let ends = Instant::now().checked_add(patience);
    loop {
        match ask().await {
            Err(EngineError::Timeout) if ends.is_none_or(|ends| Instant::now() < ends) => {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            answer => return answer,
        }
    }
}

/// Returns the error of a request to the server's API.
pub(super) fn request_error(error: &RequestError) -> EngineError {
    match (error.kind(), cause::<jetstream::Error>(error)) {
        (RequestErrorKind::TimedOut | RequestErrorKind::NoResponders, _) => EngineError::Timeout,
        (_, Some(error)) => server_error(error),
        _ => EngineError::Rejected(error.to_string()),
    }
}

/// Returns the error of a question about a consumer.
pub(super) fn consumer_error(error: &ConsumerInfoError) -> EngineError {
    match error.kind() {
        ConsumerInfoErrorKind::TimedOut
        | ConsumerInfoErrorKind::NoResponders
        | ConsumerInfoErrorKind::Offline => EngineError::Timeout,
        ConsumerInfoErrorKind::JetStream(error) => server_error(&error),
        _ => EngineError::Rejected(error.to_string()),
    }
}

/// Returns the error of a change of a consumer.
pub(super) fn update_error(error: &ConsumerUpdateError) -> EngineError {
    match error.kind() {
        ConsumerUpdateErrorKind::TimedOut => EngineError::Timeout,
        ConsumerUpdateErrorKind::JetStream(error) => server_error(&error),
        _ => cause(error).map_or_else(|| EngineError::Rejected(error.to_string()), request_error),
    }
}

/// Returns the error of a question for a message, unless there is none.
pub(super) fn message_error(error: &RawMessageError) -> Option<EngineError> {
    match error.kind() {
        RawMessageErrorKind::NoMessageFound => None,
        RawMessageErrorKind::JetStream(error) => Some(server_error(&error)),
        _ => Some(
            cause(error).map_or_else(|| EngineError::Rejected(error.to_string()), request_error),
        ),
    }
}

/// Returns what it means that the server has answered with this error.
fn server_error(error: &jetstream::Error) -> EngineError {
    match error.error_code() {
        ErrorCode::CLUSTER_NOT_AVAILABLE
        | ErrorCode::CLUSTER_NOT_LEADER
        | ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::STREAM_OFFLINE
        | ErrorCode::CONSUMER_OFFLINE => EngineError::Timeout,
        _ => EngineError::Rejected(error.to_string()),
    }
}

fn cause<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    error.source()?.downcast_ref()
}
