//! The state of the dashboard as a plain value: no terminal, no socket, no clock.

use std::time::Duration;

use aiopool::control::protocol::{GroupTree, StatsLine, TaskList, Times};

use super::groups::Groups;
use super::history::History;
use super::longest::Longest;
pub(super) use super::mode::{Mode, Question, View};
use super::progress::Progress;
use super::stats::Stats;
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
    pub(super) progress: Progress,
    /// Time without an end of a task after which the pool is called stuck.
    pub(super) stuck_after: Duration,
    pub(super) view: View,
    pub(super) tasks: Tasks,
    pub(super) longest: Longest,
    pub(super) groups: Groups,
    pub(super) mode: Mode,
    /// Result of the last command.
    pub(super) note: Option<Note>,
    /// Why there is no connection; `None` while there is one.
    pub(super) lost: Option<String>,
}

/// What the user has set on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How often to ask the server.
    pub(crate) interval: Duration,
    /// Time without an end of a task after which the pool is called stuck.
    pub(crate) stuck_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            stuck_after: Duration::from_secs(10),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) bad: bool,
}

impl Model {
    pub(super) fn new(server: &str, address: &str, settings: Settings) -> Self {
        Self {
            server: server.into(),
            address: address.into(),
            interval: settings.interval,
            stuck_after: settings.stuck_after,
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
            self.longest.forget();
        }
        self.stats = stats;
        self.history.push(self.stats.sample(now));
        self.progress.note(now, &self.stats);
        self.tasks.update(now, tasks);
        self.longest.update_from_listing(now, tasks);
    }

    /// Updates the model with the server's answers to `times`, which an older server does not know, and `tree` at `now`.
    pub(super) fn update_overview(
        &mut self,
        now: Duration,
        times: Option<Box<Times>>,
        tree: &GroupTree,
    ) {
        self.now = now;
        self.longest.update(now, times);
        self.groups.update(tree);
    }

    /// Returns how long no task has ended, if the pool is stuck: tasks wait that only lack permits, and it has been too
    /// long.
    pub(super) fn stuck(&self) -> Option<Duration> {
        let heard = self.history.latest()?.at;
        let quiet = self.progress.quiet(heard)?;
        let is_stuck = match self.longest.times() {
            // The counts do not show when code in place ends, and gives its permit back.
            Some(times) => times.lacks_permits && times.in_place == 0,
            None => self.stats.full,
        };
        (is_stuck && quiet >= self.stuck_after).then_some(quiet)
    }

    /// Returns the tasks that are shown, unless groups are.
    pub(super) fn shown_tasks(&self) -> Option<&Tasks> {
        match self.view {
            View::Tasks => Some(&self.tasks),
            View::Running => Some(&self.longest.running),
            View::Waiting => Some(&self.longest.waiting),
            View::Groups => None,
        }
    }

    /// Moves the selection of the list that is shown up or down.
    pub(super) fn select(&mut self, by: isize) {
        match self.view {
            View::Groups => self.groups.select(by),
            _ => self.with_tasks(|tasks| tasks.select(by)),
        }
    }

    /// Changes to the next order of the tasks that are shown.
    pub(super) fn reorder(&mut self) {
        self.with_tasks(Tasks::reorder);
    }

    fn with_tasks(&mut self, change: impl FnOnce(&mut Tasks)) {
        match self.view {
            View::Tasks => change(&mut self.tasks),
            View::Running => change(&mut self.longest.running),
            View::Waiting => change(&mut self.longest.waiting),
            View::Groups => {}
        }
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

    /// Updates the overview with values as the server writes them.
    pub(super) fn update_overview_from_json(
        &mut self,
        now: Duration,
        times: serde_json::Value,
        tree: serde_json::Value,
    ) {
        let times = serde_json::from_value(times).unwrap();
        let tree: GroupTree = serde_json::from_value(tree).unwrap();
        self.update_overview(now, times, &tree);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{Mode, Model, Note, Question, View};
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

    /// Returns a model that has seen no task end for 20 s, while tasks wait.
    fn quiet_model(paused: bool, full: bool) -> Model {
        let mut model = Model {
            stuck_after: seconds(15),
            ..Model::default()
        };
        for second in 0..=20 {
            let stats = json!({"active": 1, "waiting": 3, "paused": paused, "full": full});
            model.update_from_json(seconds(second), stats, no_tasks());
        }
        model
    }

    #[test]
    fn a_pool_is_stuck_if_nothing_ends_and_what_waits_only_lacks_permits() {
        let mut model = quiet_model(false, true);
        assert_eq!(model.stuck(), Some(seconds(20)), "by the counts alone");
        for (lacks_permits, in_place, is_stuck) in
            [(true, 0, true), (false, 0, false), (true, 1, false)]
        {
            let times = json!({"lacks_permits": lacks_permits, "in_place": in_place});
            model.update_overview_from_json(seconds(20), times, json!({}));
            assert_eq!(model.stuck().is_some(), is_stuck);
        }
        assert_eq!(quiet_model(true, true).stuck(), None, "it is paused");
        assert_eq!(quiet_model(false, false).stuck(), None, "permits are free");
        let mut patient = quiet_model(false, true);
        patient.stuck_after = seconds(21);
        assert_eq!(patient.stuck(), None);
    }

    #[test]
    fn a_pool_that_nothing_is_heard_of_is_not_called_stuck_for_that() {
        let mut model = quiet_model(false, true);
        model.stuck_after = seconds(25);
        model.now = seconds(100);
        assert_eq!(model.stuck(), None);
    }

    #[test]
    fn the_views_are_a_circle() {
        assert_eq!(View::Groups.after(1), View::Tasks);
        assert_eq!(View::Tasks.after(3), View::Groups);
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
