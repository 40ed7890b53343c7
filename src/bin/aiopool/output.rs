//! Prints replies.

use std::io::{self, Write};

use crate::failure::{Failure, complain};
use crate::printable::printable;
use crate::readable::readable;
use crate::reply::{Refusal, Reply};

/// Prints a value to standard output, and a refusal to standard error. JSON always goes to standard output, as it
/// contains which of the two it is.
pub(crate) fn print(command: &str, reply: &Reply, json: bool) -> Result<(), Failure> {
    match reply {
        _ if json => writeln!(io::stdout(), "{}", reply.to_json())?,
        Reply::Done(value) => writeln!(io::stdout(), "{}", readable(command, value))?,
        Reply::Refused(Refusal { message, usage, .. }) => {
            if let Some(usage) = usage {
                let _ = writeln!(io::stderr(), "{}", printable(usage));
            }
            complain(message);
        }
    }
    match reply {
        Reply::Done(_) => Ok(()),
        Reply::Refused(why) if why.kind == "usage" => Err(Failure::Usage),
        Reply::Refused(_) => Err(Failure::Refused),
    }
}
