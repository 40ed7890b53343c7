use async_nats::Message;
use async_nats::jetstream::Error;
use serde::Deserialize;

use super::link::{StoreError, refusal};
use crate::fleet::error::EngineError;

/// What the server says about a message that it has stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) sequence: u64,
    /// Whether the server had the message before.
    pub(super) duplicate: bool,
}

/// The answer to a message for a stream. One of the first two fields is there.
#[derive(Deserialize)]
struct Acknowledgement {
    error: Option<Error>,
    seq: Option<u64>,
    #[serde(default)]
    duplicate: bool,
}

impl Stored {
    /// Reads the answer to a message for a stream.
    pub(super) fn of(answer: &Message) -> Result<Self, StoreError> {
        if answer.status.is_some() {
            // No server has the stream at the moment.
            return Err(StoreError::Unknown(EngineError::Timeout));
        }
        let acknowledgement = serde_json::from_slice::<Acknowledgement>(&answer.payload)
            .map_err(|error| not_understood(&error.to_string()))?;
        if let Some(error) = acknowledgement.error {
            return Err(refusal(&error));
        }
        match acknowledgement.seq {
            Some(sequence) => Ok(Self {
                sequence,
                duplicate: acknowledgement.duplicate,
            }),
            None => Err(not_understood("there is no sequence number")),
        }
    }
}

fn not_understood(why: &str) -> StoreError {
    StoreError::Unknown(EngineError::Rejected(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &'static str) -> Result<Stored, StoreError> {
        Stored::of(&Message {
            subject: "a".into(),
            reply: None,
            payload: payload.into(),
            headers: None,
            status: None,
            description: None,
            length: 0,
        })
    }

    #[test]
    fn an_answer_says_what_became_of_the_message() {
        let stored = read(r#"{"stream":"W","domain":"hub","seq":7}"#).unwrap();
        assert_eq!((stored.sequence, stored.duplicate), (7, false));
        let known = read(r#"{"stream":"W","seq":3,"duplicate":true,"new":[1]}"#).unwrap();
        assert_eq!((known.sequence, known.duplicate), (3, true));
        let error = |code: u64| {
            let text = format!(
                r#"{{"error":{{"code":400,"err_code":{code},"description":"no"}},"stream":"W","seq":0}}"#
            );
            read(text.leak()).unwrap_err()
        };
        assert!(matches!(error(10071), StoreError::Exists));
        assert!(matches!(
            error(10077),
            StoreError::Refused(EngineError::Full)
        ));
        assert!(matches!(
            error(10054),
            StoreError::Refused(EngineError::Rejected(_))
        ));
    }

    #[test]
    fn an_answer_that_is_none_leaves_open_whether_the_message_is_stored() {
        for payload in ["", "{}", "7", r#"{"seq":-1}"#, r#"{"stream":"W"}"#] {
            let answer = read(payload).unwrap_err();
            assert!(matches!(answer, StoreError::Unknown(_)), "{payload}");
        }
    }
}
