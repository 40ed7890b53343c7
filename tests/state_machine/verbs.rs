//! What a step calls of the pool, and what the model makes of it.

use std::time::Duration;

use aiopool::TaskBuilder;

use crate::model::{At, Entry, Kind, Outcome, Stage};
use crate::puppet::{Order, Puppet};
use crate::step::{Limits, Verb};
use crate::trial::{Trial, Waiting};

/// What a task has beyond its future.
#[derive(Clone, Copy, PartialEq)]
struct Options {
    demand: (usize, i32),
    wait: Option<Duration>,
    run: Option<Duration>,
}

impl Options {
    const NONE: Self = Self {
        demand: (1, 0),
        wait: None,
        run: None,
    };

    fn set<F>(self, task: TaskBuilder<'_, F>) -> TaskBuilder<'_, F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut task = task.weight(self.demand.0).priority(self.demand.1);
        if let Some(wait) = self.wait {
            task = task.wait_timeout(wait);
        }
        match self.run {
            Some(run) => task.timeout(run),
            None => task,
        }
    }
}

/// Submitting.
impl Trial {
    pub(crate) fn submit(&mut self, at: At, verb: Verb, demand: (usize, i32), limits: Limits) {
        let number = self.model.next_number();
        // Some nanoseconds, so that no two limits are over at the same moment.
        let limit = |millis| Duration::from_millis(millis) + Duration::from_nanos(number as u64);
        let (wait, run) = (limits.wait.map(limit), limits.run.map(limit));
        let entry = Entry {
            weight: demand.0,
            priority: demand.1,
            wait_end: wait.map(|wait| self.model.now + wait),
            run_limit: run,
            ..Entry::new(at, Kind::Task)
        };
        let (puppet, pool) = (Puppet::default(), self.pools[at].clone());
        let future = puppet.task(number);
        self.real.puppets.insert(number, puppet);
        let options = Options { demand, wait, run };
        match verb {
            Verb::SpawnN if options == Options::NONE => {
                self.real.handles.insert(number, pool.spawn_n(future));
            }
            Verb::SpawnN => {
                let handle = options.set(pool.task(future)).spawn_n();
                self.real.handles.insert(number, handle);
            }
            Verb::TrySpawn => {
                let handle = options.set(pool.task(future)).try_spawn().ok();
                self.real
                    .handles
                    .extend(handle.map(|handle| (number, handle)));
            }
            Verb::Spawn | Verb::DroppedSpawn => {
                let spawn = async move { Some(options.set(pool.task(future)).spawn().await) };
                self.real.spawns.insert(number, Waiting::new(spawn));
                self.poll_spawn(number);
            }
        }
        self.model.submit(entry, verb == Verb::TrySpawn);
        if verb == Verb::DroppedSpawn {
            self.drop_spawn(number);
        }
    }

    /// Nobody has its handle, so that the task is cancelled. If it has started, the handle is there.
    fn drop_spawn(&mut self, number: usize) {
        if self.real.spawns.remove(&number).is_some() {
            self.model.stop(&[number]);
        }
    }

    pub(crate) fn poll_spawn(&mut self, number: usize) {
        let spawn = self.real.spawns.get_mut(&number);
        if let Some(handle) = spawn.and_then(Waiting::poll).flatten() {
            self.real.spawns.remove(&number);
            self.real.handles.insert(number, handle);
        }
    }

    pub(crate) fn feed(&mut self, at: At, items: usize) {
        let number = self.model.next_number();
        let numbers: Vec<usize> = (number + 1..=number + items).collect();
        for item in &numbers {
            self.real.puppets.insert(*item, Puppet::default());
        }
        let puppets: Vec<(usize, Puppet)> = numbers
            .iter()
            .map(|item| (*item, self.real.puppets[item].clone()))
            .collect();
        let make = |(item, puppet): (usize, Puppet)| puppet.task(item);
        self.real
            .feeds
            .insert(number, self.pools[at].feed(puppets, make));
        self.model.submit_feed(at, numbers);
    }

    pub(crate) fn acquire(&mut self, demand: (usize, i32)) {
        let number = self.model.next_number();
        let pool = self.pools[0].clone();
        let acquire = async move {
            let (weight, priority) = demand;
            pool.permit()
                .weight(weight)
                .priority(priority)
                .acquire()
                .await
        };
        self.real.acquires.insert(number, Waiting::new(acquire));
        self.poll_acquires();
        let entry = Entry {
            weight: demand.0,
            priority: demand.1,
            ..Entry::new(0, Kind::InPlace)
        };
        self.model.submit(entry, false);
    }

    pub(crate) fn poll_acquires(&mut self) {
        for number in self.real.acquires.keys().copied().collect::<Vec<_>>() {
            let acquire = self.real.acquires.get_mut(&number);
            if let Some(permit) = acquire.and_then(Waiting::poll) {
                self.real.acquires.remove(&number);
                self.real.permits.insert(number, permit);
            }
        }
    }

    /// Drops a permit, or the wait for it.
    pub(crate) fn release(&mut self, which: usize) {
        let in_place = |entry: &Entry| entry.kind == Kind::InPlace && !entry.is_over();
        let Some(number) = self.choose(which, in_place) else {
            return;
        };
        if self.model.is_open(|model| model.end(number, Outcome::Gone)) {
            return;
        }
        self.real.permits.remove(&number);
        self.real.acquires.remove(&number);
        self.model.end(number, Outcome::Gone);
    }
}

