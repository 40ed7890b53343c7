//! Writes answers in the text format: in the notation of Python where asyncio-taskpool has the same answer.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use super::columns::{columns, indented};
use super::fields::state_name;
use super::listing::{GroupLine, GroupList, StatsLine, TaskLine, TaskList};
use super::overview::{GroupTree, TimeSpread, Times, TreeLine};
use super::refusal::Refusal;
use super::reply::Reply;
use super::set::PythonSet;
use super::words::quote;
use crate::AioPool;

/// Returns the text of an answer, without the `\n` at its end.
pub(super) fn write(result: &Result<Reply, Refusal>) -> String {
    match result {
        Ok(reply) => reply_text(reply),
        Err(refusal) => refusal_text(refusal),
    }
}

fn reply_text(reply: &Reply) -> String {
    match reply {
        Reply::Done => "ok".into(),
        Reply::Flag(flag) => flag_text(*flag).into(),
        Reply::Count(count) => count.to_string(),
        Reply::Size(size) => size_text(*size),
        Reply::Name(name) => one_line(name),
        Reply::Names(names) => table(&["name"], names.iter().map(|name| vec![one_line(name)])),
        Reply::Ids(groups) => set_text(groups),
        Reply::Stopped(ids) => format!("[{}]", commas(ids.iter().copied())),
        Reply::Help(text) => format!("{}\n", text.help),
        Reply::Stats(stats) => stats_text(stats),
        Reply::Tasks(list) => tasks_text(list),
        Reply::Groups(list) => groups_text(list),
        Reply::Tree(tree) => tree_text(tree),
        Reply::Times(times) => times_text(times),
    }
}

fn refusal_text(refusal: &Refusal) -> String {
    let message = one_line(&refusal.message);
    match &refusal.usage {
        Some(usage) => format!("{usage}\n{}: error: {message}\n", refusal.command),
        None if refusal.kind.ends_session() => format!("error: {message}"),
        None => message,
    }
}

fn stats_text(stats: &StatsLine) -> String {
    let pool = &stats.pool;
    let flags = [
        ("full", stats.full),
        ("paused", pool.paused),
        ("locked", pool.locked),
    ];
    let counts = [
        ("submitted", stats.submitted),
        ("started", stats.started),
        ("completed", stats.completed),
        ("panicked", stats.panicked),
        ("cancelled", stats.cancelled),
        ("timed_out", stats.timed_out),
        ("rejected", stats.rejected),
        ("refused", stats.refused),
        ("retries", stats.retries),
    ];
    let mut line = format!("name={} size={}", quote(&pool.name), size_text(pool.size));
    _ = write!(line, " active={} waiting={}", pool.active, pool.waiting);
    for (name, flag) in flags {
        _ = write!(line, " {name}={}", flag_text(flag));
    }
    for (name, count) in counts {
        _ = write!(line, " {name}={count}");
    }
    line
}

fn tasks_text(list: &TaskList) -> String {
    task_table(list.tasks.iter()) + &more_text(list.more)
}

fn task_table<'t>(tasks: impl Iterator<Item = &'t TaskLine>) -> String {
    let head = [
        "id", "state", "name", "group", "priority", "weight", "waited", "running",
    ];
    let row = |task: &TaskLine| {
        vec![
            task.id.to_string(),
            state_name(task.state).into(),
            one_line(&task.name),
            task.group.as_deref().map_or("-".into(), one_line),
            task.priority.to_string(),
            task.weight.to_string(),
            seconds_text(task.waited),
            seconds_text(task.running),
        ]
    };
    table(&head, tasks.map(row))
}

/// Writes the percentiles as one table, and the tasks as a second one below it.
fn times_text(times: &Times) -> String {
    let head = ["tasks", "count", "p50", "p90", "p99", "longest"];
    let row = |(name, spread): (&str, &TimeSpread)| {
        vec![
            name.into(),
            spread.count.to_string(),
            seconds_text(spread.p50),
            seconds_text(spread.p90),
            seconds_text(spread.p99),
            seconds_text(spread.longest),
        ]
    };
    let rows = [("running", &times.running), ("waiting", &times.waiting)];
    let longest = times.longest_running.iter().chain(&times.longest_waiting);
    table(&head, rows.into_iter().map(row)) + &task_table(longest)
}

const GROUP_HEAD: [&str; 6] = ["name", "size", "active", "waiting", "paused", "locked"];

fn groups_text(list: &GroupList) -> String {
    let row = |group: &GroupLine| group_row(one_line(&group.name), group);
    table(&GROUP_HEAD, list.groups.iter().map(row)) + &more_text(list.more)
}

fn tree_text(tree: &GroupTree) -> String {
    let row = |line: &TreeLine| {
        let name = indented(&one_line(&line.group.name), line.depth);
        group_row(name, &line.group)
    };
    table(&GROUP_HEAD, tree.groups.iter().map(row)) + &more_text(tree.more)
}

fn group_row(name: String, group: &GroupLine) -> Vec<String> {
    vec![
        name,
        size_text(group.size),
        group.active.to_string(),
        group.waiting.to_string(),
        flag_text(group.paused).into(),
        flag_text(group.locked).into(),
    ]
}

/// Lays out rows below the names of their columns. The text ends with `\n`; with the `\n` of the answer, this makes the
/// empty line at the end.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    columns(&rows)
}

/// Returns the line below a list that is not complete.
fn more_text(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!("and {more} more\n"),
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
