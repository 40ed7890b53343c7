//! What the dashboard knows, as a plain value: no terminal, no socket, no clock.

use std::time::Duration;

use serde_json::Value;

use super::count;
use super::history::{History, Sample};
use super::tasks::Tasks;

/// The whole of it.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// What the server calls its pool.
    pub(super) server: String,
    pub(super) address: String,
    /// How often the server is to be asked.
    pub(super) interval: Duration,
    /// How long the dashboard has been there: all other times are on this clock.
    pub(super) now: Duration,
    pub(super) stats: Stats,
    pub(super) history: History,
    pub(super) tasks: Tasks,
    pub(super) mode: Mode,
    /// What became of the last command.
    pub(super) note: Option<Note>,
}

/// The pool's counts, now.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stats {
    /// `None` if it has no bound.
    pub(super) size: Option<u64>,
    pub(super) active: u64,
    pub(super) waiting: u64,
    pub(super) paused: bool,
    pub(super) locked: bool,
    pub(super) started: u64,
    pub(super) completed: u64,
    pub(super) panicked: u64,
    pub(super) cancelled: u64,
    pub(super) timed_out: u64,
    pub(super) rejected: u64,
}

/// What the keys mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Mode {
    #[default]
    Looking,
    Help,
    /// The new size, as far as it has been typed.
    Typing(String),
    Asking(Question),
}

/// What cannot be undone, and is to be confirmed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    Cancel { id: u64, name: String },
    CancelGroup(String),
    CancelAll,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) bad: bool,
}

impl Model {
    pub(super) fn new(server: &str, address: &str, interval: Duration) -> Self {
        Self {
            server: server.into(),
            address: address.into(),
            interval,
            ..Self::default()
        }
    }

    /// Takes in what the server said at `now`: the values of `stats` and of `tasks`.
    pub(super) fn update(&mut self, now: Duration, stats: &Value, tasks: &Value) {
        self.now = now;
        self.stats = Stats::from(stats);
        self.history.push(self.stats.sample(now));
        self.tasks.update(now, tasks);
    }

    /// How long nothing has been heard from the server, if that is longer than it should be.
    pub(super) fn silence(&self) -> Option<Duration> {
        const MARGIN: Duration = Duration::from_secs(2);
        let heard = self
            .history
            .latest()
            .map_or(Duration::ZERO, |sample| sample.at);
        let silence = self.now.saturating_sub(heard);
        (silence > self.interval + MARGIN).then_some(silence)
    }
}

impl Stats {
    fn sample(&self, at: Duration) -> Sample {
        Sample {
            at,
            active: self.active,
            waiting: self.waiting,
            started: self.started,
            ended: self.completed + self.panicked + self.cancelled + self.timed_out,
        }
    }
}

impl From<&Value> for Stats {
    fn from(stats: &Value) -> Self {
        let count = |key: &str| count::read(&stats[key]);
        let is = |key: &str| stats[key] == true;
        Self {
            size: stats["size"].as_u64(),
            active: count("active"),
            waiting: count("waiting"),
            paused: is("paused"),
            locked: is("locked"),
            started: count("started"),
            completed: count("completed"),
            panicked: count("panicked"),
            cancelled: count("cancelled"),
            timed_out: count("timed_out"),
            rejected: count("rejected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::Model;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_answer_is_a_sample_and_a_task_ends_in_any_of_four_ways() {
        let mut model = Model::default();
        let before = json!({"active": 4, "waiting": 20, "started": 4});
        model.update(seconds(0), &before, &Value::Null);
        let after = json!({
            "active": 4, "waiting": 16, "started": 8,
            "completed": 1, "panicked": 1, "cancelled": 1, "timed_out": 1, "rejected": 1,
        });
        model.update(seconds(2), &after, &Value::Null);
        assert_eq!(model.history.ends(), [2]);
        assert_eq!(model.history.mean_run(), Some(seconds(2)));
        assert_eq!(model.history.mean_wait(), Some(seconds(9)));
    }

    #[test]
    fn a_pool_may_have_no_bound_and_a_server_may_say_odd_things() {
        let mut model = Model::default();
        model.update(
            seconds(0),
            &json!({"size": "inf", "active": -1}),
            &json!({"tasks": [7, {"id": 1}]}),
        );
        assert_eq!(
            (
                model.stats.size,
                model.stats.active,
                model.tasks.listed.len()
            ),
            (None, 0, 0)
        );
    }
}
