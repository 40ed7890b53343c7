use std::sync::Arc;

use super::counts::Point;
use super::event::{Event, Span, TaskArgs, micros};

/// What a trace says of a task from its submission on.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) group: Option<Box<str>>,
    pub(super) priority: i32,
    pub(super) weight: usize,
    pub(super) submitted: u64,
}

/// A task that has started.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) task: Described,
    pub(super) started: u64,
}

/// What a row shows of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It holds a permit.
    Permit,
    /// It holds one more permit.
    MorePermit,
    /// It has lent its permits.
    Lent,
}

/// What has happened, and is to be written as an event. It is made under a lock, and written when that is free.
#[derive(Debug)]
pub(super) enum Note {
    Pool {
        pid: usize,
        name: Arc<str>,
    },
    Size {
        at: u64,
        pid: usize,
        size: usize,
    },
    Row {
        pid: usize,
        tid: usize,
        name: String,
    },
    Point {
        pid: usize,
        group: Option<Arc<str>>,
        point: Point,
    },
    Slice {
        part: Part,
        pid: usize,
        tid: usize,
        span: Span,
        task: Arc<Started>,
        outcome: Option<&'static str>,
    },
    Unstarted {
        at: u64,
        pid: usize,
        task: Described,
        outcome: &'static str,
    },
}

impl Note {
    /// Returns `true` if the event is the last one of a task.
    pub(super) fn is_end(&self) -> bool {
        match self {
            Self::Slice { part, outcome, .. } => *part != Part::MorePermit && outcome.is_some(),
            Self::Unstarted { .. } => true,
            _ => false,
        }
    }

    /// Calls `write` with each event that the note stands for.
    pub(super) fn each_event(&self, mut write: impl FnMut(&Event<'_>)) {
        match self {
            Self::Pool { pid, name } => write(&Event::pool_name(*pid, &format!("pool {name}"))),
            Self::Size { at, pid, size } => write(&Event::size(*at, *pid, *size)),
            Self::Row { pid, tid, name } => {
                write(&Event::row_name(*pid, *tid, name));
                write(&Event::row_order(*pid, *tid));
            }
            Self::Point { pid, group, point } => {
                let of_group = group.as_ref().map(|group| format!("group {group}"));
                let name = of_group.as_deref().unwrap_or("tasks");
                write(&Event::counts(point.0, *pid, name, point.1));
            }
            Self::Slice {
                part,
                pid,
                tid,
                span,
                task,
                outcome,
            } => {
                write(&slice(*part, (*pid, *tid), *span, task, *outcome));
            }
            Self::Unstarted {
                at,
                pid,
                task,
                outcome,
            } => {
                let args = TaskArgs {
                    outcome: Some(outcome),
                    ..task.args(*at)
                };
                write(&Event::unstarted(*at, *pid, &task.name, args));
            }
        }
    }
}

fn slice<'a>(
    part: Part,
    row: (usize, usize),
    span: Span,
    task: &'a Started,
    outcome: Option<&'static str>,
) -> Event<'a> {
    let args = task.args(outcome.map(|outcome| (span.to, outcome)));
    let Described { id, name, .. } = &task.task;
    match part {
        Part::Permit => Event::task("task", span, row, name, args),
        Part::MorePermit => Event::more(span, row, name, *id),
        Part::Lent => Event::task("lent", span, row, name, args),
    }
}

impl Started {
    fn args(&self, end: Option<(u64, &'static str)>) -> TaskArgs<'_> {
        TaskArgs {
            ran_us: end.map(|(at, _)| micros(at - self.started)),
            outcome: end.map(|(_, outcome)| outcome),
            ..self.task.args(self.started)
        }
    }
}

impl Described {
    fn args(&self, waited_until: u64) -> TaskArgs<'_> {
        TaskArgs {
            id: self.id,
            group: self.group.as_deref(),
            priority: self.priority,
            weight: self.weight,
            waited_us: micros(waited_until - self.submitted),
            ran_us: None,
            outcome: None,
        }
    }
}
