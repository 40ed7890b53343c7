use async_nats::jetstream::message::StreamMessage;

use crate::fleet::nats::link::{Link, envelope_of};
use crate::fleet::wire::Envelope;

/// Where a task is: one of the messages that it has had, in the work stream or in the delayed one.
#[derive(Debug)]
pub(super) struct Position<'m> {
    pub(super) link: &'m Link,
    pub(super) envelope: &'m Envelope,
    pub(super) origin: u64,
    pub(super) sequence: u64,
    /// `true` if the message is in the delayed stream.
    pub(super) delayed: bool,
}

impl Position<'_> {
    /// Returns `true` if the task has an outcome, and `None` if the server does not say.
    pub(super) async fn has_outcome(&self) -> Option<bool> {
        let names = &self.link.names;
        let Envelope { owner, id, .. } = self.envelope;
        let result = names.result(owner, id, self.origin);
        let outcome = self.link.last(&names.result_stream(), &result).await.ok()?;
        Some(outcome.is_some())
    }

    /// Returns `true` if the task has a later message, in one of the two streams.
    pub(super) async fn goes_on(&self) -> Option<bool> {
        let names = &self.link.names;
        let Envelope { group, id, .. } = self.envelope;
        let work = (names.work_stream(), names.work(group, id));
        let delayed = names.delayed(self.origin, group, id);
        let delayed = (names.delayed_stream(), delayed);
        // Twice, as the task may move from the second one to the first one meanwhile.
        for _ in 0..2 {
            for (stream, subject) in [&work, &delayed] {
                let message = self.link.last(stream, subject).await.ok()?;
                let is_delayed = *stream == delayed.0;
                if message.is_some_and(|message| self.is_before(&message, is_delayed)) {
                    return Some(true);
                }
            }
        }
        Some(false)
    }

    fn is_before(&self, message: &StreamMessage, delayed: bool) -> bool {
        envelope_of(self.link, message).is_some_and(|envelope| {
            let place = place(&envelope, delayed, message.sequence);
            envelope.origin == Some(self.origin) && place > place_of(self)
        })
    }
}

fn place_of(position: &Position<'_>) -> Place {
    place(position.envelope, position.delayed, position.sequence)
}

/// A later message of a task is a greater place: each try, and each move, is in the delayed stream before it is in the work
/// stream.
type Place = (u32, u32, bool, u64);

fn place(envelope: &Envelope, delayed: bool, sequence: u64) -> Place {
    (envelope.tries, envelope.moves, !delayed, sequence)
}
