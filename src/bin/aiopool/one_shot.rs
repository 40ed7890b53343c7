//! Sends one command and prints its answer.

use crate::connection::Connection;
use crate::failure::{Failure, complain};
use crate::output::print;
use crate::watch::{self, Until};
use crate::words;

/// Sends `words` as one command, and prints the answer.
pub(crate) fn run(mut connection: Connection, words: &[String], json: bool) -> Result<(), Failure> {
    let command = match words::line(&asked(words), connection.format()) {
        Ok(command) => command,
        Err(reason) => {
            complain(reason);
            return Err(Failure::Usage);
        }
    };
    let answer = connection.request(&command)?;
    if watch::goes_on(&command, &answer) {
        return watch::follow(&mut connection, &command, &answer, json, Until::Ever);
    }
    print(&command, &answer, json)
}

/// Translates `help COMMAND` into the server's `COMMAND -h`, as the prompt does.
fn asked(words: &[String]) -> Vec<String> {
    match words {
        [help, command @ ..] if help == "help" => [command, &["-h".into()]].concat(),
        _ => words.into(),
    }
}
