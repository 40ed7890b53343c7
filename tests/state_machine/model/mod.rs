//! The naive model: one list of everything that was ever submitted, which is searched from the front.
//!
//! - `admission`: who may run, and in which order
//! - `ends`: what becomes of it, by itself or with time

mod admission;
mod ends;

use std::fmt;
use std::time::Duration;

/// The number of a pool or group: 0 is the pool.
pub(crate) type At = usize;

/// A start of a rate is free again after this time.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

/// The part of an interval in which starts count as one.
pub(crate) const GRAIN: Duration = Duration::from_nanos(100_000_000 / 256);

#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) around: Option<At>,
    pub(crate) size: usize,
    pub(crate) max_waiting: Option<usize>,
    /// The number of starts in an [`INTERVAL`].
    pub(crate) rate: Option<usize>,
    pub(crate) paused: bool,
    pub(crate) closed: bool,
    pub(crate) held_until: Duration,
    pub(crate) starts: Vec<Starts>,
    /// The starts of feeds that have not pulled their item yet.
    pub(crate) reserved: usize,
}

/// Starts within a small part of an interval, which are free again together: an interval after the last of them.
#[derive(Clone, Debug)]
pub(crate) struct Starts {
    pub(crate) first: Duration,
    pub(crate) last: Duration,
    pub(crate) count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    Waiting,
    Active,
    /// A feed with a permit, from which an item is about to be pulled.
    Pulled,
    Lent,
    /// It waits for the permit that it had lent.
    Returning,
    Over(Outcome),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    Value,
    Panic,
    Cancelled,
    WaitedTooLong,
    RanTooLong,
    Full,
    Closed,
    TooHeavy,
    /// A `try_spawn` gave the future back.
    Refused,
    /// It was no task, and is gone.
    Gone,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Task,
    InPlace,
    /// The entry of a feed, and the items that it has left.
    Feed(Vec<usize>),
    /// An item of this feed.
    Item(usize),
}

/// The order in which the runtime polls the workers of feeds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Polls {
    #[default]
    OldestFirst,
    /// Those of tasks that want their permits back come between them.
    NewestFirst,
    /// A worker whose feed has ended goes on with the next one.
    NewestNext,
}

/// Something that was submitted.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) home: At,
    pub(crate) kind: Kind,
    pub(crate) weight: usize,
    pub(crate) priority: i32,
    pub(crate) stage: Stage,
    pub(crate) has_started: bool,
    /// Its place in the order of arrival.
    pub(crate) ticket: usize,
    /// When it has waited too long, and how long it may run.
    pub(crate) wait_end: Option<Duration>,
    pub(crate) run_limit: Option<Duration>,
    pub(crate) run_end: Option<Duration>,
    /// The task that it awaits.
    pub(crate) awaits: Option<usize>,
}

impl Entry {
    pub(crate) fn new(home: At, kind: Kind) -> Self {
        Self {
            home,
            kind,
            weight: 1,
            priority: 0,
            stage: Stage::Waiting,
            has_started: false,
            ticket: 0,
            wait_end: None,
            run_limit: None,
            run_end: None,
            awaits: None,
        }
    }

    /// Returns `true` if it counts in the statistics: if it is no code in place, no feed, and no item that was not pulled.
    pub(crate) fn is_a_task(&self) -> bool {
        match self.kind {
            Kind::Task => true,
            Kind::Item(_) => self.is_there(),
            // A feed that is refused counts as one task.
            Kind::Feed(_) => matches!(self.stage, Stage::Over(Outcome::Full | Outcome::Closed)),
            Kind::InPlace => false,
        }
    }

    /// Returns `false` for an item that was not pulled.
    pub(crate) fn is_there(&self) -> bool {
        self.has_started || !matches!(self.kind, Kind::Item(_))
    }

    pub(crate) fn is_in_the_queue(&self) -> bool {
        self.stage == Stage::Waiting && self.is_there()
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    /// Returns `true` if it has lent its permit.
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self.stage, Stage::Lent | Stage::Returning)
    }

    pub(super) fn waits_for_a_permit(&self) -> bool {
        self.is_in_the_queue() || self.stage == Stage::Returning
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) now: Duration,
    pub(crate) nodes: Vec<Node>,
    /// Everything that was ever submitted. Its index is its number.
    pub(crate) entries: Vec<Entry>,
    tickets: usize,
    polls: Polls,
}

/// What is submitted.
impl Model {
    pub(crate) fn new(nodes: Vec<Node>) -> Self {
        Self {
            nodes,
            ..Self::default()
        }
    }

    /// Returns the number that the next entry gets.
    pub(crate) fn next_number(&self) -> usize {
        self.entries.len()
    }

    /// Submits an entry. `tries` says that it gives up rather than wait in a queue without a bound.
    pub(crate) fn submit(&mut self, entry: Entry, tries: bool) {
        self.entries.push(entry);
        self.submit_last(self.entries.len() - 1, tries);
    }

    fn submit_last(&mut self, number: usize, tries: bool) {
        let entry = &self.entries[number];
        let (home, weight) = (entry.home, entry.weight);
        let in_place = entry.kind == Kind::InPlace;
        self.arrive(number);
        let path: Vec<At> = self.path(home).collect();
        let is_bounded = path.iter().any(|at| self.nodes[*at].max_waiting.is_some());
        let mut bounds = path
            .iter()
            .filter_map(|at| Some((at, self.nodes[*at].max_waiting?)));
        // The entry itself is in the list already.
        let is_full = bounds.any(|(at, bound)| self.waiting_to_start(*at) > bound);
        let may_wait = !is_full && (is_bounded || !tries);
        let starts = self.next(0) == Some(number) && self.lets_through(0, number);
        let refused = if in_place {
            None
        } else if path.iter().any(|at| self.nodes[*at].closed) {
            Some(Outcome::Closed)
        } else if path.iter().any(|at| weight > self.nodes[*at].size) {
            Some(Outcome::TooHeavy)
        } else if !may_wait && !starts {
            Some(Outcome::Full)
        } else {
            None
        };
        if let Some(outcome) = refused {
            let outcome = if tries { Outcome::Refused } else { outcome };
            self.entries[number].stage = Stage::Over(outcome);
        }
        self.admit_all();
    }

    /// Submits a feed. Its items have the numbers after it.
    pub(crate) fn submit_feed(&mut self, at: At, items: Vec<usize>) {
        let feed = self.entries.len();
        let made = items
            .iter()
            .map(|_| Entry::new(at, Kind::Item(feed)))
            .collect();
        let made: Vec<Entry> = made;
        self.entries.push(Entry::new(at, Kind::Feed(items)));
        self.entries.extend(made);
        self.submit_last(feed, false);
    }

    fn arrive(&mut self, number: usize) {
        self.tickets += 1;
        self.entries[number].ticket = self.tickets;
    }
}

/// Everything that is not over.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, entry) in self.entries.iter().enumerate() {
            if !entry.is_over() && entry.is_there() {
                let Entry {
                    kind, stage, home, ..
                } = entry;
                write!(f, "{number} is {stage:?} in {home} ({kind:?}), ")?;
            }
        }
        write!(f, "it is {:?}", self.now)
    }
}
