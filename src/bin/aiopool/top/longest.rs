//! The tasks that have run and waited longest, and percentiles of all of them.

use std::time::Duration;

use aiopool::TaskState;
use aiopool::control::protocol::{TaskLine, TaskList, TimeSpread, Times};

use super::tasks::{Age, Order, Tasks};

/// The longest tasks by the server's answer to `times`; of an older server, which does not know it, the tasks that it lists
/// anyway.
#[derive(Debug)]
pub(super) struct Longest {
    pub(super) running: Tasks,
    pub(super) waiting: Tasks,
    /// The latest answer, or what is known without one.
    answer: Latest,
}

#[derive(Debug)]
enum Latest {
    /// The server has not been asked yet.
    None,
    /// The server does not know the command.
    Unknown,
    Times(Box<Times>),
}

/// Why there are no percentiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    NotAsked,
    OlderServer,
    NotTimed,
}

impl Longest {
    /// Updates the lists with the server's answer to `times` at `now`, or with `None` if the server does not know it.
    pub(super) fn update(&mut self, now: Duration, times: Option<Box<Times>>) {
        let Some(times) = times else {
            self.answer = Latest::Unknown;
            return;
        };
        let running = listing(&times.longest_running, times.running.count);
        let waiting = listing(&times.longest_waiting, times.waiting.count);
        self.running.update(now, &running);
        self.waiting.update(now, &waiting);
        self.answer = Latest::Times(times);
    }

    /// Updates the lists with the server's answer to `tasks` at `now`, if it knows no `times`.
    pub(super) fn update_from_listing(&mut self, now: Duration, told: &TaskList) {
        if !matches!(self.answer, Latest::Unknown) {
            return;
        }
        for (tasks, state) in [
            (&mut self.running, TaskState::Active),
            (&mut self.waiting, TaskState::Waiting),
        ] {
            let of_state = told.tasks.iter().filter(|task| task.state == state);
            let lines: Vec<TaskLine> = of_state.cloned().collect();
            tasks.update(now, &listing(&lines, lines.len()));
        }
    }

    /// Clears the lists.
    pub(super) fn forget(&mut self) {
        self.running.forget();
        self.waiting.forget();
        if let Latest::Times(_) = self.answer {
            self.answer = Latest::None;
        }
    }

    pub(super) fn times(&self) -> Option<&Times> {
        match &self.answer {
            Latest::Times(times) => Some(times),
            Latest::None | Latest::Unknown => None,
        }
    }

    /// Returns the percentiles of the times of running or waiting tasks, or why there are none.
    pub(super) fn spread(&self, of_running: bool) -> Result<&TimeSpread, Lack> {
        match &self.answer {
            Latest::None => Err(Lack::NotAsked),
            Latest::Unknown => Err(Lack::OlderServer),
            Latest::Times(times) if !times.timed => Err(Lack::NotTimed),
            Latest::Times(times) if of_running => Ok(&times.running),
            Latest::Times(times) => Ok(&times.waiting),
        }
    }

    /// Returns the longest time that a task has run or waited, as far as it is known.
    pub(super) fn age(&self, of_running: bool, listed: &Tasks) -> Option<Age> {
        match self.spread(of_running) {
            Ok(spread) => spread.longest.map(Age::Exactly),
            Err(_) => listed.longest(of_running),
        }
    }
}

impl Default for Longest {
    fn default() -> Self {
        Self {
            running: Tasks::ordered(Order::Age),
            waiting: Tasks::ordered(Order::Age),
            answer: Latest::None,
        }
    }
}

/// Returns a list that is cut from so many tasks.
fn listing(lines: &[TaskLine], count: usize) -> TaskList {
    let mut list = TaskList::default();
    list.tasks = lines.to_vec();
    list.more = count.saturating_sub(lines.len());
    list
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, from_value, json};

    use super::{Lack, Longest};
    use crate::top::tasks::Age;

    const NOW: Duration = Duration::from_secs(9);

    fn task(id: u64, state: &str, waited: f64, running: &Value) -> Value {
        json!({"id": id, "name": "a", "state": state, "waited": waited, "running": running})
    }

    #[test]
    fn the_longest_come_first_and_percentiles_are_those_of_the_server() {
        let mut longest = Longest::default();
        assert_eq!(longest.spread(true), Err(Lack::NotAsked));
        let times = json!({
            "timed": true,
            "running": {"count": 5, "p50": 1.0, "p90": 2.0, "p99": 3.0, "longest": 7.0},
            "waiting": {"count": 1, "p50": 4.0},
            "longest_running": [task(1, "active", 0.5, &json!(2.0)), task(9, "waiting", 0.1, &json!(7.0))],
            "longest_waiting": [task(5, "waiting", 4.0, &Value::Null)],
        });
        longest.update(NOW, Some(from_value(times).unwrap()));
        assert_eq!(longest.running.listed[0].id, 9);
        assert!(longest.running.listed[0].lent);
        assert_eq!((longest.running.more, longest.waiting.more), (3, 0));
        let spread = longest.spread(true).unwrap();
        assert_eq!(spread.p90, Some(Duration::from_secs(2)));
        let age = longest.age(true, &longest.waiting);
        assert_eq!(age, Some(Age::Exactly(Duration::from_secs(7))));
    }

    #[test]
    fn an_older_server_and_a_pool_without_times_have_no_percentiles() {
        let mut longest = Longest::default();
        longest.update(NOW, Some(Box::default()));
        assert_eq!(longest.spread(false), Err(Lack::NotTimed));
        longest.update(NOW, None);
        assert_eq!(longest.spread(false), Err(Lack::OlderServer));
        let tasks = json!({"tasks": [task(1, "active", 0.0, &json!(2.0)), task(2, "waiting", 3.0, &Value::Null)]});
        longest.update_from_listing(NOW, &from_value(tasks).unwrap());
        assert_eq!(longest.running.listed[0].id, 1);
        assert_eq!(longest.waiting.listed[0].id, 2);
    }
}
