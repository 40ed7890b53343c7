use std::sync::Arc;

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Duration;

use super::link::{Link, StoreError, header_map, store_error};
use super::waiters::Waiters;
use crate::fleet::error::EngineError;
use crate::fleet::wire::Envelope;

/// A task that is to be stored.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) envelope: Envelope,
    pub(crate) arguments: Vec<u8>,
    /// Told when the server has the task, or refuses it.
    pub(crate) stored: Option<oneshot::Sender<Result<(), EngineError>>>,
    /// Dropped when the task is no longer under way to the server.
    pub(crate) under_way: Option<mpsc::Sender<()>>,
}

/// Sends tasks to the server, in the order of their submission.
#[derive(Clone, Debug)]
pub(super) struct Publisher {
    pub(super) link: Link,
    pub(super) waiters: Arc<Waiters>,
    /// Tasks that the server has had under the same id before.
    pub(super) duplicates: mpsc::UnboundedSender<(String, u64)>,
    pub(super) patience: Duration,
}

impl Publisher {
    pub(super) async fn run(self, mut submissions: mpsc::UnboundedReceiver<Submission>) {
        let publisher = Arc::new(self);
        while let Some(submission) = submissions.recv().await {
            let subject = publisher.subject(&submission.envelope);
            let js = &publisher.link.js;
            let sent = js.send_publish(subject, message(&submission)).await;
            let publisher = publisher.clone();
            tokio::spawn(async move { publisher.settle(submission, sent).await });
        }
    }

    /// Waits for the server's acknowledgement, and tries again if there is none.
    async fn settle(
        &self,
        submission: Submission,
        sent: Result<PublishAckFuture, async_nats::jetstream::context::PublishError>,
    ) {
        let first = match sent {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        let stored = match first.map_err(|error| store_error(&error)) {
            Ok(stored) => Ok(stored),
            // Boxed: it is seldom needed, and large.
            Err(StoreError::Unknown(_)) => Box::pin(self.again(&submission)).await,
            Err(StoreError::Exists) => Err(EngineError::Rejected("wrong sequence".to_owned())),
            Err(StoreError::Refused(error)) => Err(error),
        };
        self.tell(submission, stored);
    }

    async fn again(&self, submission: &Submission) -> Result<PublishAck, EngineError> {
        let subject = self.subject(&submission.envelope);
        let stored = self
            .link
            .store_patiently(&subject, &message(submission), self.patience)
            .await;
        match stored {
            // A message that has got lost and one whose acknowledgement has got lost look the same from here.
            Ok(sequence) => Ok(PublishAck {
                sequence,
                duplicate: true,
                ..Default::default()
            }),
            Err(StoreError::Unknown(error) | StoreError::Refused(error)) => Err(error),
            Err(StoreError::Exists) => Err(EngineError::Rejected("wrong sequence".to_owned())),
        }
    }

    fn tell(&self, submission: Submission, stored: Result<PublishAck, EngineError>) {
        let id = &submission.envelope.id;
        match &stored {
            Ok(stored) => {
                self.waiters.accepted(id, stored.sequence);
                if stored.duplicate {
                    let _ = self.duplicates.send((id.clone(), stored.sequence));
                }
            }
            Err(error) => self.waiters.refused(id, error),
        }
        if let Some(waiting) = submission.stored {
            let _ = waiting.send(stored.map(drop));
        }
        drop(submission.under_way);
    }

    fn subject(&self, envelope: &Envelope) -> String {
        self.link.names.work(&envelope.group, &envelope.id)
    }
}

/// The id of the message makes the server recognize a task that it has had before.
fn message(submission: &Submission) -> PublishMessage {
    let mut headers = header_map(&submission.envelope.headers());
    headers.insert(
        NATS_MESSAGE_ID,
        format!("task.{}", submission.envelope.id).as_str(),
    );
    PublishMessage::build()
        .headers(headers)
        .payload(submission.arguments.clone().into())
}
