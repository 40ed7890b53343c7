use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use super::json::Json;
use super::set::PythonSet;
use crate::{AioPool, Stats, TaskInfo, TaskState};

/// The format of the answers to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// The result of a command.
#[derive(Debug)]
pub(crate) enum Reply {
    Done,
    Flag(bool),
    Count(u64),
    Size(usize),
    Name(String),
    Names(Vec<String>),
    /// The numbers of the tasks of each group.
    Ids(Vec<BTreeSet<u64>>),
    Stopped(Vec<u64>),
    Help(String),
    Stats(Box<StatsLine>),
    Tasks(Listing),
    /// Groups, and the minimum number of groups that are not listed.
    Groups {
        lines: Vec<GroupLine>,
        more: usize,
    },
}

/// The error of a command, or of the connection.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    /// The usage of the command and its name, if the error is wrong usage.
    pub(crate) usage: Option<(String, &'static str)>,
}

/// The kinds of errors, as JSON names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Busy,
    Cancelled,
    Closed,
    Exists,
    Finished,
    Handshake,
    Idle,
    LineTooLong,
    NoRuntime,
    NotFound,
    NotUtf8,
    Panicked,
    ReadOnly,
    Size,
    Token,
    TooMany,
    Usage,
}

/// All counts of a pool or group.
#[derive(Debug)]
pub(crate) struct StatsLine {
    pub(crate) about: GroupLine,
    pub(crate) full: bool,
    pub(crate) stats: Stats,
}

/// A line of a list of groups, or the first part of a `StatsLine`.
#[derive(Debug)]
pub(crate) struct GroupLine {
    pub(crate) name: String,
    pub(crate) size: usize,
    pub(crate) active: usize,
    pub(crate) waiting: usize,
    pub(crate) paused: bool,
    pub(crate) locked: bool,
}

/// Tasks, and the number of tasks that are not listed.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) tasks: Vec<TaskInfo>,
    pub(crate) more: usize,
}

impl Format {
    /// Returns the text of an answer, with a `\n` at its end.
    pub(crate) fn write(self, answer: &Result<Reply, Failure>) -> String {
        let mut line = match (self, answer) {
            (Self::Text, Ok(reply)) => reply.text(),
            (Self::Text, Err(failure)) => failure.text(),
            (Self::Json, Ok(Reply::Groups { lines, more })) if *more > 0 => {
                let lines: Json = lines.iter().map(GroupLine::json).collect();
                Json::object([("ok", lines), ("more", (*more).into())]).to_string()
            }
            (Self::Json, Ok(reply)) => Json::object([("ok", reply.json())]).to_string(),
            (Self::Json, Err(failure)) => Json::object([("error", failure.json())]).to_string(),
        };
        line.push('\n');
        line
    }
}

impl Reply {
    fn text(&self) -> String {
        match self {
            Self::Done => "ok".into(),
            Self::Flag(flag) => flag_text(*flag).into(),
            Self::Count(count) => count.to_string(),
            Self::Size(size) => size_text(*size),
            Self::Name(name) => one_line(name),
            Self::Names(names) => table(
                &["name"],
                names.iter().map(|name| vec![one_line(name)]).collect(),
            ),
            Self::Ids(groups) => set_text(groups),
            Self::Stopped(ids) => format!("[{}]", commas(ids.iter().copied())),
            Self::Help(help) => format!("{help}\n"),
            Self::Stats(line) => line.text(),
            Self::Tasks(listing) => listing.text(),
            Self::Groups { lines, more } => groups_text(lines) + &more_text(*more),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Done => Json::NULL,
            Self::Flag(flag) => (*flag).into(),
            Self::Count(count) => (*count).into(),
            Self::Size(size) => size_json(*size),
            Self::Name(name) => name.as_str().into(),
            Self::Names(names) => names.iter().map(|name| name.as_str().into()).collect(),
            Self::Ids(groups) => {
                let ids: BTreeSet<u64> = groups.iter().flatten().copied().collect();
                ids.into_iter().map(Json::from).collect()
            }
            Self::Stopped(ids) => ids.iter().copied().map(Json::from).collect(),
            Self::Help(help) => Json::object([("help", help.as_str().into())]),
            Self::Stats(line) => line.json(),
            Self::Tasks(listing) => listing.json(),
            Self::Groups { lines, .. } => lines.iter().map(GroupLine::json).collect(),
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            usage: None,
        }
    }

    fn text(&self) -> String {
        let message = one_line(&self.message);
        match &self.usage {
            Some((usage, command)) => format!("{usage}\n{command}: error: {message}\n"),
            None if self.kind.ends_session() => format!("error: {message}"),
            None => message,
        }
    }

    fn json(&self) -> Json {
        let mut error = vec![
            ("kind", self.kind.name().into()),
            ("message", self.message.as_str().into()),
        ];
        if let Some((usage, _)) = &self.usage {
            error.push(("usage", usage.as_str().into()));
        }
        Json::Object(error)
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Closed => "closed",
            Self::Exists => "exists",
            Self::Finished => "finished",
            Self::Handshake => "handshake",
            Self::Idle => "idle",
            Self::LineTooLong => "line-too-long",
            Self::NoRuntime => "no-runtime",
            Self::NotFound => "not-found",
            Self::NotUtf8 => "not-utf-8",
            Self::Panicked => "panicked",
            Self::ReadOnly => "read-only",
            Self::Size => "size",
            Self::Token => "token",
            Self::TooMany => "too-many",
            Self::Usage => "usage",
        }
    }

    fn ends_session(self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Handshake | Self::Idle | Self::Token
        )
    }
}

