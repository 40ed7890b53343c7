use std::collections::HashMap;
use std::sync::Arc;

use super::counts::{Count, Counts};
use super::event::{QUEUE, Span, lent_row, permit_row, pid_of};
use super::note::{Described, Note, Part, Started};
use super::rows::Rows;

/// The greatest number of rows that a task takes, whatever its weight is.
const ROWS_OF_A_TASK: usize = 16;

/// Who is in which row, and how many wait: all that is known of the tasks that have not ended.
///
/// Times are in nanoseconds since the beginning of the trace, and never go back from one call to the next.
#[derive(Debug, Default)]
pub(super) struct State {
    pools: Vec<Pool>,
    /// What has happened since the notes were taken.
    notes: Vec<Note>,
}

/// The rows and counts of one pool.
#[derive(Debug)]
struct Pool {
    name: Arc<str>,
    permits: Rows<Holder>,
    lent: Rows<Holder>,
    counts: Counts,
    /// The groups that have tasks.
    groups: HashMap<Arc<str>, Counts>,
}

/// The task in a row.
#[derive(Debug)]
struct Holder {
    task: Arc<Started>,
    part: Part,
    since: u64,
}

/// The place of a task that has started.
#[derive(Debug)]
pub(super) enum Place {
    /// It holds the permits of these rows.
    Permits(Vec<usize>),
    /// It has lent its permits, and is in this row.
    Lent(usize),
}

impl State {
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Returns the index of a pool, which becomes known by this.
    pub(super) fn pool(&mut self, name: &str) -> usize {
        let known = self.pools.iter().position(|pool| &*pool.name == name);
        known.unwrap_or_else(|| {
            self.pools.push(Pool {
                name: name.into(),
                permits: Rows::new(),
                lent: Rows::new(),
                counts: Counts::default(),
                groups: HashMap::new(),
            });
            let (index, name) = (self.pools.len() - 1, Arc::from(name));
            let pid = pid_of(index);
            self.notes.push(Note::Pool { pid, name });
            self.name_row(index, QUEUE, "queue".into());
            index
        })
    }

    pub(super) fn resize(&mut self, at: u64, pool: usize, size: usize) {
        let pid = pid_of(pool);
        self.notes.push(Note::Size { at, pid, size });
    }

    pub(super) fn wait(&mut self, now: u64, pool: usize, group: Option<&str>) {
        self.count(now, pool, group, |count| count.waiting += 1);
    }

    /// A task starts: it takes the lowest free rows.
    pub(super) fn start(&mut self, pool: usize, task: &Arc<Started>, has_waited: bool) -> Place {
        self.count(task.started, pool, task.task.group.as_deref(), |count| {
            count.waiting -= usize::from(has_waited);
            count.active += 1;
        });
        self.take_permits(task.started, pool, task)
    }

    /// A task lends its permits: its rows become free.
    pub(super) fn lend(
        &mut self,
        now: u64,
        pool: usize,
        task: &Arc<Started>,
        place: &Place,
    ) -> Place {
        self.count(now, pool, task.task.group.as_deref(), |count| {
            count.active -= 1;
            count.lent += 1;
        });
        self.leave(now, pool, place, None);
        let holder = Holder {
            task: task.clone(),
            part: Part::Lent,
            since: now,
        };
        let (row, is_new) = self.pools[pool].lent.take(holder);
        if is_new {
            self.name_row(pool, lent_row(row), format!("lent {}", row + 1));
        }
        Place::Lent(row)
    }

    /// A task has its permits again.
    pub(super) fn take_back(
        &mut self,
        now: u64,
        pool: usize,
        task: &Arc<Started>,
        place: &Place,
    ) -> Place {
        self.count(now, pool, task.task.group.as_deref(), |count| {
            count.lent -= 1;
            count.active += 1;
        });
        self.leave(now, pool, place, None);
        self.take_permits(now, pool, task)
    }

    /// A task that has started ends.
    pub(super) fn end(
        &mut self,
        now: u64,
        pool: usize,
        task: &Started,
        place: &Place,
        outcome: &'static str,
    ) {
        self.count(now, pool, task.task.group.as_deref(), |count| match place {
            Place::Permits(_) => count.active -= 1,
            Place::Lent(_) => count.lent -= 1,
        });
        self.leave(now, pool, place, Some(outcome));
    }

