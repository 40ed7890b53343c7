//! Prints answers.

use std::borrow::Cow;
use std::io::{self, Write};

use aiopool::control::protocol::{Answer, RefusalKind};
use serde_json::{Value, json};

use crate::failure::{Failure, complain};
use crate::printable::printable;
use crate::readable::readable;

/// Prints a value to standard output, and a refusal to standard error. JSON always goes to standard output, as it
/// contains which of the two it is.
pub(crate) fn print(command: &str, answer: &Answer, json: bool) -> Result<(), Failure> {
    match answer {
        _ if json => writeln!(io::stdout(), "{answer}")?,
        Answer::Done { value, more } => {
            let value = with_more(value, *more);
            writeln!(io::stdout(), "{}", readable(command, &value))?;
        }
        Answer::Refused { refusal } => {
            if let Some(usage) = &refusal.usage {
                let _ = writeln!(io::stderr(), "{}", printable(usage));
            }
            complain(&refusal.message);
        }
    }
    match answer {
        Answer::Done { .. } => Ok(()),
        Answer::Refused { refusal } if refusal.kind == RefusalKind::Usage => Err(Failure::Usage),
        Answer::Refused { .. } => Err(Failure::Refused),
    }
}

/// Puts the number of groups that are not listed beside their list, as a list of tasks has it.
fn with_more(value: &Value, more: Option<usize>) -> Cow<'_, Value> {
    match more {
        Some(more) => Cow::Owned(json!({ "groups": value, "more": more })),
        None => Cow::Borrowed(value),
    }
}
