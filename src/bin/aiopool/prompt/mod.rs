//! A prompt for commands, with history and completion. It ends with `exit` or Ctrl-D.

mod completion;
mod history;
mod signals;

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::thread;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use self::completion::Completion;
use self::signals::{Interrupt, Interruptible};
use crate::connection::Connection;
use crate::failure::{Failure, complain};
use crate::output::print;
use crate::printable::one_line;
use crate::watch::{self, Until};

const WELCOME: &str = "Tab completes, `help` and `help COMMAND` explain, `exit` or Ctrl-D leaves.";

/// Reads commands and prints the answers. Input that does not come from a terminal is a script: if one of its commands
/// is refused, the exit code tells so at the end.
pub(crate) fn run(connection: Connection, json: bool) -> Result<(), Failure> {
    let interactive = io::stdin().is_terminal();
    let interrupt = Interrupt::default();
    if interactive {
        signals::hear(interrupt.clone())?;
    }
    let connection = Rc::new(RefCell::new(connection));
    let mut editor = editor(Rc::clone(&connection))?;
    if interactive {
        writeln!(
            io::stdout(),
            "Connected to {}.\n{WELCOME}",
            one_line(connection.borrow().server())
        )?;
        history::load(&mut editor);
    }
    let mut refused = Ok(());
    while let Some(line) = next_line(&mut editor, interactive)? {
        let Some(command) = command(&line) else {
            continue;
        };
        let heard = interactive.then_some(&interrupt);
        let told = obey(&mut connection.borrow_mut(), &command, json, heard);
        let is_interrupted = interrupt.take();
        match told {
            // The terminal has written ^C, so the message begins on a new line.
            Err(Failure::Connection(_)) if is_interrupted => {
                let _ = writeln!(io::stderr());
                complain("interrupted: the next command connects again");
            }
            // The prompt stays: the next command connects again.
            Err(Failure::Connection(why) | Failure::Unwelcome(why)) if interactive => complain(why),
            Err(
                failure @ (Failure::Output(_) | Failure::Connection(_) | Failure::Unwelcome(_)),
            ) => return Err(failure),
            told if !interactive && refused.is_ok() => refused = told,
            _ => {}
        }
    }
    refused
}

type Line = Editor<Completion, FileHistory>;

fn editor(connection: Rc<RefCell<Connection>>) -> Result<Line, Failure> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .auto_add_history(true);
    let mut editor = Line::with_config(config.build()).map_err(terminal)?;
    editor.set_helper(Some(Completion::new(connection)?));
    Ok(editor)
}

/// Returns the next command line, or `None` after the last. Ctrl-C only discards the line that is being typed.
fn next_line(editor: &mut Line, interactive: bool) -> Result<Option<String>, Failure> {
    loop {
        let line = match editor.readline("> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => continue,
            Err(ReadlineError::Eof) => return Ok(None),
            Err(error) => return Err(terminal(error)),
        };
        if interactive {
            history::save(editor);
        }
        return Ok((!matches!(line.trim(), "exit" | "quit")).then_some(line));
    }
}

fn obey(
    connection: &mut Connection,
    command: &str,
    json: bool,
    interrupt: Option<&Interrupt>,
) -> Result<(), Failure> {
    if connection.is_gone() {
        *connection = reconnect(connection, interrupt)?;
        complain(format_args!("connected again to {}", connection.server()));
    }
    let answer = {
        let _stops = stops(interrupt, connection, false)?;
        connection.request(command)?
    };
    if !watch::goes_on(command, &answer) {
        return print(command, &answer, json);
    }
    let until = match interrupt {
        Some(_) => Until::Enter,
        None => Until::Once,
    };
    let _stops = stops(interrupt, connection, true)?;
    watch::follow(connection, command, &answer, json, until)
}

/// Connects again. A thread does this, and is left behind if Ctrl-C is pressed meanwhile.
fn reconnect(lost: &Connection, interrupt: Option<&Interrupt>) -> Result<Connection, Failure> {
    let (tell, told) = channel();
    let stop = tell.clone();
    let stopped = lost.lost("interrupted");
    let _stops = interrupt.map(|interrupt| interrupt.stops(move || drop(stop.send(None))));
    let login = lost.login().clone();
    thread::spawn(move || drop(tell.send(Some(Connection::open(&login)))));
    told.recv().ok().flatten().unwrap_or(Err(stopped))
}

/// Makes Ctrl-C stop the command that is sent next, and not the prompt.
fn stops(
    interrupt: Option<&Interrupt>,
    connection: &Connection,
    is_watch: bool,
) -> Result<Option<Interruptible>, Failure> {
    let stops = |interrupt: &Interrupt| {
        let mut stopper = connection.stopper(is_watch)?;
        Ok(interrupt.stops(move || stopper.stop()))
    };
    interrupt.map(stops).transpose()
}

/// Returns the command to send for a line, or `None` if the line is empty.
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
