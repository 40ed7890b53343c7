//! What the dashboard knows, as a plain value: no terminal, no socket, no clock.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

/// As many samples as a wide terminal has columns.
const REMEMBERED: usize = 500;
/// Rates and means are those of so many of the latest samples.
const WINDOW: usize = 30;

/// Counts above it are no counts, and would only make sums overflow.
const LARGEST: u64 = 1 << 48;

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
    pub(super) samples: VecDeque<Sample>,
    pub(super) tasks: Vec<Task>,
    /// Tasks that are not in the list, which has an end.
    pub(super) more: u64,
    pub(super) order: Order,
    pub(super) selected: usize,
    pub(super) mode: Mode,
    /// What became of the last command.
    pub(super) note: Option<Note>,
    /// When a task was first seen in the state in which it is, for pools that take no times.
    seen: HashMap<u64, (bool, Duration)>,
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

/// What is drawn over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) at: Duration,
    pub(super) active: u64,
    pub(super) waiting: u64,
    pub(super) started: u64,
    pub(super) ended: u64,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) group: Option<String>,
    pub(super) active: bool,
    pub(super) age: Age,
}

/// How long a task has been in its state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Age {
    Exactly(Duration),
    /// The pool takes no times, and so long the dashboard has seen it.
    AtLeast(Duration),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// What runs, then what waits; in each the oldest first.
    #[default]
    State,
    Id,
    Name,
    Age,
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
        self.samples.push_back(self.stats.sample(now));
        if self.samples.len() > REMEMBERED {
            self.samples.pop_front();
        }
        let selected = self.selection().map(|task| task.id);
        self.list(tasks);
        self.follow(selected);
    }

    /// The task that a key would be about.
    pub(super) fn selection(&self) -> Option<&Task> {
        self.tasks.get(self.selected)
    }

    /// Goes up or down the list, as far as there is one.
    pub(super) fn select(&mut self, by: isize) {
        let last = self.tasks.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Takes the next order, and stays at the task.
    pub(super) fn reorder(&mut self) {
        self.order = match self.order {
            Order::State => Order::Id,
            Order::Id => Order::Name,
            Order::Name => Order::Age,
            Order::Age => Order::State,
        };
        let selected = self.selection().map(|task| task.id);
        self.sort();
        self.follow(selected);
    }

    /// Tasks that ended each second, of late; `None` as long as nobody can know.
    pub(super) fn throughput(&self) -> Option<f64> {
        self.rate(|sample| sample.ended)
    }

    /// How long tasks wait on average: by Little's law, those that wait, over how many start each second.
    pub(super) fn mean_wait(&self) -> Option<Duration> {
        self.mean(|sample| sample.waiting, self.rate(|sample| sample.started)?)
    }

    /// How long tasks run on average: by the same law, those that run, over how many end each second.
    pub(super) fn mean_run(&self) -> Option<Duration> {
        self.mean(|sample| sample.active, self.throughput()?)
    }

    /// The longest that a task of the list has been in a state.
    pub(super) fn longest(&self, active: bool) -> Option<Age> {
        let ages = self
            .tasks
            .iter()
            .filter(|task| task.active == active)
            .map(|task| task.age);
        ages.max_by_key(Age::duration)
    }

    /// How long nothing has been heard from the server, if that is longer than it should be.
    pub(super) fn silence(&self) -> Option<Duration> {
        const MARGIN: Duration = Duration::from_secs(2);
        let heard = self
            .samples
            .back()
            .map_or(Duration::ZERO, |sample| sample.at);
        let silence = self.now.saturating_sub(heard);
        (silence > self.interval + MARGIN).then_some(silence)
    }

    /// Tasks that ended between each two samples, for each second, oldest first.
    pub(super) fn ends(&self) -> Vec<u64> {
        let later = self.samples.iter().skip(1);
        let pairs = self.samples.iter().zip(later);
        pairs
            .map(|(one, two)| per_second(*one, *two, |sample| sample.ended).round() as u64)
            .collect()
    }

    fn window(&self) -> impl ExactSizeIterator<Item = &Sample> {
        self.samples
            .range(self.samples.len().saturating_sub(WINDOW)..)
    }

    fn rate(&self, count: impl Fn(&Sample) -> u64) -> Option<f64> {
        let (first, last) = (self.window().next()?, self.samples.back()?);
        (last.at > first.at).then(|| per_second(*first, *last, count))
    }

    fn mean(&self, count: impl Fn(&Sample) -> u64, rate: f64) -> Option<Duration> {
        let there = self.window().map(count).sum::<u64>() as f64 / self.window().len() as f64;
        Duration::try_from_secs_f64(there / rate).ok()
    }

    fn list(&mut self, tasks: &Value) {
        let earlier = std::mem::take(&mut self.seen);
        let rows = tasks["tasks"].as_array().map_or(&[][..], Vec::as_slice);
        self.tasks = rows
            .iter()
            .filter_map(|row| self.task(row, &earlier))
            .collect();
        self.more = tasks["more"].as_u64().unwrap_or_default().min(LARGEST);
        self.sort();
    }

    fn task(&mut self, row: &Value, earlier: &HashMap<u64, (bool, Duration)>) -> Option<Task> {
        let id = row["id"].as_u64()?;
        let active = row["state"] == "active";
        let seen = earlier.get(&id).filter(|seen| seen.0 == active);
        let since = seen.map_or(self.now, |seen| seen.1);
        self.seen.insert(id, (active, since));
        let told = row[if active { "running" } else { "waited" }].as_f64();
        Some(Task {
            id,
            name: row["name"].as_str()?.into(),
            group: row["group"].as_str().map(Into::into),
            active,
            age: match told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
                Some(age) => Age::Exactly(age),
                None => Age::AtLeast(self.now.saturating_sub(since)),
            },
        })
    }

    fn sort(&mut self) {
        match self.order {
            Order::State => self.tasks.sort_by_key(|task| (!task.active, task.id)),
            Order::Id => self.tasks.sort_by_key(|task| task.id),
            Order::Name => self
                .tasks
                .sort_by_cached_key(|task| (task.name.clone(), task.id)),
            Order::Age => self
                .tasks
                .sort_by_key(|task| (Reverse(task.age.duration()), task.id)),
        }
    }

    /// Stays at the task that was selected, or, if it has gone, at its line.
    fn follow(&mut self, selected: Option<u64>) {
        let place = self.tasks.iter().position(|task| Some(task.id) == selected);
        self.selected = place.unwrap_or(self.selected);
        self.select(0);
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
        let count = |key: &str| stats[key].as_u64().unwrap_or_default().min(LARGEST);
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

impl Age {
    pub(super) fn duration(&self) -> Duration {
        match self {
            Self::Exactly(age) | Self::AtLeast(age) => *age,
        }
    }
}

fn per_second(first: Sample, last: Sample, count: impl Fn(&Sample) -> u64) -> f64 {
    // A counter that went back belongs to another pool.
    let counted = count(&last).saturating_sub(count(&first)) as f64;
    let seconds = last.at.saturating_sub(first.at).as_secs_f64();
    if seconds > 0.0 {
        counted / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{Age, Model, Order};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn counts(active: u64, waiting: u64, started: u64, completed: u64) -> Value {
        json!({"size": 4, "active": active, "waiting": waiting, "started": started, "completed": completed})
    }

    fn list(rows: &[(u64, &str, &str)]) -> Value {
        let row =
            |(id, name, state): &(u64, &str, &str)| json!({"id": id, "name": name, "state": state});
        json!({"tasks": rows.iter().map(row).collect::<Vec<_>>(), "more": 0})
    }

    fn ids(model: &Model) -> Vec<u64> {
        model.tasks.iter().map(|task| task.id).collect()
    }

    #[test]
    fn rates_and_means_are_those_of_the_counts() {
        let mut model = Model::default();
        model.update(seconds(0), &counts(4, 20, 4, 0), &Value::Null);
        assert_eq!(
            (model.throughput(), model.mean_run()),
            (None, None),
            "one sample is no rate"
        );
        model.update(seconds(2), &counts(4, 16, 8, 4), &Value::Null);
        assert_eq!(model.throughput(), Some(2.0));
        assert_eq!(
            model.mean_run(),
            Some(seconds(2)),
            "4 run, 2 end each second"
        );
        assert_eq!(
            model.mean_wait(),
            Some(seconds(9)),
            "18 wait, 2 start each second"
        );
        assert_eq!(model.ends(), [2]);
    }

    #[test]
    fn where_nothing_ends_there_is_no_mean() {
        let mut model = Model::default();
        for at in 0..3 {
            model.update(seconds(at), &counts(4, 0, 4, 0), &Value::Null);
        }
        assert_eq!((model.throughput(), model.mean_run()), (Some(0.0), None));
    }

    #[test]
    fn only_the_latest_samples_make_a_rate_and_only_so_many_are_kept() {
        let mut model = Model::default();
        for at in 0..600 {
            let completed = if at < 500 {
                at * 100
            } else {
                50_000 + (at - 500)
            };
            model.update(seconds(at), &counts(1, 0, 0, completed), &Value::Null);
        }
        assert_eq!(model.throughput(), Some(1.0));
        assert_eq!(model.samples.len(), 500);
    }

    #[test]
    fn an_age_is_told_by_a_timed_pool_and_is_else_at_least_what_was_seen() {
        let mut model = Model::default();
        let timed = json!({"tasks": [{"id": 0, "name": "a", "state": "active", "waited": 9.0, "running": 1.5}]});
        model.update(seconds(0), &Value::Null, &timed);
        assert_eq!(
            model.tasks[0].age,
            Age::Exactly(Duration::from_millis(1500))
        );
        model.update(seconds(1), &Value::Null, &list(&[(7, "b", "waiting")]));
        model.update(seconds(4), &Value::Null, &list(&[(7, "b", "waiting")]));
        assert_eq!(model.tasks[0].age, Age::AtLeast(seconds(3)));
        assert_eq!(model.longest(false), Some(Age::AtLeast(seconds(3))));
        model.update(seconds(6), &Value::Null, &list(&[(7, "b", "active")]));
        assert_eq!(
            model.tasks[0].age,
            Age::AtLeast(seconds(0)),
            "another state, another age"
        );
    }

    #[test]
    fn what_runs_stands_before_what_waits_and_other_orders_can_be_had() {
        let mut model = Model::default();
        let tasks = [
            (0, "c", "waiting"),
            (1, "b", "active"),
            (2, "a", "waiting"),
            (3, "d", "active"),
        ];
        model.update(seconds(0), &Value::Null, &list(&tasks));
        assert_eq!(ids(&model), [1, 3, 0, 2]);
        model.reorder();
        assert_eq!((model.order, ids(&model)), (Order::Id, vec![0, 1, 2, 3]));
        model.reorder();
        assert_eq!((model.order, ids(&model)), (Order::Name, vec![2, 1, 0, 3]));
        model.reorder();
        model.reorder();
        assert_eq!(model.order, Order::State);
    }

    #[test]
    fn the_selection_stays_at_its_task_and_in_the_list() {
        let mut model = Model::default();
        let tasks = [(0, "a", "active"), (1, "b", "active"), (2, "c", "active")];
        model.update(seconds(0), &Value::Null, &list(&tasks));
        model.select(-5);
        assert_eq!(model.selection().unwrap().id, 0);
        model.select(1);
        model.update(seconds(1), &Value::Null, &list(&tasks[1..]));
        assert_eq!(model.selection().unwrap().id, 1, "its line is another one");
        model.select(100);
        assert_eq!(model.selection().unwrap().id, 2);
        model.update(seconds(2), &Value::Null, &list(&tasks[..1]));
        assert_eq!(model.selection().unwrap().id, 0, "the last there is");
        model.update(seconds(3), &Value::Null, &list(&[]));
        assert_eq!(model.selection(), None);
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
            (model.stats.size, model.stats.active, model.tasks.len()),
            (None, 0, 0)
        );
    }
}
