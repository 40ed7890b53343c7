//! The naive model: one list of everything that was ever submitted, which is searched from the front.

use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

/// The number of a pool or group: 0 is the pool.
pub(crate) type At = usize;

/// A start of a rate is free again after this time.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

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
    pub(crate) starts: Vec<Duration>,
}

#[derive(Clone, Debug, PartialEq)]
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

    fn waits_for_a_permit(&self) -> bool {
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
        let path = self.path(home);
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

/// Who may run.
impl Model {
    /// A node, and all around it.
    pub(crate) fn path(&self, home: At) -> Vec<At> {
        std::iter::successors(Some(home), |at| self.nodes[*at].around).collect()
    }

    pub(crate) fn is_inside(&self, number: usize, at: At) -> bool {
        self.path(self.entries[number].home).contains(&at)
    }

    /// The numbers of the entries at a node, or in a group of it, of which this is true.
    pub(crate) fn which(&self, at: At, is_meant: impl Fn(&Entry) -> bool) -> Vec<usize> {
        let numbers = 0..self.entries.len();
        let is_meant =
            |number: &usize| self.is_inside(*number, at) && is_meant(&self.entries[*number]);
        numbers.filter(is_meant).collect()
    }

    fn waiting_to_start(&self, at: At) -> usize {
        self.which(at, Entry::is_in_the_queue).len()
    }

    fn held(&self, at: At) -> usize {
        let has_permit = |entry: &Entry| matches!(entry.stage, Stage::Active | Stage::Pulled);
        let active = self.which(at, has_permit);
        active
            .iter()
            .map(|number| self.entries[*number].weight)
            .sum()
    }

    /// The next one at a node: of its own entries, and of those that its groups let through, the first one that wants a
    /// permit back, or else the oldest of the highest priority.
    fn next(&self, at: At) -> Option<usize> {
        let own = (0..self.entries.len()).filter(|number| {
            self.entries[*number].home == at && self.entries[*number].waits_for_a_permit()
        });
        let groups = (0..self.nodes.len()).filter(|group| self.nodes[*group].around == Some(at));
        let offers = groups.filter_map(|group| {
            self.next(group)
                .filter(|number| self.lets_through(group, *number))
        });
        own.chain(offers).min_by_key(|number| {
            let entry = &self.entries[*number];
            let is_new = entry.stage == Stage::Waiting;
            let priority = if is_new { entry.priority } else { 0 };
            (is_new, Reverse(priority), entry.ticket)
        })
    }

    fn lets_through(&self, at: At, number: usize) -> bool {
        let (node, entry) = (&self.nodes[at], &self.entries[number]);
        let held = self.held(at);
        let fits = held == 0 || held + entry.weight <= node.size;
        let may_start = !node.paused && node.held_until <= self.now && !self.is_spent(at);
        fits && (entry.stage == Stage::Returning || may_start)
    }

    fn is_spent(&self, at: At) -> bool {
        let node = &self.nodes[at];
        let recent = node
            .starts
            .iter()
            .filter(|start| **start + INTERVAL > self.now);
        node.rate.is_some_and(|rate| recent.count() >= rate)
    }

    /// Gives permits as long as there is one for the next entry.
    ///
    /// A feed that gets one is away from the queue until its worker has pulled an item, and others go on meanwhile.
    pub(crate) fn admit_all(&mut self) {
        loop {
            while let Some(number) = self.next(0).filter(|number| self.lets_through(0, *number)) {
                self.admit(number);
            }
            let is_pulled = |number: &usize| self.entries[*number].stage == Stage::Pulled;
            let pulled = (0..self.entries.len()).filter(is_pulled);
            match pulled.min_by_key(|number| self.entries[*number].ticket) {
                Some(feed) => self.pull(feed),
                None => return,
            }
        }
    }

    fn admit(&mut self, number: usize) {
        let entry = &self.entries[number];
        let is_feed = matches!(entry.kind, Kind::Feed(_));
        if entry.stage == Stage::Waiting {
            for at in self.path(entry.home) {
                self.nodes[at].starts.push(self.now);
            }
            self.start(number);
        }
        if is_feed {
            // In the order of their workers.
            self.arrive(number);
            self.entries[number].stage = Stage::Pulled;
        } else {
            self.entries[number].stage = Stage::Active;
        }
    }

    fn start(&mut self, number: usize) {
        let entry = &mut self.entries[number];
        entry.has_started = true;
        entry.run_end = entry.run_limit.map(|limit| self.now + limit);
    }

    /// One item takes the permit, and the feed goes to the back of the queue with the others.
    fn pull(&mut self, feed: usize) {
        let Kind::Feed(left) = &mut self.entries[feed].kind else {
            unreachable!("{feed} is no feed");
        };
        let item = (!left.is_empty()).then(|| left.remove(0));
        let is_last = left.is_empty();
        self.entries[feed].stage = match is_last {
            true => Stage::Over(Outcome::Gone),
            false => Stage::Waiting,
        };
        self.arrive(feed);
        match item {
            Some(item) => {
                self.entries[item].stage = Stage::Active;
                self.start(item);
            }
            None => self.give_start_back(feed),
        }
    }

    /// The start was not used.
    fn give_start_back(&mut self, number: usize) {
        for at in self.path(self.entries[number].home) {
            self.nodes[at].starts.pop();
        }
    }
}

/// What becomes of it.
impl Model {
    /// Ends an entry. What awaits it wants its permit back after others have got the one that is free now.
    pub(crate) fn end(&mut self, number: usize, outcome: Outcome) {
        self.end_only(number, outcome);
        self.wake_awaiting();
    }

    fn end_only(&mut self, number: usize, outcome: Outcome) {
        self.entries[number].stage = Stage::Over(outcome);
        self.admit_all();
    }

    fn wake_awaiting(&mut self) {
        for number in 0..self.entries.len() {
            let entry = &self.entries[number];
            let is_over = |other: usize| self.entries[other].is_over();
            if entry.stage == Stage::Lent && entry.awaits.is_some_and(is_over) {
                self.entries[number].awaits = None;
                self.come_back(number);
            }
        }
    }

    pub(crate) fn lend(&mut self, number: usize) {
        self.entries[number].stage = Stage::Lent;
        self.admit_all();
    }

    pub(crate) fn come_back(&mut self, number: usize) {
        self.arrive(number);
        self.entries[number].stage = Stage::Returning;
        self.admit_all();
    }

    /// Stops these: first all that wait leave the queue, then the others end one by one.
    pub(crate) fn stop(&mut self, numbers: &[usize]) {
        let is_waiting = |number: &&usize| self.entries[**number].stage == Stage::Waiting;
        let (waiting, others): (Vec<usize>, Vec<usize>) = numbers.iter().partition(is_waiting);
        for number in waiting {
            let is_feed = matches!(self.entries[number].kind, Kind::Feed(_));
            let outcome = if is_feed {
                Outcome::Gone
            } else {
                Outcome::Cancelled
            };
            self.entries[number].stage = Stage::Over(outcome);
        }
        self.admit_all();
        for number in others {
            self.end_only(number, Outcome::Cancelled);
        }
        self.wake_awaiting();
    }

    /// Returns `true` if it makes a difference in which order these are stopped, and in which order what awaits them wants
    /// its permits back.
    pub(crate) fn order_matters(&self, numbers: &[usize]) -> bool {
        let after = |stop: &dyn Fn(&mut Self)| {
            let mut model = self.clone();
            stop(&mut model);
            let mut queue = model.which(0, |entry| entry.stage == Stage::Returning);
            queue.sort_by_key(|number| model.entries[*number].ticket);
            let stages = model.entries.into_iter().map(|entry| entry.stage);
            (stages.collect::<Vec<_>>(), queue)
        };
        let backwards: Vec<usize> = numbers.iter().rev().copied().collect();
        let expected = after(&|model| model.stop(numbers));
        let one_by_one = |numbers: &[usize]| {
            after(&|model| numbers.iter().for_each(|number| model.stop(&[*number])))
        };
        expected != after(&|model| model.stop(&backwards))
            || expected != one_by_one(numbers)
            || expected != one_by_one(&backwards)
    }

    /// Lets the time pass, from one event to the next.
    pub(crate) fn advance_to(&mut self, time: Duration) {
        while let Some(event) = self.next_event().filter(|event| *event <= time) {
            self.now = event;
            // A permit that is free now goes before a limit that is over now.
            self.admit_all();
            let is_late = |end: Option<Duration>| end.is_some_and(|end| end <= event);
            for number in 0..self.entries.len() {
                let entry = &self.entries[number];
                if entry.stage == Stage::Waiting && is_late(entry.wait_end) {
                    self.end(number, Outcome::WaitedTooLong);
                } else if !entry.is_over() && is_late(entry.run_end) {
                    self.end(number, Outcome::RanTooLong);
                }
            }
        }
        self.now = time;
    }

    fn next_event(&self) -> Option<Duration> {
        let living = self.entries.iter().filter(|entry| !entry.is_over());
        let limits = living.flat_map(|entry| {
            let wait_end = entry.wait_end.filter(|_| entry.stage == Stage::Waiting);
            [wait_end, entry.run_end]
        });
        let holds = self.nodes.iter().map(|node| node.held_until);
        let starts = self.nodes.iter().flat_map(|node| &node.starts);
        let frees = starts.map(|start| *start + INTERVAL);
        let all = limits.flatten().chain(holds).chain(frees);
        all.filter(|event| *event > self.now).min()
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
