//! One command, its answer, and back to the shell.

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

/// `help` is what the server calls `-h`, here as at the prompt.
fn asked(words: &[String]) -> Vec<String> {
    match words {
        [help, command @ ..] if help == "help" => [command, &["-h".into()]].concat(),
        _ => words.into(),
    }
}

/// A value goes to the standard output, a refusal to the standard error; JSON says itself which it is.
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
