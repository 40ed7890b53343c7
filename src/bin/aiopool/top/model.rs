//! The state of the dashboard as a plain value: no terminal, no socket, no clock.

use std::time::Duration;

use aiopool::AioPool;
use aiopool::control::protocol::{StatsLine, TaskList};

use super::count::bounded;
use super::history::{History, Sample};
use super::tasks::Tasks;

/// The whole state of the dashboard.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// The server's name of its pool.
    pub(super) server: String,
    pub(super) address: String,
    /// Interval at which the server is asked.
    pub(super) interval: Duration,
    /// Time since the start of the dashboard. All other times are on this clock.
    pub(super) now: Duration,
    pub(super) stats: Stats,
    pub(super) history: History,
    pub(super) tasks: Tasks,
    pub(super) mode: Mode,
    /// Result of the last command.
    pub(super) note: Option<Note>,
    /// Why there is no connection; `None` while there is one.
    pub(super) lost: Option<String>,
}

/// The current counts of the pool.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stats {
    /// `None` if the pool is unbounded.
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
    pub(super) refused: u64,
}

/// The mode, which determines what the keys mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Mode {
    #[default]
    Looking,
    Help,
    /// The digits of the new size that have been typed so far.
    Typing(String),
    Asking(Question),
}

/// An action that cannot be undone, and that the user has to confirm.
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

    /// Updates the model with the server's answers to `stats` and `tasks` at `now`.
    pub(super) fn update(&mut self, now: Duration, stats: &StatsLine, tasks: &TaskList) {
        self.now = now;
        let stats = Stats::from(stats);
        if stats.started < self.stats.started {
            // The counter went back: this is another pool, which uses the same task numbers.
            self.tasks.forget();
        }
        self.stats = stats;
        self.history.push(self.stats.sample(now));
        self.tasks.update(now, tasks);
    }

    /// Records that there is no connection.
    pub(super) fn lose(&mut self, why: String) {
        self.lost = Some(why);
        self.take_question_back();
    }

    /// Records that there is a connection again.
    pub(super) fn regain(&mut self, server: String) {
        self.server = server;
        self.lost = None;
        self.take_question_back();
        // A note about an unanswered command stays, so that the user can read it.
        self.note.get_or_insert_with(|| Note {
            text: "connected again".into(),
            bad: false,
        });
    }

    /// Withdraws an open question: it was about the pool that was shown, and the next one may be another.
    fn take_question_back(&mut self) {
        if matches!(self.mode, Mode::Asking(_)) {
            self.mode = Mode::Looking;
        }
    }

    /// Returns how long the server has been silent, if that is longer than expected.
    pub(super) fn silence(&self) -> Option<Duration> {
        const MARGIN: Duration = Duration::from_secs(2);
        let silence = self.age();
        (silence > self.interval + MARGIN).then_some(silence)
    }

    /// Returns the age of the figures.
    pub(super) fn age(&self) -> Duration {
        let heard = self.history.latest().map(|sample| sample.at);
        self.now.saturating_sub(heard.unwrap_or_default())
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

impl From<&StatsLine> for Stats {
    fn from(stats: &StatsLine) -> Self {
        let pool = &stats.pool;
        Self {
            size: (pool.size != AioPool::UNBOUNDED).then_some(pool.size as u64),
            active: bounded(pool.active as u64),
            waiting: bounded(pool.waiting as u64),
            paused: pool.paused,
            locked: pool.locked,
            started: bounded(stats.started),
            completed: bounded(stats.completed),
            panicked: bounded(stats.panicked),
            cancelled: bounded(stats.cancelled),
            timed_out: bounded(stats.timed_out),
            rejected: bounded(stats.rejected),
            refused: bounded(stats.refused),
        }
    }
}

#[cfg(test)]
impl Model {
    /// Updates the model with values as the server writes them.
    pub(super) fn update_from_json(
        &mut self,
        now: Duration,
        stats: serde_json::Value,
        tasks: serde_json::Value,
    ) {
        let stats: StatsLine = serde_json::from_value(stats).unwrap();
        let tasks: TaskList = serde_json::from_value(tasks).unwrap();
        self.update(now, &stats, &tasks);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{Mode, Model, Note, Question};
    use crate::top::tasks::Age;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn no_tasks() -> Value {
        json!({"tasks": []})
    }

    #[test]
    fn each_answer_is_a_sample_and_a_task_ends_in_any_of_four_ways() {
        let mut model = Model::default();
        let before = json!({"active": 4, "waiting": 20, "started": 4});
        model.update_from_json(seconds(0), before, no_tasks());
        let after = json!({
            "active": 4, "waiting": 16, "started": 8,
            "completed": 1, "panicked": 1, "cancelled": 1, "timed_out": 1, "rejected": 1,
        });
        model.update_from_json(seconds(2), after, no_tasks());
        assert_eq!(model.history.ends(), [2]);
        assert_eq!(model.history.mean_run(), Some(seconds(2)));
        assert_eq!(model.history.mean_wait(), Some(seconds(9)));
    }

    #[test]
    fn a_lost_connection_takes_questions_back_and_a_new_one_leaves_what_was_not_read() {
        let mut model = Model {
            mode: Mode::Asking(Question::CancelAll),
            ..Model::default()
        };
        model.lose("gone".into());
        assert_eq!(model.mode, Mode::Looking);
        model.mode = Mode::Asking(Question::CancelAll);
        model.regain("AioPool-other".into());
        assert_eq!(model.mode, Mode::Looking);
        assert_eq!((&*model.server, &model.lost), ("AioPool-other", &None));
        assert_eq!(model.note.as_ref().unwrap().text, "connected again");
        let unanswered = Note {
            text: "pause: not sent".into(),
            bad: true,
        };
        model.note = Some(unanswered.clone());
        model.lose("gone".into());
        model.regain("AioPool-demo".into());
        assert_eq!(model.note, Some(unanswered));
    }

    #[test]
    fn a_counter_that_goes_back_belongs_to_another_pool() {
        let mut model = Model::default();
        let tasks = json!({"tasks": [{"id": 0, "name": "a", "state": "active"}]});
        for (second, started, ended) in [(0, 50, 46), (1, 54, 50), (2, 4, 0), (4, 8, 4)] {
            let stats = json!({"active": 4, "started": started, "completed": ended});
            model.update_from_json(seconds(second), stats, tasks.clone());
        }
        assert_eq!(model.history.throughput(), Some(2.0));
        assert_eq!(model.history.mean_run(), Some(seconds(2)));
        assert_eq!(model.tasks.listed[0].age, Age::AtLeast(seconds(2)));
    }

    #[test]
    fn a_pool_may_have_no_bound_and_an_older_server_may_say_less() {
        let mut model = Model::default();
        model.update_from_json(
            seconds(0),
            json!({"size": "inf", "started": u64::MAX, "completed": u64::MAX}),
            json!({"tasks": [{"id": 1, "name": "a", "state": "active"}]}),
        );
        assert_eq!(
            (
                model.stats.size,
                model.stats.active,
                model.tasks.listed.len()
            ),
            (None, 0, 1)
        );
    }
}
