use super::args::{ArgError, Args};
use super::command::Command;
use super::table::{Entry, PoolKind, commands};
use super::usage::{Usage, names};
use super::words::split;

/// Wrong usage of a command, or a line without a valid command.
#[derive(Debug, PartialEq)]
pub(crate) struct Misuse {
    pub(crate) command: Option<&'static str>,
    pub(crate) message: String,
}

/// Parses a line into a command. This is the only parser of the protocol.
pub(crate) fn parse(line: &str, pool_kind: PoolKind) -> Result<Command, Misuse> {
    let words = split(line).map_err(|unreadable| Misuse {
        command: None,
        message: unreadable.to_string(),
    })?;
    let Some((name, rest)) = words.split_first() else {
        return Err(Misuse {
            command: None,
            message: format!("no command; there are {}", names(pool_kind)),
        });
    };
    if matches!(&**name, "-h" | "--help") {
        return Ok(Command::Help(None));
    }
    match commands(pool_kind).find(|entry| entry.name == name) {
        Some(entry) => parse_command(entry, rest),
        None => Err(Misuse {
            command: None,
            message: format!(
                "there is no command {name:?}; there are {}",
                names(pool_kind)
            ),
        }),
    }
}

fn parse_command(entry: &'static Entry, rest: &[String]) -> Result<Command, Misuse> {
    let misuse = |message| Misuse {
        command: Some(entry.name),
        message,
    };
    match Args::read(entry.arguments, entry.switches, rest) {
        Ok(mut args) => (entry.read)(&mut args).map_err(misuse),
        Err(ArgError::Help) => Ok(Command::Help(Some(entry.name.into()))),
        Err(ArgError::Wrong(message)) => Err(misuse(message)),
    }
}

/// Returns the usage of a command, or of all commands.
pub(crate) fn usage(command: Option<&str>, pool_kind: PoolKind, width: usize) -> Usage {
    let found = commands(pool_kind).find(|found| Some(found.name) == command);
    Usage::new(found, pool_kind, width)
}
