//! Completion with the Tab key: the commands of this server, their options, and the names of groups.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use aiopool::control::protocol::{Answer, quote};
use rustyline::completion::Completer;
use rustyline::{Context, Helper, Highlighter, Hinter, Validator};
use serde_json::Value;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::printable::is_obeyed;

/// Completes with the answers of the server, through the connection of the prompt: pools of different kinds have
/// different commands.
#[derive(Debug, Helper, Highlighter, Hinter, Validator)]
pub(super) struct Completion {
    commands: Vec<String>,
    connection: Rc<RefCell<Connection>>,
}

/// Maximum time that a request for completions may block the prompt.
const PATIENCE: Duration = Duration::from_millis(500);

/// The kind of word that fits at the cursor.
#[derive(Debug, PartialEq)]
enum Expected<'a> {
    Command,
    OptionOf(&'a str),
    Group,
    Function,
    Anything,
}

impl Completion {
    pub(super) fn new(connection: Rc<RefCell<Connection>>) -> Result<Self, Failure> {
        let mut commands = match connection.borrow_mut().request("-h")? {
            Answer::Done { value, .. } => commands_in(help_of(&value)),
            Answer::Refused { .. } => Vec::new(),
        };
        commands.extend(["exit".into(), "help".into()]);
        commands.sort();
        Ok(Self {
            commands,
            connection,
        })
    }

    /// Returns the value of a command, or `null` after a refusal or without a connection: neither should disturb the
    /// user while typing.
    fn request(&self, command: &str) -> Value {
        let mut connection = self.connection.borrow_mut();
        if connection.is_broken() {
            return Value::Null;
        }
        match connection.request_within(command, Some(PATIENCE)) {
            Ok(Answer::Done { value, .. }) => value,
            _ => Value::Null,
        }
    }

    fn offers(&self, expected: &Expected<'_>) -> Vec<String> {
        match expected {
            Expected::Command => self.commands.clone(),
            Expected::OptionOf(command) => {
                let help = self.request(&format!("{command} -h"));
                options_in(help_of(&help))
            }
            Expected::Group => names_in(&self.request("groups")),
            Expected::Function => names_in(&self.request("functions")),
            Expected::Anything => Vec::new(),
        }
    }
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = &line[..position];
        let start = typed.rfind(' ').map_or(0, |space| space + 1);
        let (before, word) = typed.split_at(start);
        let mut offers = self.offers(&expected(before, word));
        offers.retain(|offer| offer.starts_with(word));
        Ok((
            start,
            offers.iter().map(|offer| format!("{offer} ")).collect(),
        ))
    }
}

/// Returns the text of a help.
fn help_of(value: &Value) -> &str {
    value["help"].as_str().unwrap_or_default()
}

/// Determines from the text `before` it what the `word` can be.
fn expected<'a>(before: &'a str, word: &str) -> Expected<'a> {
    let words: Vec<&str> = before.split_whitespace().collect();
    match words[..] {
        [] | ["help"] => Expected::Command,
        [command, ..] if word.starts_with('-') => Expected::OptionOf(command),
        ["apply" | "map" | "starmap" | "doublestarmap"]
        | [_, .., "-e" | "--end-callback" | "-c" | "--cancel-callback"] => Expected::Function,
        ["cancel-group" | "get-group-ids", ..] | [_, .., "-g" | "--group-name"] => Expected::Group,
        _ => Expected::Anything,
    }
}

/// Returns the commands that the help lists. They stand below their title, at the start of a line; their explanations
/// are further to the right.
fn commands_in(help: &str) -> Vec<String> {
    let below = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands"));
    let is_name = |word: &&str| word.starts_with(|first: char| first.is_ascii_lowercase());
    below
        .filter_map(beginning)
        .filter(is_name)
        .map(Into::into)
        .collect()
}

/// Returns the long names of options that the help lists, such as `--num` from `-n NUM, --num NUM`.
fn options_in(help: &str) -> Vec<String> {
    let lines = help
        .lines()
        .filter(|line| beginning(line).is_some_and(|word| word.starts_with('-')));
    let words = lines.flat_map(|line| line.split([' ', ',']));
    words
        .filter(|word| word.starts_with("--"))
        .map(Into::into)
        .collect()
}

