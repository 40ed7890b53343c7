//! Sends one command and prints its answer.

use std::io::{self, Write};

use crate::connection::Connection;
use crate::failure::{Failure, complain};
use crate::printable::printable;
use crate::readable::readable;
use crate::reply::{Refusal, Reply};
use crate::watch::{self, Until};
use crate::words;

/// Sends `words` as one command, and prints the answer.
pub(crate) fn run(mut connection: Connection, words: &[String], json: bool) -> Result<(), Failure> {
    let command = match words::line(&asked(words), connection.wire()) {
        Ok(command) => command,
        Err(reason) => {
            complain(reason);
            return Err(Failure::Usage);
        }
    };
    let reply = connection.ask(&command)?;
    if watch::goes_on(&command, &reply) {
        return watch::follow(&mut connection, &command, &reply, json, Until::Ever);
    }
    print(&command, &reply, json)
}

/// Translates `help COMMAND` into the server's `COMMAND -h`, as the prompt does.
fn asked(words: &[String]) -> Vec<String> {
    match words {
        [help, command @ ..] if help == "help" => [command, &["-h".into()]].concat(),
        _ => words.into(),
    }
}

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
