//! A consumer that is ahead of its stream.
//!
//! An old server without replicas that is killed while a stream is empty may forget which numbers it has given, and begin
//! with 1 again. The consumer still knows how far it has come, and would deliver nothing up to there. It is made anew: then
//! it delivers all that is in the stream.

use async_nats::jetstream::consumer::{Info, pull};
use async_nats::jetstream::context::ConsumerInfoErrorKind;

use crate::fleet::nats::link::{Link, message};
use crate::fleet::nats::setup::config_of;

/// A consumer of a pool, as this worker has seen it last.
#[derive(Debug)]
pub(super) struct Renewal {
    link: Link,
    stream: String,
    consumer: &'static str,
    config: Option<pull::Config>,
    /// The claim of another worker that was there at the last look.
    claimed: Option<u64>,
}

impl Renewal {
    pub(super) fn new(link: &Link, stream: &str, consumer: &'static str) -> Self {
        Self {
            link: link.clone(),
            stream: stream.to_owned(),
            consumer,
            config: None,
            claimed: None,
        }
    }

    /// Returns what the server says about the consumer. One that another worker has deleted, and did not live to make anew, is
    /// made by this one.
    pub(super) async fn info(&mut self) -> Option<Info> {
        let stream = self.link.stream(&self.stream).await.ok()?;
        match stream.consumer_info(self.consumer).await {
            Ok(info) => {
                self.config = Some(config_of(&info));
                Some(info)
            }
            Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => {
                let _ = stream.create_consumer(self.config.clone()?).await;
                None
            }
            Err(_) => None,
        }
    }

    /// Makes the consumer anew. One worker does that, as tasks that run would be delivered again with each time.
    pub(super) async fn make(&mut self, info: &Info) -> Option<()> {
        if self.claim(info).await? {
            let stream = self.link.stream(&self.stream).await.ok()?;
            stream.delete_consumer(self.consumer).await.ok()?;
            stream.create_consumer(config_of(info)).await.ok()?;
        }
        Some(())
    }

    /// Returns `true` if this worker is the first one to claim the work, or the one that did has not done it since the last
    /// look.
    async fn claim(&mut self, info: &Info) -> Option<bool> {
        let names = &self.link.names;
        let created = info.created.unix_timestamp_nanos();
        let subject = names.claim(self.consumer, created);
        let claim = self
            .link
            .last(&names.starts_stream(), &subject)
            .await
            .ok()?;
        let claim = claim.map(|claim| claim.sequence);
        if claim.is_some() && self.claimed != claim {
            self.claimed = claim;
            return Some(false);
        }
        let mine = message(None, Vec::new()).expected_last_subject_sequence(claim.unwrap_or(0));
        Some(self.link.store(subject, mine).await.is_ok())
    }
}