/// Returns the first word of a line, if it is indented by one to four columns.
fn beginning(line: &str) -> Option<&str> {
    let indented = line.len() - line.trim_start().len();
    (1..=4)
        .contains(&indented)
        .then(|| line.split_whitespace().next())
        .flatten()
}

/// Returns the names in a list of names, or in a list of objects with a name.
fn names_in(list: &Value) -> Vec<String> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    let name = |named: &'_ Value| {
        named
            .get("name")
            .unwrap_or(named)
            .as_str()
            .map(str::to_owned)
    };
    let names = list.iter().filter_map(name);
    // Names with control characters are left out: the prompt prints completions as they are.
    let names = names.filter(|name| !name.contains(is_obeyed));
    names.map(|name| quote(&name).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Expected, commands_in, expected, names_in, options_in};

    const HELP: &str = "usage: [-h] [command] ...\n\noptions:\n  -h, --help            show this\n\n\
        Commands:\n  (A command followed by '-h' will show more.)\n    cancel              Cancels.\n    \
        cancel-all          Cancels all tasks still running within the pool\n                        \
        (including meta tasks).\n    a-very-long-name-indeed\n                        At last.\n";

    /// Help as a server of this crate prints it.
    const OURS: &str = "usage: [-h] [command] ...\n\noptions:\n  -h, --help  shows this\n\n\
        Commands, each of which explains itself:\n  cancel      Stops these tasks: all of them or,\n              \
        none.\n  cancel-all  Stops all.\n";

    const COMMAND: &str = "usage: apply [-h] [-n NUM] func\n\nCreates tasks.\n\npositional arguments:\n  func\n\n\
        options:\n  -h, --help            show this\n  -n NUM, --num NUM     how many (--num 1)\n  -g GROUP_NAME, \
        --group-name GROUP_NAME\n                        --no-option\n";

    #[test]
    fn the_commands_are_those_of_the_help() {
        assert_eq!(
            commands_in(HELP),
            ["cancel", "cancel-all", "a-very-long-name-indeed"]
        );
        assert_eq!(commands_in(OURS), ["cancel", "cancel-all"]);
        assert!(commands_in("").is_empty() && commands_in(COMMAND).is_empty());
    }

    #[test]
    fn the_options_are_those_of_the_command() {
        assert_eq!(options_in(COMMAND), ["--help", "--num", "--group-name"]);
        assert!(options_in("").is_empty());
    }

    #[test]
    fn groups_are_named_as_they_have_to_be_typed() {
        let groups =
            json!([{"name": "start-group-0"}, {"name": "my group"}, {"name": "\u{1b}]0;x"}, {}]);
        assert_eq!(names_in(&groups), ["start-group-0", "\"my group\""]);
        assert_eq!(names_in(&json!(["greet", "a b"])), ["greet", "\"a b\""]);
        assert!(names_in(&json!(null)).is_empty());
    }

    #[test]
    fn what_stands_before_the_cursor_decides_what_is_offered() {
        for (before, word, offered) in [
            ("", "", Expected::Command),
            ("  ", "ca", Expected::Command),
            ("help ", "ca", Expected::Command),
            ("stop ", "1", Expected::Anything),
            ("tasks ", "--n", Expected::OptionOf("tasks")),
            ("cancel-group ", "", Expected::Group),
            ("get-group-ids a ", "b", Expected::Group),
            ("get-group-ids ", "-", Expected::OptionOf("get-group-ids")),
            ("stats -g ", "", Expected::Group),
            ("-g ", "", Expected::Anything),
            ("apply ", "gr", Expected::Function),
            ("apply greet ", "", Expected::Anything),
            ("map f [1] -e ", "", Expected::Function),
            ("map -c ", "x", Expected::Function),
        ] {
            assert_eq!(expected(before, word), offered, "{before}{word}");
        }
    }
}
