//! Writes a command as a line, in the same syntax in which the server parses it.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

use super::args::is_option;
use super::command::{Command, Inputs, Launch};
use super::fields::state_name;
use super::words::quote;

/// The words of a command: its name, its options, and its arguments.
struct Line {
    name: &'static str,
    options: Vec<String>,
    arguments: Vec<String>,
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Self::Help(command) = self {
            let command = command.as_ref().map(|name| format!("{} ", quote(name)));
            return write!(f, "{}-h", command.unwrap_or_default());
        }
        line(self).fmt(f)
    }
}

fn line(command: &Command) -> Line {
    match command {
        Command::PoolSize(size) => Line::of("pool-size").arguments(size),
        Command::IsFull => Line::of("is-full"),
        Command::IsLocked => Line::of("is-locked"),
        Command::NumRunning => Line::of("num-running"),
        Command::NumCancelled => Line::of("num-cancelled"),
        Command::NumEnded => Line::of("num-ended"),
        Command::GroupIds(names) => Line::of("get-group-ids").arguments(names),
        Command::UntilClosed => Line::of("until-closed"),
        Command::Lock => Line::of("lock"),
        Command::Unlock => Line::of("unlock"),
        Command::Cancel(ids) => Line::of("cancel").arguments(ids),
        Command::CancelGroup(name) => Line::of("cancel-group").arguments([name]),
        Command::CancelAll => Line::of("cancel-all"),
        Command::Flush => Line::of("flush"),
        Command::GatherAndClose => Line::of("gather-and-close"),
        Command::FuncName => Line::of("func-name"),
        Command::Functions => Line::of("functions"),
        Command::Start(count) => Line::of("start").arguments([count]),
        Command::Stop(count) => Line::of("stop").arguments([count]),
        Command::StopAll => Line::of("stop-all"),
        Command::Launch(launch) => launch_line(launch),
        Command::Resize { size, group } => {
            Line::of("resize").group(group.as_ref()).arguments([size])
        }
        Command::Pause(group) => Line::of("pause").group(group.as_ref()),
        Command::Resume(group) => Line::of("resume").group(group.as_ref()),
        Command::Stats(group) => Line::of("stats").group(group.as_ref()),
        Command::Tasks { group, state, most } => Line::of("tasks")
            .group(group.as_ref())
            .option("num", Some(most))
            .option("state", state.map(state_name)),
        Command::Groups { most } => Line::of("groups").option("num", Some(most)),
        Command::Tree { most } => Line::of("tree").option("num", Some(most)),
        Command::Times { group, most } => Line::of("times")
            .group(group.as_ref())
            .option("num", Some(most)),
        Command::Watch { group, every } => Line::of("watch")
            .group(group.as_ref())
            .option("interval", Some(every.as_secs_f64())),
        // Written above: it has the form of an option.
        Command::Help(_) => Line::of("-h"),
    }
}

fn launch_line(launch: &Launch) -> Line {
    let line = Line::of(launch.inputs.verb())
        .group(launch.group.as_ref())
        .option("end-callback", launch.on_end.as_ref())
        .option("cancel-callback", launch.on_cancel.as_ref());
    match &launch.inputs {
        Inputs::Copies { count, input } => line
            .option("num", Some(count))
            .option("args", Some(input))
            .arguments([&launch.function]),
        Inputs::Each { items, at_once, .. } => line
            .option("num-concurrent", Some(at_once))
            .arguments([&launch.function, &Value::from(items.clone()).to_string()]),
    }
}

impl Line {
    fn of(name: &'static str) -> Self {
        Self {
            name,
            options: Vec::new(),
            arguments: Vec::new(),
        }
    }

    fn group(self, name: Option<&String>) -> Self {
        self.option("group-name", name)
    }

    /// Adds an option with its value attached, so that the value may begin with `-`.
    fn option(mut self, name: &str, value: Option<impl Display>) -> Self {
        self.options
            .extend(value.map(|value| format!("--{name}={value}")));
        self
    }

    fn arguments<T: Display>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        let words = arguments.into_iter().map(|argument| argument.to_string());
        self.arguments.extend(words);
        self
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        for option in &self.options {
            write!(f, " {}", quote(option))?;
        }
        if self.arguments.iter().any(|word| is_option(word)) {
            f.write_str(" --")?;
        }
        for argument in &self.arguments {
            write!(f, " {}", quote(argument))?;
        }
        Ok(())
    }
}
