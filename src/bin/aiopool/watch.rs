//! `watch`: one command whose answers go on until the next line.

use std::io::{self, BufRead, Write};
use std::thread;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::one_shot::print;
use crate::reply::Reply;

/// What ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The end of the program, or of the server.
    Ever,
    /// The Enter key.
    Enter,
    /// The first answer.
    Once,
}

/// Whether more answers follow this one.
pub(crate) fn goes_on(command: &str, reply: &Reply) -> bool {
    let watches = command.split_whitespace().next() == Some("watch");
    watches && matches!(reply, Reply::Done(value) if value.get("active").is_some())
}

/// Prints the answers as they come, from the `first` on.
pub(crate) fn follow(
    connection: &mut Connection,
    command: &str,
    first: &Reply,
    json: bool,
    until: Until,
) -> Result<(), Failure> {
    end(connection, until)?;
    print(command, first, json)?;
    loop {
        match connection.next_reply()? {
            reply if !goes_on(command, &reply) => return Ok(()),
            // It has been asked for an end, and had more to say meanwhile.
            _ if until == Until::Once => {}
            reply => print(command, &reply, json)?,
        }
    }
}

/// Ends it, or has it ended in time: any line does, and an empty one does no more.
fn end(connection: &Connection, until: Until) -> Result<(), Failure> {
    let mut quiet = connection.sender()?;
    match until {
        Until::Ever => {}
        Until::Once => quiet.send("").map_err(|error| connection.lost(error))?,
        Until::Enter => {
            writeln!(io::stdout(), "Enter ends it.")?;
            thread::spawn(move || {
                let _ = io::stdin().lock().read_line(&mut String::new());
                quiet.send("")
            });
        }
    }
    Ok(())
}