/// What tasks do.
impl Trial {
    /// One of those of which this is true.
    fn choose(&self, which: usize, is_meant: impl Fn(&Entry) -> bool) -> Option<usize> {
        let meant = self.model.which(0, is_meant);
        (!meant.is_empty()).then(|| meant[which % meant.len()])
    }

    fn choose_active(&self, which: usize) -> Option<usize> {
        let is_task = |entry: &Entry| matches!(entry.kind, Kind::Task | Kind::Item(_));
        self.choose(which, |entry| {
            is_task(entry) && entry.stage == Stage::Active
        })
    }

    pub(crate) fn end(&mut self, which: usize, panics: bool) {
        let Some(number) = self.choose_active(which) else {
            return;
        };
        let (order, outcome) = match panics {
            true => (Order::Panic, Outcome::Panic),
            false => (Order::End, Outcome::Value),
        };
        if self.model.is_open(|model| model.end(number, outcome)) {
            return;
        }
        self.real.puppets[&number].tell(order);
        self.hand.run();
        self.model.end(number, outcome);
    }

    pub(crate) fn lend(&mut self, which: usize) {
        let Some(number) = self.choose_active(which) else {
            return;
        };
        if self.model.is_open(|model| model.lend(number)) {
            return;
        }
        self.real.puppets[&number].tell(Order::Lend);
        self.hand.run();
        self.model.lend(number);
    }

    pub(crate) fn come_back(&mut self, which: usize) {
        let is_lent = |entry: &Entry| entry.stage == Stage::Lent && entry.awaits.is_none();
        let Some(number) = self.choose(which, is_lent) else {
            return;
        };
        self.real.puppets[&number].tell(Order::ComeBack);
        self.hand.run();
        self.model.come_back(number);
    }

    /// A task awaits the handle of another one.
    pub(crate) fn make_await(&mut self, which: usize, other: usize) {
        let Some(number) = self.choose_active(which) else {
            return;
        };
        let mut others = self
            .real
            .handles
            .keys()
            .copied()
            .filter(|other| *other != number);
        let count = others.clone().count();
        let Some(other) = others.nth(other % count.max(1)) else {
            return;
        };
        if self.model.is_open(|model| model.lend(number)) {
            return;
        }
        let handle = self.real.handles.remove(&other).unwrap();
        self.real.puppets[&number].tell(Order::Await(other, handle));
        self.hand.run();
        if !self.model.entries[other].is_over() {
            self.model.entries[number].awaits = Some(other);
            self.model.lend(number);
        }
    }
}

/// Stopping.
impl Trial {
    pub(crate) fn abort(&mut self, which: usize) {
        let handles = self.real.handles.keys().copied();
        let living = handles.filter(|number| !self.model.entries[*number].is_over());
        let living: Vec<usize> = living.collect();
        if living.is_empty() {
            return;
        }
        let number = living[which % living.len()];
        if self.model.order_matters(&[number]) {
            return;
        }
        assert!(
            self.real.handles[&number].abort(),
            "{number} was not aborted"
        );
        self.hand.run();
        self.model.stop(&[number]);
    }

    pub(crate) fn abort_feed(&mut self, which: usize) {
        let feeds: Vec<usize> = self.real.feeds.keys().copied().collect();
        if feeds.is_empty() {
            return;
        }
        let feed = feeds[which % feeds.len()];
        let is_part = |entry: &Entry| entry.kind == Kind::Item(feed) && entry.has_started;
        let mut part = self
            .model
            .which(0, |entry| is_part(entry) && !entry.is_over());
        if !self.model.entries[feed].is_over() {
            part.push(feed);
        }
        if self.model.order_matters(&part) {
            return;
        }
        let is_new = self.real.feeds[&feed].abort();
        assert_eq!(
            is_new,
            !part.is_empty(),
            "the feed {feed} said so of its abort"
        );
        self.hand.run();
        self.model.stop(&part);
    }

    /// Stops all tasks of a pool or group.
    pub(crate) fn stop_all(&mut self, at: At, awaits: bool) {
        let is_meant = |entry: &Entry| {
            let is_pulled = entry.has_started || !matches!(entry.kind, Kind::Item(_));
            entry.kind != Kind::InPlace && !entry.is_over() && is_pulled
        };
        let all = self.model.which(at, is_meant);
        if self.model.order_matters(&all) {
            return;
        }
        let tasks = all.iter().filter(|number| {
            let kind = &self.model.entries[**number].kind;
            !matches!(kind, Kind::Feed(_))
        });
        let (tasks, pool) = (tasks.count(), self.pools[at].clone());
        if awaits {
            let mut cancel = Waiting::new(async move { pool.cancel_all().await });
            let mut stopped = cancel.poll();
            self.hand.run();
            stopped = stopped.or_else(|| cancel.poll());
            assert_eq!(stopped, Some(tasks), "cancel_all has stopped");
        } else {
            assert_eq!(pool.abort_all(), tasks, "abort_all has stopped");
            self.hand.run();
        }
        self.model.stop(&all);
    }
}