    /// A task ends without a start.
    pub(super) fn end_unstarted(
        &mut self,
        at: u64,
        pool: usize,
        task: Described,
        has_waited: bool,
        outcome: &'static str,
    ) {
        if has_waited {
            self.count(at, pool, task.group.as_deref(), |count| count.waiting -= 1);
        }
        let pid = pid_of(pool);
        self.notes.push(Note::Unstarted {
            at,
            pid,
            task,
            outcome,
        });
    }

    /// The trace ends. Returns the number of tasks that have started and not ended.
    pub(super) fn finish(&mut self, now: u64) -> u64 {
        let mut unfinished = 0;
        for (index, pool) in std::mem::take(&mut self.pools).into_iter().enumerate() {
            let pid = pid_of(index);
            let permits = pool.permits.iter().map(|(row, at)| (permit_row(row), at));
            let lent = pool.lent.iter().map(|(row, at)| (lent_row(row), at));
            for (tid, holder) in permits.chain(lent) {
                unfinished += u64::from(holder.part != Part::MorePermit);
                let outcome = Some("unfinished");
                self.notes.push(holder.slice(pid, tid, now, outcome));
            }
            let of_groups = pool
                .groups
                .into_iter()
                .map(|(name, counts)| (Some(name), counts));
            for (group, mut counts) in of_groups.chain([(None, pool.counts)]) {
                let mut points = Vec::new();
                counts.show(&mut points);
                note_points(&mut self.notes, pid, group.as_ref(), points);
            }
        }
        unfinished
    }

    fn take_permits(&mut self, now: u64, pool: usize, task: &Arc<Started>) -> Place {
        let count = task.task.weight.clamp(1, ROWS_OF_A_TASK);
        let rows = (0..count).map(|i| {
            let part = if i == 0 {
                Part::Permit
            } else {
                Part::MorePermit
            };
            let holder = Holder {
                task: task.clone(),
                part,
                since: now,
            };
            let (row, is_new) = self.pools[pool].permits.take(holder);
            if is_new {
                self.name_row(pool, permit_row(row), format!("permit {}", row + 1));
            }
            row
        });
        Place::Permits(rows.collect())
    }

    /// Frees the rows of a task.
    fn leave(&mut self, now: u64, pool: usize, place: &Place, outcome: Option<&'static str>) {
        let pid = pid_of(pool);
        let Pool { permits, lent, .. } = &mut self.pools[pool];
        let mut left = |tid: usize, holder: Option<Holder>| {
            self.notes
                .extend(holder.map(|holder| holder.slice(pid, tid, now, outcome)));
        };
        match place {
            Place::Permits(rows) => {
                rows.iter()
                    .for_each(|row| left(permit_row(*row), permits.free(*row)));
            }
            Place::Lent(row) => left(lent_row(*row), lent.free(*row)),
        }
    }

    /// Changes the counts of a pool, and of the group of the task.
    fn count(&mut self, now: u64, pool: usize, group: Option<&str>, change: impl Fn(&mut Count)) {
        let (pid, mut points) = (pid_of(pool), Vec::new());
        let Pool { counts, groups, .. } = &mut self.pools[pool];
        counts.change(now, &mut points, &change);
        note_points(&mut self.notes, pid, None, std::mem::take(&mut points));
        let Some(group) = group else { return };
        let (name, mut counts) = groups
            .remove_entry(group)
            .unwrap_or_else(|| (group.into(), Counts::default()));
        counts.change(now, &mut points, change);
        if counts.is_zero() {
            counts.show(&mut points);
        }
        note_points(&mut self.notes, pid, Some(&name), points);
        if !counts.is_zero() {
            groups.insert(name, counts);
        }
    }

    fn name_row(&mut self, pool: usize, tid: usize, name: String) {
        let pid = pid_of(pool);
        self.notes.push(Note::Row { pid, tid, name });
    }
}

impl Holder {
    fn slice(&self, pid: usize, tid: usize, to: u64, outcome: Option<&'static str>) -> Note {
        Note::Slice {
            part: self.part,
            pid,
            tid,
            span: Span {
                from: self.since,
                to,
            },
            task: self.task.clone(),
            outcome,
        }
    }
}

fn note_points(
    notes: &mut Vec<Note>,
    pid: usize,
    group: Option<&Arc<str>>,
    points: Vec<(u64, Count)>,
) {
    notes.extend(points.into_iter().map(|point| {
        let group = group.cloned();
        Note::Point { pid, group, point }
    }));
}
