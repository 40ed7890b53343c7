use async_nats::{Client, Subject};

/// The addresses of a worker.
#[derive(Clone, Debug)]
pub(super) struct Inbox {
    /// Where deliveries and echoes go.
    pub(super) tasks: Subject,
    answers: String,
}

/// Which of the messages that are sent for a task an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// That the task has arrived.
    Claim,
    /// The outcome.
    Store,
    /// That the message is done with.
    Acknowledge,
}

impl Inbox {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            tasks: client.new_inbox().into(),
            answers: client.new_inbox(),
        }
    }

    /// Where answers go.
    pub(super) fn answers(&self) -> String {
        format!("{}.*", self.answers)
    }

    /// Where the answer to a message that is sent for the task `key` goes.
    pub(super) fn answer(&self, part: Part, key: u64) -> Subject {
        let part = match part {
            Part::Claim => 'c',
            Part::Store => 's',
            Part::Acknowledge => 'a',
        };
        format!("{}.{part}{key}", self.answers).into()
    }
}

impl Part {
    /// Returns what the answer at this address is for, and for which task.
    pub(super) fn of(subject: &str) -> Option<(Self, u64)> {
        let (_, token) = subject.rsplit_once('.')?;
        let part = match token.chars().next()? {
            'c' => Self::Claim,
            's' => Self::Store,
            'a' => Self::Acknowledge,
            _ => return None,
        };
        Some((part, token[1..].parse().ok()?))
    }
}
