//! The state of the dashboard as a plain value: no terminal, no server, no clock.

use std::time::Duration;

use aiopool::fleet::{FleetStats, WorkerInfo};

use crate::top::count::bounded;
use crate::top::history::{History, Sample};

/// Time for which a worker that does not answer stays in the list.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Silence of a worker that is told: a busy one may miss a question.
const NOTICED: Duration = Duration::from_secs(2);

/// The whole state of the dashboard.
#[derive(Debug, Default)]
pub(in crate::top) struct Model {
    pub(in crate::top) pool: String,
    pub(in crate::top) hosts: String,
    /// Time since the start of the dashboard.
    pub(in crate::top) now: Duration,
    /// The figures, with the time of their arrival.
    pub(in crate::top) stats: Option<(Figures, Duration)>,
    pub(in crate::top) history: History,
    /// In the order of their names.
    pub(in crate::top) workers: Vec<Seen>,
    pub(in crate::top) selected: usize,
    pub(in crate::top) mode: Mode,
    pub(in crate::top) note: Option<Note>,
    /// Why there is no answer.
    pub(in crate::top) lost: Option<String>,
}

/// The figures of the pool that are shown.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::top) struct Figures {
    pub(in crate::top) size: usize,
    pub(in crate::top) active: u64,
    pub(in crate::top) waiting: u64,
    pub(in crate::top) delayed: u64,
    pub(in crate::top) finished: u64,
    pub(in crate::top) refused: u64,
    pub(in crate::top) is_paused: bool,
}

impl Figures {
    pub(super) fn of(stats: &FleetStats) -> Self {
        Self {
            size: stats.size,
            active: bounded(stats.active),
            waiting: bounded(stats.waiting),
            delayed: bounded(stats.delayed),
            finished: bounded(stats.finished),
            refused: bounded(stats.refused),
            is_paused: stats.is_paused,
        }
    }
}

/// A worker, as it has described itself last.
#[derive(Clone, Debug)]
pub(in crate::top) struct Seen {
    pub(in crate::top) worker: WorkerInfo,
    /// When it has answered.
    pub(in crate::top) at: Duration,
}

/// What keys mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::top) enum Mode {
    #[default]
    Looking,
    Help,
    /// The digits of the new size that have been typed so far.
    Typing(String),
    /// Whether to cancel all tasks.
    Asking,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::top) struct Note {
    pub(in crate::top) text: String,
    pub(in crate::top) bad: bool,
}

impl Model {
    pub(in crate::top) fn new(pool: String, hosts: String) -> Self {
        Self {
            pool,
            hosts,
            ..Self::default()
        }
    }

    /// Takes what the server and the workers have answered.
    pub(in crate::top) fn update(&mut self, stats: Figures, answered: Vec<WorkerInfo>) {
        self.lost = None;
        self.stats = Some((stats, self.now));
        self.history.push(Sample {
            at: self.now,
            active: stats.active,
            waiting: stats.waiting,
            started: stats.finished,
            ended: stats.finished,
        });
        let selected = self.workers.get(self.selected);
        let selected = selected.map(|seen| seen.worker.id.clone());
        self.forget(&answered);
        let at = self.now;
        let answered = answered.into_iter().map(|worker| Seen { worker, at });
        self.workers.extend(answered);
        self.workers
            .sort_by(|one, other| one.worker.id.cmp(&other.worker.id));
        let is_same = |seen: &Seen| Some(&seen.worker.id) == selected.as_ref();
        let place = self.workers.iter().position(is_same);
        self.selected = place.unwrap_or(self.selected);
        self.select(0);
    }

    /// Forgets what workers have said that have answered again, that have ended, or that are silent for too long.
    fn forget(&mut self, answered: &[WorkerInfo]) {
        let now = self.now;
        self.workers.retain(|seen| {
            let again = answered.iter().any(|worker| worker.id == seen.worker.id);
            !again && !seen.worker.is_stopping && now - seen.at < REMEMBERED
        });
    }

    /// Moves the selection up or down, within the list.
    pub(in crate::top) fn select(&mut self, by: isize) {
        let last = self.workers.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Returns for how long a worker has been silent, if it did not answer the last time, and has had time enough.
    pub(in crate::top) fn silence(&self, seen: &Seen) -> Option<Duration> {
        let asked = self.stats.map_or(Duration::ZERO, |(_, at)| at);
        let silence = self.now.saturating_sub(seen.at);
        (seen.at < asked && silence >= NOTICED).then_some(silence)
    }

    /// Returns the sum of a count over the workers in the list.
    pub(in crate::top) fn sum(&self, count: impl Fn(&WorkerInfo) -> u64) -> u64 {
        let counts = self.workers.iter().map(|seen| bounded(count(&seen.worker)));
        counts.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    impl Model {
        fn see(&mut self, seconds: u64, workers: Vec<WorkerInfo>) {
            self.now = Duration::from_secs(seconds);
            self.update(Figures::default(), workers);
        }
    }

    fn worker(id: &str, more: &Value) -> WorkerInfo {
        let mut worker = json!({
            "id": id, "pid": 1, "slots": 4, "running": 0, "held": 0, "started": 0, "completed": 0, "failed": 0,
            "retried": 0, "lost": 0, "refused": 0, "uptime_ms": 0, "is_stopping": false, "jobs": [],
        });
        let fields = more.as_object().unwrap().clone();
        worker.as_object_mut().unwrap().extend(fields);
        from_value(worker).unwrap()
    }

    fn names(model: &Model) -> Vec<&str> {
        let names = model.workers.iter().map(|seen| seen.worker.id.as_str());
        names.collect()
    }

    #[test]
    fn a_worker_that_does_not_answer_stays_for_a_while_and_one_that_has_ended_does_not() {
        let mut model = Model::default();
        let ending = worker("c", &json!({"is_stopping": true}));
        let told = vec![worker("b", &json!({})), worker("a", &json!({})), ending];
        model.see(1, told);
        assert_eq!(names(&model), ["a", "b", "c"]);
        model.select(1);
        model.see(3, vec![worker("a", &json!({}))]);
        assert_eq!(names(&model), ["a", "b"]);
        let silences: Vec<_> = model
            .workers
            .iter()
            .map(|seen| model.silence(seen))
            .collect();
        assert_eq!(silences, [None, Some(Duration::from_secs(2))]);
        assert_eq!(model.selected, 1, "the same one stays selected");
        model.see(70, vec![worker("a", &json!({}))]);
        assert_eq!((names(&model), model.selected), (vec!["a"], 0));
    }

    #[test]
    fn counts_of_workers_are_added_whatever_they_say() {
        let mut model = Model::default();
        let told = ["a", "b", "c"].map(|id| worker(id, &json!({"failed": u64::MAX})));
        model.see(1, told.to_vec());
        assert!(model.sum(|worker| worker.failed) >= 3);
    }
}
