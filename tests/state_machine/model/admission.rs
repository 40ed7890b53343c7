//! Who may run, and in which order.

use std::cmp::Reverse;
use std::time::Duration;

use super::{At, Entry, GRAIN, INTERVAL, Kind, Model, Node, Outcome, Polls, Stage, Starts};

impl Model {
    /// A node, and all around it.
    pub(crate) fn path(&self, home: At) -> impl Iterator<Item = At> {
        std::iter::successors(Some(home), |at| self.nodes[*at].around)
    }

    pub(crate) fn is_inside(&self, number: usize, at: At) -> bool {
        self.path(self.entries[number].home)
            .any(|around| around == at)
    }

    /// The numbers of the entries at a node, or in a group of it, of which this is true.
    pub(crate) fn which(&self, at: At, is_meant: impl Fn(&Entry) -> bool) -> Vec<usize> {
        let numbers = 0..self.entries.len();
        let is_meant =
            |number: &usize| self.is_inside(*number, at) && is_meant(&self.entries[*number]);
        numbers.filter(is_meant).collect()
    }

    pub(super) fn waiting_to_start(&self, at: At) -> usize {
        self.which(at, Entry::is_in_the_queue).len()
    }

    pub(super) fn held(&self, at: At) -> usize {
        let has_permit = |entry: &Entry| matches!(entry.stage, Stage::Active | Stage::Pulled);
        let active = self.which(at, has_permit);
        active
            .iter()
            .map(|number| self.entries[*number].weight)
            .sum()
    }

    /// The next one at a node: of its own entries, and of those that its groups let through, the first one that wants a
    /// permit back, or else the oldest of the highest priority.
    pub(super) fn next(&self, at: At) -> Option<usize> {
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

    pub(super) fn lets_through(&self, at: At, number: usize) -> bool {
        let (node, entry) = (&self.nodes[at], &self.entries[number]);
        let held = self.held(at);
        let fits = held == 0 || held + entry.weight <= node.size;
        let may_start = !node.paused && node.held_until <= self.now && !self.is_spent(at);
        fits && (entry.stage == Stage::Returning || may_start)
    }

    pub(super) fn is_spent(&self, at: At) -> bool {
        let node = &self.nodes[at];
        let recent = node
            .starts
            .iter()
            .filter(|starts| starts.last + INTERVAL > self.now);
        let recent: usize = recent.map(|starts| starts.count).sum();
        node.rate.is_some_and(|rate| recent + node.reserved >= rate)
    }

    /// Gives permits as long as there is one for the next entry.
    ///
    /// A feed that gets one is away from the queue until its worker has pulled an item, and others go on meanwhile.
    pub(crate) fn admit_all(&mut self) {
        let mut has_pulled = false;
        loop {
            while let Some(number) = self.next(0).filter(|number| self.lets_through(0, *number)) {
                self.admit(number);
            }
            let is_pulled = |number: &usize| self.entries[*number].stage == Stage::Pulled;
            let pulled = (0..self.entries.len()).filter(is_pulled);
            let mut pulled: Vec<usize> = pulled.collect();
            pulled.sort_by_key(|number| self.entries[*number].ticket);
            match self.polls {
                Polls::OldestFirst => {}
                Polls::NewestFirst => pulled.reverse(),
                Polls::NewestNext if has_pulled => pulled.reverse(),
                Polls::NewestNext => {}
            }
            has_pulled = true;
            match pulled.first().copied() {
                Some(feed) => {
                    self.pull(feed);
                    if self.polls == Polls::NewestFirst {
                        self.wake_awaiting();
                    }
                }
                None => return,
            }
        }
    }

    pub(super) fn admit(&mut self, number: usize) {
        let entry = &self.entries[number];
        let is_feed = matches!(entry.kind, Kind::Feed(_));
        if is_feed {
            self.change_path(number, |node| node.reserved += 1);
            // In the order of their workers.
            self.arrive(number);
            self.entries[number].stage = Stage::Pulled;
            return;
        }
        if entry.stage == Stage::Waiting {
            self.start(number);
        }
        self.entries[number].stage = Stage::Active;
    }

    fn start(&mut self, number: usize) {
        let now = self.now;
        self.change_path(number, |node| node.count_start(now));
        let entry = &mut self.entries[number];
        entry.has_started = true;
        entry.run_end = entry.run_limit.map(|limit| self.now + limit);
    }

    fn change_path(&mut self, number: usize, change: impl Fn(&mut Node)) {
        let path: Vec<At> = self.path(self.entries[number].home).collect();
        path.into_iter().for_each(|at| change(&mut self.nodes[at]));
    }

    /// One item takes the permit, and the feed goes to the back of the queue with the others.
    pub(super) fn pull(&mut self, feed: usize) {
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
        self.change_path(feed, |node| node.reserved -= 1);
        if let Some(item) = item {
            self.entries[item].stage = Stage::Active;
            self.start(item);
        }
    }
}

impl Node {
    fn count_start(&mut self, now: Duration) {
        match self.starts.last_mut() {
            Some(starts) if starts.first + GRAIN >= now => {
                starts.last = now;
                starts.count += 1;
            }
            _ => self.starts.push(Starts {
                first: now,
                last: now,
                count: 1,
            }),
        }
    }
}
