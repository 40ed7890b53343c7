use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::refusal::Refusal;
use super::reply::Reply;
use super::text;

/// The format of the answers to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text in the notation of Python, as asyncio-taskpool writes it.
    #[default]
    Text,
    /// One JSON object in each line.
    Json,
}

impl Format {
    /// Returns the text of an answer, with a `\n` at its end.
    pub(crate) fn write(self, result: &Result<Reply, Refusal>) -> String {
        let mut line = match self {
            Self::Text => text::write(result),
            Self::Json => Answer::from(result).to_string(),
        };
        line.push('\n');
        line
    }
}
