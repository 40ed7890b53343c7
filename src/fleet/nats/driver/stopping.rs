use std::time::{Duration, Instant};

use super::state::{State, Stopping};
use super::steps::Delivered;
use super::tasks::{Phase, Stop};
use crate::fleet::info::WorkerReport;

impl State {
    /// Takes no more tasks. Those that have not started go back at once, those that run after `grace`.
    pub(super) fn begin_stop(&mut self, grace: Duration, now: Instant) {
        let grace_ends = now.checked_add(grace).unwrap_or(now + FAR);
        if let Some(stopping) = &mut self.stopping {
            stopping.grace_ends = stopping.grace_ends.min(grace_ends);
            return;
        }
        self.stopping = Some(Stopping {
            grace_ends,
            grace_is_over: false,
            ends: grace_ends + self.lease,
            leaving: false,
            drained: false,
        });
        self.admission.stop();
        let waiting: Vec<u64> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.has_not_started())
            .map(|(key, _)| *key)
            .collect();
        for key in waiting {
            self.leave_admission(key);
            self.give_back(key, None);
        }
    }

    /// Gives back what still runs when the grace is over. Returns `true` if there is nothing left to wait for.
    pub(super) fn continue_stop(&mut self, now: Instant) -> bool {
        let Some(stopping) = &mut self.stopping else {
            return false;
        };
        if now >= stopping.grace_ends && !stopping.grace_is_over {
            stopping.grace_is_over = true;
            for task in self.tasks.values_mut() {
                task.stop(Stop::Returned);
            }
        }
        (self.tasks.is_empty() && stopping.drained) || now >= stopping.ends
    }

    /// Returns `true`, once, when nothing is left to give back: then the worker stops listening for deliveries.
    ///
    /// Its requests stay at the server for a while. A server before 2.10.14 that gets a task back while nobody listens
    /// for its requests delivers another one twice: see `Repeats`. What this worker is sent until then goes back.
    pub(super) fn leaves(&mut self) -> bool {
        let is_empty = self.tasks.is_empty();
        let Some(stopping) = &mut self.stopping else {
            return false;
        };
        let leaves = is_empty && !stopping.leaving;
        stopping.leaving |= is_empty;
        leaves
    }

    /// Stops what has not stopped in time. The server gives it to another worker when its lease is over.
    pub(super) fn abandon(&mut self) {
        for task in self.tasks.values_mut() {
            task.stop(Stop::Lost);
        }
    }

    /// Gives a task back, to be delivered again after `delay`. This run of it does not count as a start.
    pub(super) fn give_back(&mut self, key: u64, delay: Option<Duration>) {
        let Some(task) = self.tasks.get_mut(&key) else {
            return;
        };
        if task.is_doubtful() {
            return self.give_up(key);
        }
        // A task whose earlier starts are not known yet keeps what is stored about them.
        task.phase = Phase::Returning;
        let starts = task.checked.then_some(task.starts);
        let delivered = Delivered::of(key, task, &self.link);
        self.help(key, delivered.give_back(starts, delay));
        self.figures.given_back += 1;
    }

    pub(super) fn report(&self) -> WorkerReport {
        WorkerReport {
            started: self.figures.started,
            completed: self.figures.completed,
            failed: self.figures.failed,
            given_back: self.figures.given_back,
            lost: self.figures.lost,
        }
    }
}

/// A grace that is longer than the clock goes.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);
