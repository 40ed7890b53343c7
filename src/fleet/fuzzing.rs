//! What the fuzzers in `fuzz/` try about the messages of a fleet. Each function takes one input, which may be anything,
//! and panics if a promise is broken.
//!
//! An input is a message as text: a line with its subject, a line `name: value` for each header, an empty line, and the
//! payload.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::JobError;
use super::wire::headers::{EVENT, OUTCOME, TASK};
use super::wire::limits::{LONGEST_TEXT, MAX_DELAYS};
use super::wire::{
    Control, Envelope, Event, Failure, Names, Outcome, Question, WorkerReply, is_name,
};

/// Reads the message as a task. What is read is written as a header that is read as the same again, and holds no more than
/// that is long.
pub fn task(input: &[u8]) {
    let message = Message::of(input);
    let names = Names::new("thumbs".to_owned());
    let Ok(envelope) = Envelope::parse(&names, message.subject, message.header(TASK)) else {
        return;
    };
    let envelope = Envelope {
        readable: true,
        ..envelope
    };
    assert_eq!(envelope, read_again(&envelope));
    let named = [
        &envelope.id,
        &envelope.group,
        &envelope.job,
        &envelope.owner,
    ];
    assert!(
        named
            .into_iter()
            .chain(&envelope.batch)
            .all(|name| is_name(name))
    );
    assert!(envelope.retry.len() <= MAX_DELAYS.min(input.len()));

    let (id, group, owner) = (&*envelope.id, &*envelope.group, &*envelope.owner);
    assert_eq!(
        names.tokens("w", &names.work(group, id)),
        Some(vec![group, id])
    );
    assert_eq!(
        names.tokens("e", &names.event(owner, id)),
        Some(vec![owner, id])
    );
    assert_eq!(names.tokens("r", &names.work(group, id)), None);

    if let Some(next) = envelope.next_try(envelope.origin.unwrap_or(1), None, u64::MAX / 2) {
        assert_eq!(next, read_again(&next));
        assert_eq!(next.retry, envelope.retry[1..]);
        assert!(next.due >= Some(u64::MAX / 2));
    }
}

/// Reads the message as everything else that a client or a worker reads. What is read is written as a message that is
/// read as the same again.
pub fn message(input: &[u8]) {
    let message = Message::of(input);
    outcome(&message);
    control(&message);
    if let Some(event) = Event::parse(message.header(EVENT), message.payload) {
        let ((_, kind), payload) = (event.header(), event.clone().payload());
        assert_eq!(Event::parse(Some(&kind), &payload), Some(event));
    }
    as_json::<Question>(message.payload);
    as_json::<WorkerReply>(message.payload);
}

fn outcome(message: &Message<'_>) {
    let Some(outcome) = Outcome::parse(message.header(OUTCOME), message.payload) else {
        return;
    };
    let shortened = outcome.clone().shortened();
    for outcome in [outcome, shortened.clone()] {
        let ((_, kind), payload) = (outcome.header(), outcome.clone().into_payload());
        assert_eq!(Outcome::parse(Some(&kind), &payload), Some(outcome));
    }
    if let Outcome::Failed(failure) = shortened {
        if let Failure::Failed(text) | Failure::Panicked(text) | Failure::Decode(text) = &failure {
            assert!(text.len() <= LONGEST_TEXT);
        }
        assert!(!JobError::from(failure).to_string().is_empty());
    }
}

fn control(message: &Message<'_>) {
    let names = Names::new("p".to_owned());
    if let Ok(control) = Control::parse(&names, message.subject, message.payload) {
        let (subject, payload) = control.message(&names);
        assert_eq!(subject, message.subject);
        assert_eq!(Control::parse(&names, &subject, &payload), Ok(control));
    }
}

fn as_json<T: Serialize + DeserializeOwned>(payload: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<T>(payload) {
        let written = serde_json::to_string(&read).expect("it is written as JSON");
        let again: T = serde_json::from_str(&written).expect("it is read again");
        assert_eq!(serde_json::to_string(&again).ok(), Some(written));
    }
}

fn read_again(envelope: &Envelope) -> Envelope {
    let (names, (_, header)) = (Names::new("p".to_owned()), envelope.header());
    let subject = names.work(&envelope.group, &envelope.id);
    let again = Envelope::parse(&names, &subject, Some(&header));
    again.expect("an envelope is read as it was written")
}

struct Message<'m> {
    subject: &'m str,
    headers: Vec<(&'m str, &'m str)>,
    payload: &'m [u8],
}

impl<'m> Message<'m> {
    fn of(input: &'m [u8]) -> Self {
        let end = input.windows(2).position(|bytes| bytes == b"\n\n");
        let (head, payload) = match end {
            Some(end) => (&input[..end], &input[end + 2..]),
            None => (input, &input[input.len()..]),
        };
        let mut lines = std::str::from_utf8(head).unwrap_or_default().split('\n');
        Self {
            subject: lines.next().unwrap_or_default(),
            headers: lines.filter_map(|line| line.split_once(": ")).collect(),
            payload,
        }
    }

    fn header(&self, name: &str) -> Option<&'m str> {
        let mut found = self.headers.iter().filter(|header| header.0 == name);
        found.next().map(|header| header.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::each_seed;

    #[test]
    fn every_seed_of_the_fleet_fuzzers_keeps_the_promises() {
        each_seed("fleet_task", task);
        each_seed("fleet_message", message);
    }
}
