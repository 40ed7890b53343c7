use std::ops::ControlFlow;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy, push};
use futures_util::StreamExt;

use super::link::{Link, RETRY_PAUSE};
use crate::fleet::error::EngineError;

/// Reads the messages of a stream in order, each once, and goes on where it was after a lost connection.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) link: Link,
    pub(super) stream: String,
    pub(super) filter: String,
    /// Sequence number of the first message to read.
    pub(super) from: u64,
}

/// What a [`Tail`] reads.
#[derive(Debug)]
pub(super) enum TailItem {
    Message {
        message: Box<Message>,
        sequence: u64,
    },
    /// All messages that were stored before the tail began are read.
    CaughtUp,
    /// The server does not send any more. The tail goes on behind the last message, by itself.
    Interrupted,
}

impl Tail {
    /// Reads until `read` breaks.
    pub(super) async fn run(mut self, mut read: impl FnMut(TailItem) -> ControlFlow<()>) {
        let mut caught_up = false;
        loop {
            if self.read_some(&mut read, &mut caught_up).await.is_break() {
                return;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Reads until the consumer is gone.
    async fn read_some(
        &mut self,
        read: &mut impl FnMut(TailItem) -> ControlFlow<()>,
        caught_up: &mut bool,
    ) -> ControlFlow<()> {
        let Ok((pending, mut messages)) = self.open().await else {
            return ControlFlow::Continue(());
        };
        if pending == 0 && !std::mem::replace(caught_up, true) {
            read(TailItem::CaughtUp)?;
        }
        while let Some(item) = messages.next().await {
            // Where a heartbeat is missing, the consumer says so and goes on. After a lost connection it does so silently.
            let Ok(message) = item else {
                read(TailItem::Interrupted)?;
                continue;
            };
            let Ok(info) = message.info() else { continue };
            let (sequence, pending) = (info.stream_sequence, info.pending);
            if sequence >= self.from {
                self.from = sequence + 1;
                let message = Box::new(message);
                read(TailItem::Message { message, sequence })?;
            }
            if pending == 0 && !std::mem::replace(caught_up, true) {
                read(TailItem::CaughtUp)?;
            }
        }
        ControlFlow::Continue(())
    }

    async fn open(&self) -> Result<(u64, push::Ordered), EngineError> {
        let failed = |error: &dyn std::fmt::Display| EngineError::Rejected(error.to_string());
        let stream = self.link.stream(&self.stream).await?;
        let consumer = stream
            .create_consumer(push::OrderedConfig {
                deliver_subject: self.link.client.new_inbox(),
                filter_subject: self.filter.clone(),
                replay_policy: ReplayPolicy::Instant,
                deliver_policy: DeliverPolicy::ByStartSequence {
                    start_sequence: self.from.max(1),
                },
                ..Default::default()
            })
            .await
            .map_err(|error| failed(&error))?;
        let pending = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(|error| failed(&error))?;
        Ok((pending, messages))
    }
}
