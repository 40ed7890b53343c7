//! A run, as the page gets it.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::trace::{Event, Trace};

/// A run: its tasks and what its rows show, column by column. Times are in microseconds since the beginning.
#[derive(Debug, Default, Serialize)]
pub(super) struct Run {
    pools: Vec<Pool>,
    groups: Vec<String>,
    outcomes: Vec<String>,
    tasks: Tasks,
    slices: Slices,
    is_whole: bool,
    /// When the limit on the size was reached.
    cut_at: Option<f64>,
    left_out: u64,
    #[serde(skip)]
    known: Known,
}

#[derive(Debug, Default, Serialize)]
struct Pool {
    name: String,
    /// When the pool got a size, and which.
    sizes: Vec<(f64, u64)>,
}

#[derive(Debug, Default, Serialize)]
struct Tasks {
    id: Vec<u64>,
    name: Vec<String>,
    pool: Vec<usize>,
    /// The index in the groups, and -1 for a task of the pool itself.
    group: Vec<i64>,
    outcome: Vec<usize>,
    priority: Vec<i64>,
    weight: Vec<u64>,
    submitted: Vec<f64>,
    /// `None` if the task never started.
    started: Vec<Option<f64>>,
    ended: Vec<f64>,
}

/// What the rows show, in the order of their beginnings.
#[derive(Debug, Default, Serialize)]
struct Slices {
    task: Vec<usize>,
    row: Vec<u64>,
    from: Vec<f64>,
    to: Vec<f64>,
}

/// The indices of what has been seen.
#[derive(Debug, Default)]
struct Known {
    pools: BTreeMap<u64, usize>,
    groups: HashMap<(usize, String), usize>,
    outcomes: HashMap<String, usize>,
    tasks: HashMap<(usize, u64), usize>,
}

impl Run {
    pub(super) fn of(trace: Trace) -> Self {
        let mut run = Self {
            is_whole: trace.is_whole,
            ..Self::default()
        };
        let mut events = trace.events;
        // A task is known by its first event, and its last one says the most.
        events.sort_by(|a, b| a.ts.total_cmp(&b.ts));
        for event in events {
            run.add(event);
        }
        run
    }

    fn add(&mut self, event: Event) {
        match (event.ph.as_str(), event.name.as_str()) {
            ("M", "process_name") => {
                let name = event.args.name.unwrap_or_default();
                let pool = self.pool(event.pid);
                self.pools[pool].name = name.strip_prefix("pool ").unwrap_or(&name).into();
            }
            ("M", "aiopool_timeline_end") => self.left_out = event.args.left_out_tasks,
            ("C", "size") => {
                let pool = self.pool(event.pid);
                let size = event.args.permits.unwrap_or_default();
                self.pools[pool].sizes.push((event.ts, size));
            }
            ("X", _) => self.add_slice(event),
            ("i", _) if event.s == "g" => self.cut_at = Some(event.ts),
            ("i", _) if event.args.id.is_some() => _ = self.task(event),
            _ => {}
        }
    }

    fn add_slice(&mut self, event: Event) {
        let (from, to, row) = (event.ts, rounded(event.ts + event.dur), event.tid);
        let task = if event.cat == "more" {
            // The slice of its first permit says what it is, and may come after this one.
            let pool = self.pool(event.pid);
            self.place_of(pool, event.args.id.unwrap_or_default())
        } else {
            self.task(event)
        };
        self.slices.task.push(task);
        self.slices.row.push(row);
        self.slices.from.push(from);
        self.slices.to.push(to);
    }

    /// Writes down what an event says of its task, and returns the index of the task.
    fn task(&mut self, event: Event) -> usize {
        let Event { ts, dur, args, .. } = event;
        let pool = self.pool(event.pid);
        let task = self.place_of(pool, args.id.unwrap_or_default());
        let has_started = event.ph == "X";
        let ended = rounded(ts + dur);
        // A task that has lent its permit has several slices, and has started with the first of them.
        let started = match (args.ran_us, self.tasks.started[task]) {
            (Some(ran), _) => rounded(ended - ran),
            (None, Some(started)) => started,
            (None, None) => ts,
        };
        let outcome = args.outcome.unwrap_or_else(|| "unfinished".into());
        let group = args
            .group
            .map_or(-1, |group| self.group(pool, group) as i64);
        let outcome = self.outcome(outcome);
        let tasks = &mut self.tasks;
        tasks.name[task] = event.name;
        tasks.group[task] = group;
        tasks.outcome[task] = outcome;
        tasks.priority[task] = args.priority;
        tasks.weight[task] = args.weight.unwrap_or(1);
        tasks.submitted[task] = rounded(if has_started { started } else { ended } - args.waited_us);
        tasks.started[task] = has_started.then_some(started);
        tasks.ended[task] = ended;
        task
    }

    fn place_of(&mut self, pool: usize, id: u64) -> usize {
        let tasks = &mut self.tasks;
        *self.known.tasks.entry((pool, id)).or_insert_with(|| {
            tasks.id.push(id);
            tasks.pool.push(pool);
            tasks.name.push(String::new());
            tasks.group.push(-1);
            tasks.outcome.push(0);
            tasks.priority.push(0);
            tasks.weight.push(1);
            tasks.submitted.push(0.0);
            tasks.started.push(None);
            tasks.ended.push(0.0);
            tasks.id.len() - 1
        })
    }

    fn pool(&mut self, pid: u64) -> usize {
        let pools = &mut self.pools;
        *self.known.pools.entry(pid).or_insert_with(|| {
            pools.push(Pool::default());
            pools.len() - 1
        })
    }

    fn group(&mut self, pool: usize, name: String) -> usize {
        let groups = &mut self.groups;
        *self
            .known
            .groups
            .entry((pool, name))
            .or_insert_with_key(|(_, name)| {
                groups.push(name.clone());
                groups.len() - 1
            })
    }

    fn outcome(&mut self, name: String) -> usize {
        let outcomes = &mut self.outcomes;
        *self.known.outcomes.entry(name).or_insert_with_key(|name| {
            outcomes.push(name.clone());
            outcomes.len() - 1
        })
    }
}

/// Rounds a sum or difference of microseconds to whole nanoseconds, which is all that a trace knows.
fn rounded(micros: f64) -> f64 {
    (micros * 1000.0).round() / 1000.0
}
