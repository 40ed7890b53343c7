//! The list of tasks: its order, its selection, and the ages of its tasks.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use aiopool::TaskState;
use aiopool::control::protocol::{TaskLine, TaskList};

use super::count::bounded;

/// The tasks that the server lists, in the order that the user has chosen.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    pub(super) listed: Vec<Task>,
    /// Number of tasks that are not in the list, as the server cuts it.
    pub(super) more: u64,
    pub(super) order: Order,
    pub(super) selected: usize,
    /// When each task was first seen in its present state, for pools that are not timed.
    seen: HashMap<u64, (bool, Duration)>,
}

/// A task in the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) group: Option<String>,
    pub(super) active: bool,
    /// `true` if the task waits, but has started: it has lent its permit.
    pub(super) lent: bool,
    pub(super) age: Age,
}

/// The time that a task has been in its state: since its start, or since its submission if it has not started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Age {
    Exactly(Duration),
    /// A lower bound, for pools that are not timed: the time since the dashboard first saw the task in this state.
    AtLeast(Duration),
}

/// The order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// Active tasks, then waiting tasks; in each, the oldest first.
    #[default]
    State,
    Id,
    Name,
    Age,
}

impl Tasks {
    /// Returns an empty list in this order.
    pub(super) fn ordered(order: Order) -> Self {
        Self {
            order,
            ..Self::default()
        }
    }

    /// Updates the list with the server's answer to `tasks` at `now`.
    pub(super) fn update(&mut self, now: Duration, told: &TaskList) {
        let selected = self.selection().map(|task| task.id);
        self.list(now, told);
        self.follow(selected);
    }

    /// Clears the list, but keeps its order.
    pub(super) fn forget(&mut self) {
        *self = Self::ordered(self.order);
    }

    /// Returns the selected task, to which keys apply.
    pub(super) fn selection(&self) -> Option<&Task> {
        self.listed.get(self.selected)
    }

