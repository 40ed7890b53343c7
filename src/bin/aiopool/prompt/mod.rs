//! A prompt: commands with history and completion, until `exit` or Ctrl-D.

mod completion;
mod history;

use std::io::{self, IsTerminal, Write};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use self::completion::Commands;
use crate::connection::Connection;
use crate::failure::{Failure, complain};
use crate::one_shot;
use crate::watch::{self, Until};

const WELCOME: &str = "Tab completes, `help` lists the commands, `help COMMAND` explains one, `exit` or Ctrl-D leaves.";

/// Asks for commands and prints the answers. Lines that come from no terminal are a script: a refusal in it is told at
/// its end, by the exit code.
pub(crate) fn run(mut connection: Connection, json: bool) -> Result<(), Failure> {
    let interactive = io::stdin().is_terminal();
    let mut editor = editor(&mut connection)?;
    if interactive {
        writeln!(
            io::stdout(),
            "Connected to {}. {WELCOME}",
            connection.server()
        )?;
        history::load(&mut editor);
    }
    let mut refused = Ok(());
    while let Some(line) = next_line(&mut editor, interactive)? {
        let Some(command) = command(&line) else {
            continue;
        };
        if connection.revive()? {
            complain(format_args!("connected again to {}", connection.server()));
        }
        let reply = connection.ask(&command)?;
        let told = if watch::goes_on(&command, &reply) {
            let until = if interactive {
                Until::Enter
            } else {
                Until::Once
            };
            watch::follow(&mut connection, &command, &reply, json, until)
        } else {
            one_shot::print(&command, &reply, json)
        };
        match told {
            Err(failure @ (Failure::Output(_) | Failure::Connection(_))) => return Err(failure),
            told if !interactive && refused.is_ok() => refused = told,
            _ => {}
        }
    }
    refused
}

type Line = Editor<Commands, FileHistory>;

fn editor(connection: &mut Connection) -> Result<Line, Failure> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .auto_add_history(true);
    let mut editor = Line::with_config(config.build()).map_err(terminal)?;
    editor.set_helper(Some(Commands::of(connection)?));
    Ok(editor)
}

/// The next line that is to be obeyed; `None` after the last. Ctrl-C only drops what is being typed.
fn next_line(editor: &mut Line, interactive: bool) -> Result<Option<String>, Failure> {
    loop {
        match editor.readline("> ") {
            Ok(line) if matches!(line.trim(), "exit" | "quit") => break,
            Ok(line) => return Ok(Some(line)),
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(terminal(error)),
        }
    }
    if interactive {
        history::save(editor);
    }
    Ok(None)
}

/// What to send for a line; `None` if it says nothing.
fn command(line: &str) -> Option<String> {
    let line = line.trim();
    match line.split_once(' ') {
        _ if line.is_empty() => None,
        None if line == "help" => Some("-h".into()),
        Some(("help", command)) => Some(format!("{} -h", command.trim())),
        _ => Some(line.into()),
    }
}

fn terminal(error: ReadlineError) -> Failure {
    Failure::Output(io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn a_line_is_sent_as_it_is_but_for_help_and_space_around_it() {
        assert_eq!(command("  start 2 \t").as_deref(), Some("start 2"));
        assert_eq!(
            command("apply f -a ['Aa']").as_deref(),
            Some("apply f -a ['Aa']")
        );
        assert_eq!(command("help").as_deref(), Some("-h"));
        assert_eq!(command("help  start").as_deref(), Some("start -h"));
        assert_eq!(command("helpless").as_deref(), Some("helpless"));
        // An empty line would end the session with a Python server.
        assert_eq!((command(""), command("  ")), (None, None));
    }
}
