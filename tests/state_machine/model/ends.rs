//! What becomes of what was submitted.

use std::time::Duration;

use super::{Entry, INTERVAL, Kind, Model, Outcome, Polls, Stage};

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

    pub(super) fn wake_awaiting(&mut self) {
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
        let backwards: Vec<usize> = numbers.iter().rev().copied().collect();
        let expected = self.after(|model| model.stop(numbers));
        let one_by_one = |numbers: &[usize]| {
            self.after(|model| numbers.iter().for_each(|number| model.stop(&[*number])))
        };
        expected != self.after(|model| model.stop(&backwards))
            || expected != one_by_one(numbers)
            || expected != one_by_one(&backwards)
            || self.is_open(|model| model.stop(numbers))
    }

    /// Returns `true` if it depends on the runtime what comes of a change: on the order in which it polls the workers of
    /// feeds, and those of tasks that want their permits back.
    pub(crate) fn is_open(&self, change: impl Fn(&mut Self)) -> bool {
        let expected = self.after(&change);
        [Polls::NewestFirst, Polls::NewestNext].iter().any(|polls| {
            let mut other = self.clone();
            other.polls = *polls;
            expected != other.after(&change)
        })
    }

    /// The stages of all entries after a change, and the order of those that wait for permits.
    fn after(&self, change: impl Fn(&mut Self)) -> (Vec<Stage>, Vec<usize>) {
        let mut model = self.clone();
        change(&mut model);
        let mut queue = model.which(0, Entry::waits_for_a_permit);
        queue.sort_by_key(|number| model.entries[*number].ticket);
        let stages = model.entries.into_iter().map(|entry| entry.stage);
        (stages.collect(), queue)
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
        let frees = starts.map(|starts| starts.last + INTERVAL);
        let all = limits.flatten().chain(holds).chain(frees);
        all.filter(|event| *event > self.now).min()
    }
}