    /// Moves the selection up or down, within the list.
    pub(super) fn select(&mut self, by: isize) {
        let last = self.listed.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Changes to the next order. The same task stays selected.
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

    /// Returns the longest time that a task of the list has been active, or waiting.
    pub(super) fn longest(&self, active: bool) -> Option<Age> {
        let ages = self
            .listed
            .iter()
            .filter(|task| task.active == active && !task.lent)
            .map(|task| task.age);
        ages.max_by_key(Age::duration)
    }

    fn list(&mut self, now: Duration, told: &TaskList) {
        let earlier = std::mem::take(&mut self.seen);
        let tasks = told.tasks.iter();
        self.listed = tasks.map(|task| self.task(now, task, &earlier)).collect();
        self.more = bounded(told.more as u64);
        self.sort();
    }

    fn task(
        &mut self,
        now: Duration,
        told: &TaskLine,
        earlier: &HashMap<u64, (bool, Duration)>,
    ) -> Task {
        let active = told.state == TaskState::Active;
        let seen = earlier.get(&told.id).filter(|seen| seen.0 == active);
        let since = seen.map_or(now, |seen| seen.1);
        self.seen.insert(told.id, (active, since));
        let age = told.running.or(told.waited);
        Task {
            id: told.id,
            name: told.name.clone(),
            group: told.group.clone(),
            active,
            lent: !active && told.running.is_some(),
            age: age.map_or(Age::AtLeast(now.saturating_sub(since)), Age::Exactly),
        }
    }

    fn sort(&mut self) {
        match self.order {
            Order::State => self.listed.sort_by_key(|task| (!task.active, task.id)),
            Order::Id => self.listed.sort_by_key(|task| task.id),
            Order::Name => self
                .listed
                .sort_by_cached_key(|task| (task.name.clone(), task.id)),
            Order::Age => self
                .listed
                .sort_by_key(|task| (Reverse(task.age.duration()), task.id)),
        }
    }

    /// Selects the same task as before, or, if it has gone, the task on the same line.
    fn follow(&mut self, selected: Option<u64>) {
        let place = self
            .listed
            .iter()
            .position(|task| Some(task.id) == selected);
        self.selected = place.unwrap_or(self.selected);
        self.select(0);
    }
}

impl Age {
    pub(super) fn duration(&self) -> Duration {
        match self {
            Self::Exactly(age) | Self::AtLeast(age) => *age,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aiopool::control::protocol::TaskList;
    use serde_json::{from_value, json};

    use super::{Age, Order, Tasks};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn list(rows: &[(u64, &str, &str)]) -> TaskList {
        let row =
            |(id, name, state): &(u64, &str, &str)| json!({"id": id, "name": name, "state": state});
        let list = json!({"tasks": rows.iter().map(row).collect::<Vec<_>>(), "more": 0});
        from_value(list).unwrap()
    }

    fn ids(tasks: &Tasks) -> Vec<u64> {
        tasks.listed.iter().map(|task| task.id).collect()
    }

    #[test]
    fn an_age_is_told_by_a_timed_pool_and_is_else_at_least_what_was_seen() {
        let mut tasks = Tasks::default();
        let timed = json!({"tasks": [{"id": 0, "name": "a", "state": "active", "waited": 9.0, "running": 1.5}]});
        tasks.update(seconds(0), &from_value(timed).unwrap());
        assert_eq!(
            tasks.listed[0].age,
            Age::Exactly(Duration::from_millis(1500))
        );
        tasks.update(seconds(1), &list(&[(7, "b", "waiting")]));
        tasks.update(seconds(4), &list(&[(7, "b", "waiting")]));
        assert_eq!(tasks.listed[0].age, Age::AtLeast(seconds(3)));
        assert_eq!(tasks.longest(false), Some(Age::AtLeast(seconds(3))));
        tasks.update(seconds(6), &list(&[(7, "b", "active")]));
        assert_eq!(
            tasks.listed[0].age,
            Age::AtLeast(seconds(0)),
            "another state, another age"
        );
    }

    #[test]
    fn a_task_that_has_lent_its_permit_is_as_old_as_its_run_and_is_not_among_the_waiting() {
        let mut tasks = Tasks::default();
        let lent = json!({"tasks": [{"id": 0, "name": "a", "state": "waiting", "waited": 1.0, "running": 5.0}]});
        tasks.update(seconds(0), &from_value(lent).unwrap());
        assert!(tasks.listed[0].lent);
        assert_eq!(tasks.listed[0].age, Age::Exactly(seconds(5)));
        assert_eq!(tasks.longest(false), None);
    }

    #[test]
    fn what_runs_stands_before_what_waits_and_other_orders_can_be_had() {
        let mut tasks = Tasks::default();
        let rows = [
            (0, "c", "waiting"),
            (1, "b", "active"),
            (2, "a", "waiting"),
            (3, "d", "active"),
        ];
        tasks.update(seconds(0), &list(&rows));
        assert_eq!(ids(&tasks), [1, 3, 0, 2]);
        tasks.reorder();
        assert_eq!((tasks.order, ids(&tasks)), (Order::Id, vec![0, 1, 2, 3]));
        tasks.reorder();
        assert_eq!((tasks.order, ids(&tasks)), (Order::Name, vec![2, 1, 0, 3]));
        tasks.reorder();
        tasks.reorder();
        assert_eq!(tasks.order, Order::State);
    }

    #[test]
    fn the_selection_stays_at_its_task_and_in_the_list() {
        let mut tasks = Tasks::default();
        let rows = [(0, "a", "active"), (1, "b", "active"), (2, "c", "active")];
        tasks.update(seconds(0), &list(&rows));
        tasks.select(-5);
        assert_eq!(tasks.selection().unwrap().id, 0);
        tasks.select(1);
        tasks.update(seconds(1), &list(&rows[1..]));
        assert_eq!(tasks.selection().unwrap().id, 1, "its line is another one");
        tasks.select(100);
        assert_eq!(tasks.selection().unwrap().id, 2);
        tasks.update(seconds(2), &list(&rows[..1]));
        assert_eq!(tasks.selection().unwrap().id, 0, "the last there is");
        tasks.update(seconds(3), &list(&[]));
        assert_eq!(tasks.selection(), None);
    }
}
