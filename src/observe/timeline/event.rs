use serde::Serialize;

use super::counts::Count;

/// The version of the format, which the first event of a trace has in its arguments.
const VERSION: u32 = 1;

/// The row of what happens in the queue. Not 0, which Perfetto takes for another row.
pub(super) const QUEUE: usize = 900_000_000;
/// The first row of the tasks that have lent their permits, below all permits.
const LENT: usize = 1_000_000_000;

/// Returns the number of the process that stands for a pool in the trace. In a viewer, a row with the number of its process
/// is the main thread: these are not to be the numbers of rows.
pub(super) fn pid_of(pool: usize) -> usize {
    pool + 1001
}

/// Returns the row in the trace for the row of a permit.
pub(super) fn permit_row(row: usize) -> usize {
    row + 1
}

/// Returns the row in the trace for the row of a task that has lent its permits.
pub(super) fn lent_row(row: usize) -> usize {
    LENT + row
}

/// An event of a trace, as Chrome's format has it. Times are in microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Event<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    ph: char,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    pid: usize,
    tid: usize,
    /// How far an event without a duration reaches: `t` is its row, and `g` the whole trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<char>,
    args: Args<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Args<'a> {
    Name {
        name: &'a str,
    },
    Sort {
        sort_index: usize,
    },
    Begin {
        version: u32,
        crate_version: &'static str,
    },
    End(Totals),
    Count(Count),
    Size {
        permits: usize,
    },
    Task(TaskArgs<'a>),
    PartOf {
        id: u64,
    },
    Nothing {},
}

/// What an event says of a task. The outcome is in the last event of a task, and only there.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TaskArgs<'a> {
    pub(super) id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) priority: i32,
    #[serde(skip_serializing_if = "is_one")]
    pub(super) weight: usize,
    pub(super) waited_us: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ran_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<&'static str>,
}

/// The counts at the end of a trace.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Totals {
    pub(super) tasks: u64,
    pub(super) unfinished: u64,
    pub(super) left_out_tasks: u64,
    pub(super) left_out_events: u64,
}

fn is_zero(priority: &i32) -> bool {
    *priority == 0
}

fn is_one(weight: &usize) -> bool {
    *weight == 1
}

/// Turns nanoseconds into microseconds.
pub(super) fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1000.0
}

/// A time from its begin to its end, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl<'a> Event<'a> {
    fn meta(name: &'a str, pid: usize, tid: usize, args: Args<'a>) -> Self {
        Self {
            name,
            cat: None,
            ph: 'M',
            ts: None,
            dur: None,
            pid,
            tid,
            s: None,
            args,
        }
    }

    fn at(at: u64, ph: char, name: &'a str, pid: usize, args: Args<'a>) -> Self {
        let ts = Some(micros(at));
        Self {
            ph,
            ts,
            ..Self::meta(name, pid, QUEUE, args)
        }
    }

    /// The first event of a trace.
    pub(super) fn begin() -> Self {
        let args = Args::Begin {
            version: VERSION,
            crate_version: env!("CARGO_PKG_VERSION"),
        };
        Self::meta("aiopool_timeline", 0, 0, args)
    }

    /// The last event of a trace.
    pub(super) fn end(totals: Totals) -> Self {
        Self::meta("aiopool_timeline_end", 0, 0, Args::End(totals))
    }

    /// Marks the place where the limit on the size was reached.
    pub(super) fn cut(at: u64) -> Self {
        let name = "the trace is cut here: the limit on its size is reached";
        Self {
            s: Some('g'),
            ..Self::at(at, 'i', name, 0, Args::Nothing {})
        }
    }

    pub(super) fn pool_name(pid: usize, name: &'a str) -> Self {
        Self::meta("process_name", pid, 0, Args::Name { name })
    }

    pub(super) fn row_name(pid: usize, tid: usize, name: &'a str) -> Self {
        Self::meta("thread_name", pid, tid, Args::Name { name })
    }

    pub(super) fn row_order(pid: usize, tid: usize) -> Self {
        let sort_index = if tid == QUEUE { 0 } else { tid };
        Self::meta("thread_sort_index", pid, tid, Args::Sort { sort_index })
    }

    pub(super) fn size(at: u64, pid: usize, permits: usize) -> Self {
        Self::at(at, 'C', "size", pid, Args::Size { permits })
    }

    /// A point of the curves of a pool, or of a group.
    pub(super) fn counts(at: u64, pid: usize, name: &'a str, count: Count) -> Self {
        Self::at(at, 'C', name, pid, Args::Count(count))
    }

    /// A task that ended in the queue.
    pub(super) fn unstarted(at: u64, pid: usize, name: &'a str, task: TaskArgs<'a>) -> Self {
        Self {
            cat: Some("unstarted"),
            s: Some('t'),
            ..Self::at(at, 'i', name, pid, Args::Task(task))
        }
    }

    /// A task that holds a permit, or has lent it (`cat`).
    pub(super) fn task(
        cat: &'static str,
        span: Span,
        (pid, tid): (usize, usize),
        name: &'a str,
        task: TaskArgs<'a>,
    ) -> Self {
        Self::slice(cat, span, (pid, tid), name, Args::Task(task))
    }

    /// One more permit of a task that holds several.
    pub(super) fn more(span: Span, row: (usize, usize), name: &'a str, id: u64) -> Self {
        Self::slice("more", span, row, name, Args::PartOf { id })
    }

    fn slice(
        cat: &'static str,
        span: Span,
        (pid, tid): (usize, usize),
        name: &'a str,
        args: Args<'a>,
    ) -> Self {
        Self {
            cat: Some(cat),
            dur: Some(micros(span.to.saturating_sub(span.from))),
            tid,
            ..Self::at(span.from, 'X', name, pid, args)
        }
    }
}
