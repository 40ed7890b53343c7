use std::fmt::Write;

use super::syntax::Count;
use super::table::{Entry, PoolKind, commands};

/// The usage of a command, or of all commands, wrapped to a number of columns.
pub(crate) struct Usage {
    command: Option<&'static Entry>,
    pool_kind: PoolKind,
    width: usize,
}

/// Maximum width of the column of names.
const NAMES: usize = 24;

impl Usage {
    pub(super) fn new(command: Option<&'static Entry>, pool_kind: PoolKind, width: usize) -> Self {
        let width = width.clamp(40, 200);
        Self {
            command,
            pool_kind,
            width,
        }
    }

    /// Returns a short usage: the first lines of help, and of the answer to wrong usage.
    pub(crate) fn short(&self) -> String {
        let Some(command) = self.command else {
            return "usage: [-h] [command] ...".into();
        };
        let begin = format!("usage: {} ", command.name);
        let (options, arguments) = parts(command);
        let all = [&options[..], &arguments].concat().join(" ");
        if begin.len() + all.len() <= self.width {
            return begin + &all;
        }
        let inside = self.width.saturating_sub(begin.len());
        let mut lines = wrapped(&options, inside);
        lines.extend(wrapped(&arguments, inside));
        lines.retain(|line| !line.is_empty());
        let next = format!("\n{:1$}", "", begin.len());
        begin + &lines.join(&next)
    }

    /// Returns the whole help. It contains no empty line, as that would end the reply.
    pub(crate) fn help(&self) -> String {
        let mut help = self.short();
        help.push('\n');
        match self.command {
            Some(command) => self.explain(command, &mut help),
            None => self.list(&mut help),
        }
        help.truncate(help.trim_end().len());
        help
    }

    fn explain(&self, command: &Entry, help: &mut String) {
        let sentence = wrapped(&words(command.help), self.width);
        help.push_str(&sentence.join("\n"));
        help.push('\n');
        let rows = command.arguments.iter();
        let rows: Vec<_> = rows.map(|one| (one.name.to_owned(), one.help)).collect();
        self.table("positional arguments:", &rows, help);
        let mut rows = vec![("-h, --help".to_owned(), "shows this")];
        rows.extend(command.switches.iter().map(|switch| {
            let value = switch.takes.map(|(name, _)| format!(" {name}"));
            let value = value.unwrap_or_default();
            let names = format!("{}{value}, --{}{value}", switch.short, switch.long);
            (names, switch.help)
        }));
        self.table("options:", &rows, help);
    }

    fn list(&self, help: &mut String) {
        self.table("options:", &[("-h, --help".to_owned(), "shows this")], help);
        let rows = commands(self.pool_kind).map(|command| (command.name.to_owned(), command.help));
        self.table(
            "Commands, each of which explains itself after -h:",
            &rows.collect::<Vec<_>>(),
            help,
        );
    }

    fn table(&self, title: &str, rows: &[(String, &str)], help: &mut String) {
        if rows.is_empty() {
            return;
        }
        let longest = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let column = (longest + 4).min(NAMES);
        _ = writeln!(help, "{title}");
        for (name, text) in rows {
            _ = write!(help, "  {name}");
            let mut at = name.len() + 2;
            if at + 2 > column {
                help.push('\n');
                at = 0;
            }
            for line in wrapped(&words(text), self.width.saturating_sub(column).max(20)) {
                _ = writeln!(help, "{:1$}{line}", "", column - at);
                at = 0;
            }
        }
    }
}

/// Returns the names of all commands.
pub(super) fn names(pool_kind: PoolKind) -> String {
    let names: Vec<_> = commands(pool_kind).map(|command| command.name).collect();
    names.join(", ")
}

/// Returns the options and the arguments of a command as the usage shows them.
fn parts(command: &Entry) -> (Vec<String>, Vec<String>) {
    let options = command.switches.iter().map(|switch| match switch.takes {
        Some((name, _)) => format!("[{} {name}]", switch.short),
        None => format!("[{}]", switch.short),
    });
    let arguments = command.arguments.iter().map(|argument| {
        let name = argument.name;
        match argument.count {
            Count::One => name.to_owned(),
            Count::Maybe => format!("[{name}]"),
            Count::Many => format!("[{name} ...]"),
        }
    });
    let help = "[-h]".to_owned();
    let options = std::iter::once(help).chain(options);
    (options.collect(), arguments.collect())
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

/// Wraps words into lines of at most `width` bytes, if no word is longer.
fn wrapped(words: &[impl AsRef<str>], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let word = word.as_ref();
        let last = lines.last_mut().expect("it begins with one");
        if !last.is_empty() && last.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
            continue;
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    lines
}
