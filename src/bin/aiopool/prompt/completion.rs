//! What Tab offers: the commands that this server has.

use rustyline::completion::Completer;
use rustyline::{Context, Helper, Highlighter, Hinter, Validator};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::reply::Reply;

/// The commands, read from the server's own help: pools of different kinds have different ones.
#[derive(Debug, Helper, Highlighter, Hinter, Validator)]
pub(super) struct Commands {
    names: Vec<String>,
}

impl Commands {
    pub(super) fn of(connection: &mut Connection) -> Result<Self, Failure> {
        let mut names: Vec<String> = match connection.ask("-h")? {
            Reply::Done(help) => commands_in(help["help"].as_str().unwrap_or_default()),
            Reply::Refused(_) => Vec::new(),
        };
        names.extend(["exit".into(), "help".into()]);
        names.sort();
        Ok(Self { names })
    }
}

/// They stand below their title, at the beginnings of lines; what explains them is further to the right.
fn commands_in(help: &str) -> Vec<String> {
    let below = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands"));
    let name = |line: &str| {
        let indented = line.len() - line.trim_start().len();
        let name = line.split_whitespace().next()?;
        let is_name = name.starts_with(|first: char| first.is_ascii_lowercase());
        (is_name && (1..=4).contains(&indented)).then(|| name.to_string())
    };
    below.filter_map(name).collect()
}

impl Completer for Commands {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = &line[..position];
        let start = typed.rfind(' ').map_or(0, |space| space + 1);
        let before = typed[..start].trim();
        if !before.is_empty() && before != "help" {
            return Ok((start, Vec::new()));
        }
        let fits = self
            .names
            .iter()
            .filter(|name| name.starts_with(&typed[start..]));
        Ok((start, fits.map(|name| format!("{name} ")).collect()))
    }
}

#[cfg(test)]
mod tests {
    use rustyline::Context;
    use rustyline::completion::Completer;
    use rustyline::history::DefaultHistory;

    use super::{Commands, commands_in};

    const HELP: &str = "usage: [-h] [command] ...\n\noptions:\n  -h, --help            show this\n\n\
        Commands:\n  (A command followed by '-h' will show more.)\n    cancel              Cancels.\n    \
        cancel-all          Cancels all tasks still running within the pool\n                        \
        (including meta tasks).\n    a-very-long-name-indeed\n                        At last.\n";

    /// As a server of this crate has it.
    const OURS: &str = "usage: [-h] [command] ...\n\noptions:\n  -h, --help  shows this\n\n\
        Commands, each of which explains itself:\n  cancel      Stops these tasks: all of them or,\n              \
        none.\n  cancel-all  Stops all.\n";

    fn offers(line: &str) -> Vec<String> {
        let mut names = commands_in(HELP);
        names.push("help".into());
        let history = DefaultHistory::new();
        let (start, names) = Commands { names }
            .complete(line, line.len(), &Context::new(&history))
            .unwrap();
        names
            .iter()
            .map(|name| format!("{}{name}", &line[..start]))
            .collect()
    }

    #[test]
    fn the_commands_are_those_of_the_help() {
        assert_eq!(
            commands_in(HELP),
            ["cancel", "cancel-all", "a-very-long-name-indeed"]
        );
        assert_eq!(commands_in(OURS), ["cancel", "cancel-all"]);
        assert!(commands_in("").is_empty());
    }

    #[test]
    fn a_command_is_completed_at_the_beginning_and_behind_help() {
        assert_eq!(offers("can"), ["cancel ", "cancel-all "]);
        assert_eq!(offers("help cancel-"), ["help cancel-all "]);
        assert_eq!(offers("").len(), 4);
        assert!(offers("cancel can").is_empty() && offers("x").is_empty());
    }
}
