use serde::{Deserialize, Serialize};

use super::headers::{Header, OUTCOME};
use super::limits::LONGEST_TEXT;
use crate::fleet::error::JobError;

/// What became of a task: the one message that its owner reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The job's result, in the codec of the job.
    Done(Vec<u8>),
    /// Why there is none.
    Failed(Failure),
}

/// The failure of a task, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Failure {
    Failed(String),
    Panicked(String),
    Cancelled,
    Dead { attempts: u32 },
    Unknown { job: String },
    Decode(String),
    Expired,
    Version,
    TooLarge { bytes: usize, limit: usize },
    NotFound,
}

impl Outcome {
    pub(crate) fn header(&self) -> Header {
        let kind = match self {
            Self::Done(_) => "done",
            Self::Failed(_) => "failed",
        };
        (OUTCOME, kind.to_owned())
    }

    pub(crate) fn into_payload(self) -> Vec<u8> {
        match self {
            Self::Done(result) => result,
            Self::Failed(failure) => serde_json::to_vec(&failure).unwrap_or_default(),
        }
    }

    /// Cuts the text of a failure, which may be of any length.
    pub(crate) fn shortened(self) -> Self {
        let cut = |mut text: String| {
            let end = (0..=LONGEST_TEXT)
                .rev()
                .find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or(0));
            text
        };
        match self {
            Self::Failed(Failure::Failed(why)) => Self::Failed(Failure::Failed(cut(why))),
            Self::Failed(Failure::Panicked(why)) => Self::Failed(Failure::Panicked(cut(why))),
            Self::Failed(Failure::Decode(why)) => Self::Failed(Failure::Decode(cut(why))),
            other => other,
        }
    }

    /// Reads an outcome, and returns `None` if the message is none. `kind` is its header.
    pub(crate) fn parse(kind: Option<&str>, payload: &[u8]) -> Option<Self> {
        match kind? {
            "done" => Some(Self::Done(payload.to_vec())),
            "failed" => serde_json::from_slice(payload).ok().map(Self::Failed),
            _ => None,
        }
    }
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Failed(why) => Self::Failed(why),
            Failure::Panicked(message) => Self::Panicked(message),
            Failure::Cancelled => Self::Cancelled,
            Failure::Dead { attempts } => Self::Dead { attempts },
            Failure::Unknown { job } => Self::Unknown { job },
            Failure::Decode(why) => Self::Decode(why),
            Failure::Expired => Self::Expired,
            Failure::Version => Self::Version,
            Failure::TooLarge { bytes, limit } => Self::TooLarge { bytes, limit },
            Failure::NotFound => Self::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_of_a_failure_is_cut_between_two_characters() {
        let long = Outcome::Failed(Failure::Failed("é".repeat(LONGEST_TEXT)));
        let Outcome::Failed(Failure::Failed(text)) = long.shortened() else {
            panic!("it is another outcome");
        };
        assert_eq!(text, "é".repeat(LONGEST_TEXT / 2));
        let short = Outcome::Failed(Failure::Panicked("x".into()));
        assert_eq!(short.clone().shortened(), short);
    }

    #[test]
    fn an_outcome_is_read_as_it_was_written_and_anything_else_is_none() {
        let failures = [
            Failure::Failed("no disk".into()),
            Failure::Cancelled,
            Failure::Dead { attempts: 5 },
            Failure::TooLarge { bytes: 2, limit: 1 },
        ];
        let outcomes = failures.map(Outcome::Failed);
        for outcome in outcomes.into_iter().chain([Outcome::Done(b"[1]".to_vec())]) {
            let (_, kind) = outcome.header();
            let payload = outcome.clone().into_payload();
            assert_eq!(Outcome::parse(Some(&kind), &payload), Some(outcome));
        }
        assert_eq!(Outcome::parse(None, b"1"), None);
        assert_eq!(Outcome::parse(Some("failed"), b"{\"x\":"), None);
        assert_eq!(Outcome::parse(Some("other"), b"1"), None);
    }
}