impl StatsLine {
    /// Returns the names and values of the counters, in the order in which they are written.
    fn counts(&self) -> [(&'static str, u64); 8] {
        let stats = self.stats;
        [
            ("submitted", stats.submitted),
            ("started", stats.started),
            ("completed", stats.completed),
            ("panicked", stats.panicked),
            ("cancelled", stats.cancelled),
            ("timed_out", stats.timed_out),
            ("rejected", stats.rejected),
            ("refused", stats.refused),
        ]
    }

    fn text(&self) -> String {
        let about = &self.about;
        let size = size_text(about.size);
        let flags = [
            ("full", self.full),
            ("paused", about.paused),
            ("locked", about.locked),
        ];
        let mut line = format!("name={} size={size}", super::quote(&about.name));
        _ = write!(line, " active={} waiting={}", about.active, about.waiting);
        for (name, flag) in flags {
            _ = write!(line, " {name}={}", flag_text(flag));
        }
        for (name, count) in self.counts() {
            _ = write!(line, " {name}={count}");
        }
        line
    }

    fn json(&self) -> Json {
        let mut fields = Vec::from(self.about.figures());
        fields.extend(self.about.flags());
        fields.push(("full", self.full.into()));
        fields.extend(self.counts().map(|(name, count)| (name, count.into())));
        Json::Object(fields)
    }
}

impl GroupLine {
    /// Describes a pool. A task that a feed has yet to put into the queue counts as waiting, too.
    pub(crate) fn of(pool: &AioPool) -> Self {
        Self {
            name: pool.name().to_owned(),
            size: pool.size(),
            active: pool.active(),
            waiting: pool.waiting_and_unpulled(),
            paused: pool.is_paused(),
            locked: pool.is_closed(),
        }
    }

    fn json(&self) -> Json {
        let figures = self.figures().into_iter();
        Json::Object(figures.chain(self.flags()).collect())
    }

    fn figures(&self) -> [(&'static str, Json); 4] {
        [
            ("name", self.name.as_str().into()),
            ("size", size_json(self.size)),
            ("active", self.active.into()),
            ("waiting", self.waiting.into()),
        ]
    }

    fn flags(&self) -> [(&'static str, Json); 2] {
        [
            ("paused", self.paused.into()),
            ("locked", self.locked.into()),
        ]
    }
}

impl Listing {
    fn text(&self) -> String {
        let head = [
            "id", "state", "name", "group", "priority", "weight", "waited", "running",
        ];
        let rows = self.tasks.iter().map(|task| {
            vec![
                task.id.to_string(),
                state(task).into(),
                one_line(&task.name),
                task.group.as_deref().map_or("-".into(), one_line),
                task.priority.to_string(),
                task.weight.to_string(),
                seconds_text(task.waited),
                seconds_text(task.running),
            ]
        });
        table(&head, rows.collect()) + &more_text(self.more)
    }

    fn json(&self) -> Json {
        let tasks = self.tasks.iter().map(task_json).collect();
        Json::object([("tasks", tasks), ("more", self.more.into())])
    }
}

fn task_json(task: &TaskInfo) -> Json {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64()).into();
    Json::object([
        ("id", task.id.get().into()),
        ("name", task.name.as_str().into()),
        ("group", task.group.as_deref().into()),
        ("state", state(task).into()),
        ("priority", task.priority.into()),
        ("weight", task.weight.into()),
        ("waited", seconds(task.waited)),
        ("running", seconds(task.running)),
    ])
}

fn groups_text(groups: &[GroupLine]) -> String {
    let head = ["name", "size", "active", "waiting", "paused", "locked"];
    let rows = groups.iter().map(|group| {
        vec![
            one_line(&group.name),
            size_text(group.size),
            group.active.to_string(),
            group.waiting.to_string(),
            flag_text(group.paused).into(),
            flag_text(group.locked).into(),
        ]
    });
    table(&head, rows.collect())
}

/// Returns the line below a list that is not complete.
fn more_text(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!("and {more} more\n"),
    }
}

/// Maximum width that a cell gives to its column. A wider cell moves the rest of its own line, but makes no other line
/// longer.
const WIDEST: usize = 60;

/// Formats rows as columns below their names. The text ends with `\n`; with the `\n` of the reply, this makes the empty
/// line at the end.
fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut lines = vec![head.iter().map(|name| (*name).to_owned()).collect()];
    lines.extend(rows);
    let width = |column: usize| {
        let cells = lines
            .iter()
            .map(|line: &Vec<String>| line[column].chars().count());
        cells.max().unwrap_or(0).min(WIDEST)
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let mut table = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            _ = write!(table, "{cell:width$}  ");
        }
        table.truncate(table.trim_end_matches(' ').len());
        table.push('\n');
    }
    table
}

fn state(task: &TaskInfo) -> &'static str {
    match task.state {
        TaskState::Waiting => "waiting",
        TaskState::Active => "active",
        TaskState::Finished => "finished",
    }
}

fn flag_text(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

fn seconds_text(time: Option<Duration>) -> String {
    time.map_or("-".into(), |time| format!("{:.1}s", time.as_secs_f64()))
}

fn size_text(size: usize) -> String {
    match size {
        AioPool::UNBOUNDED => "inf".into(),
        size => size.to_string(),
    }
}

fn size_json(size: usize) -> Json {
    match size {
        AioPool::UNBOUNDED => "inf".into(),
        size => size.into(),
    }
}

fn set_text(groups: &[BTreeSet<u64>]) -> String {
    if groups.iter().all(BTreeSet::is_empty) {
        "set()".into()
    } else {
        format!("{{{}}}", commas(PythonSet::union(groups).iter()))
    }
}

fn commas(numbers: impl Iterator<Item = u64>) -> String {
    let numbers: Vec<_> = numbers.map(|number| number.to_string()).collect();
    numbers.join(", ")
}

/// Escapes control characters, so that a text stays in one line and cannot move the cursor of a terminal.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}
