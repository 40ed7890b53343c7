//! What an old server leaves behind when it is killed: see [`passed`](super::passed) and [`anew`](super::anew), and leases of
//! messages that are gone.
//!
//! A server that is killed may have removed the message of a task that is over, and not have written down that its lease is over
//! too. One before 2.12.7 that is started again keeps the lease, and with it the permit, as long as there is an earlier
//! message: whenever the lease has passed it wants to deliver the message, and finds none. A worker acknowledges the numbers of
//! such messages.
//!
//! It acknowledges no message that exists: the numbers are in the stream's own list of those that it has removed, and a stream
//! gives each number once. Only a server that was killed may give some again: an old one whose stream was empty, or one whose
//! machine has lost its power. So nothing is acknowledged once the worker is connected to another server than the one it has
//! asked, or to one that was restarted.

use async_nats::jetstream::consumer::Info;

use super::anew::Renewal;
use super::inbox::server_of;
use super::passed::{Left, Passed};
use crate::fleet::nats::admin::{last_sequence, stream_state};
use crate::fleet::nats::link::Link;
use crate::fleet::nats::setup::{TIMERS, WORKERS};

/// The first version of the server that ends such leases itself.
const ENDS_LEASES: (i64, i64, i64) = (2, 12, 7);

/// Removed messages of which the server is asked for a list. It takes some eight bytes for each.
const MOST_REMOVED: u64 = 100_000;

/// Mends a stream of tasks and its consumer.
#[derive(Debug)]
pub(super) struct Sweeper {
    link: Link,
    stream: String,
    consumer: &'static str,
    renewal: Renewal,
    /// The server at which the leases of removed messages were ended, which is done once after each of its starts.
    ended: Option<String>,
    /// The server at the last sweep, and up to which number the consumer had passed the stream then.
    passed: Option<(String, u64)>,
}

impl Sweeper {
    /// Returns those of a pool: of the tasks that run, and of those between two tries.
    pub(super) fn of(link: &Link) -> [Self; 2] {
        let names = &link.names;
        let sweeper = |stream: String, consumer| Self {
            renewal: Renewal::new(link, &stream, consumer),
            link: link.clone(),
            stream,
            consumer,
            ended: None,
            passed: None,
        };
        [
            sweeper(names.work_stream(), WORKERS),
            sweeper(names.delayed_stream(), TIMERS),
        ]
    }

    /// Returns the last number of the stream, and before that of the control stream.
    ///
    /// `None` for a stream with replicas: one of them may be behind the others for a moment.
    pub(super) async fn last_task(&mut self) -> Option<(u64, u64)> {
        let info = self.renewal.info().await?;
        if info.config.num_replicas > 1 {
            return None;
        }
        let control = self.link.names.control_stream();
        let control = last_sequence(&self.link, &control).await.ok()?;
        let last = last_sequence(&self.link, &self.stream).await.ok()?;
        Some((last, control))
    }

    /// Mends what there is to mend.
    pub(super) async fn sweep(&mut self) {
        let server = server_of(&self.link);
        // The consumer before the stream: what it has passed was stored before.
        let Some(info) = self.renewal.info().await else {
            return;
        };
        self.end_leases(&server, &info).await;
        let _ = self.mend_numbers(server, &info).await;
    }

    /// Sees to messages that the consumer would not deliver.
    async fn mend_numbers(&mut self, server: String, info: &Info) -> Option<()> {
        let state = stream_state(&self.link, &self.stream).await.ok()?;
        if server_of(&self.link) != server {
            return None;
        }
        let floor = info.ack_floor.stream_sequence;
        let before = self.passed.replace((server.clone(), floor));
        // Of replicas, one may be behind the others for a moment.
        if info.config.num_replicas <= 1 && state.last_sequence < info.delivered.stream_sequence {
            return self.renewal.make(info).await;
        }
        // What was passed at the last sweep is not about to be removed.
        let (_, before) = before.filter(|(at, _)| *at == server)?;
        let passed = before.min(floor);
        if state.messages == 0 || state.first_sequence > passed {
            return None;
        }
        let stream = Passed {
            link: &self.link,
            stream: &self.stream,
            server: &server,
        };
        match stream.settle(passed).await {
            Err(Left::Full) => self.renewal.make(info).await,
            _ => None,
        }
    }

    /// Ends the leases of removed messages, unless it is known that there are none.
    async fn end_leases(&mut self, server: &str, info: &Info) {
        let (major, minor, patch) = ENDS_LEASES;
        if self.link.client.is_server_compatible(major, minor, patch) {
            return;
        }
        if info.num_redelivered == 0 {
            // A message that the server has tried to deliver again is counted, whether it was there or not.
            self.ended = None;
        } else if self.ended.as_deref() != Some(server)
            && self.acknowledge(server, info).await.is_some()
        {
            self.ended = Some(server.to_owned());
        }
    }

    /// Acknowledges all that the consumer has delivered and the stream has removed.
    async fn acknowledge(&self, server: &str, info: &Info) -> Option<()> {
        let floor = info.ack_floor.stream_sequence;
        let last = info.delivered.stream_sequence;
        let mut removed = self.removed().await?;
        removed.retain(|sequence| *sequence > floor && *sequence <= last);
        for sequence in removed {
            if server_of(&self.link) != server {
                return None;
            }
            let subject = self.acknowledgement(sequence);
            let sent = self.link.client.publish(subject, "+ACK".into()).await;
            sent.ok()?;
        }
        Some(())
    }

    /// Returns the numbers of the messages that the stream has removed, from its first message to its last.
    async fn removed(&self) -> Option<Vec<u64>> {
        let state = stream_state(&self.link, &self.stream).await.ok()?;
        if state.removed() > MOST_REMOVED {
            return None;
        }
        let stream = self.link.stream(&self.stream).await.ok()?;
        let builder = stream.info_builder().with_deleted(true);
        builder.fetch().await.ok()?.info.state.deleted
    }

    /// Returns the address at which a message is acknowledged, whichever delivery it was: number 0 is no delivery.
    fn acknowledgement(&self, sequence: u64) -> String {
        let (stream, consumer) = (&self.stream, self.consumer);
        format!("$JS.ACK.{stream}.{consumer}.1.{sequence}.0.0.0")
    }
}
