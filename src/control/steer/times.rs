use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::super::protocol::{Refusal, Reply, Times};
use super::Handler;
use super::spread::Spread;
use crate::pool::Surveyed;
use crate::{AbortHandle, TaskId};

/// Maximum number of tasks in each list, whatever number a client asks for.
const MOST: usize = 1000;

impl Handler {
    /// Goes through all tasks once, in parts, and tells how long they have waited and run until now.
    pub(super) async fn times(&self, group: Option<&str>, most: usize) -> Result<Reply, Refusal> {
        let (pool, started) = self.pool_and_ids(group)?;
        let mut waiting = Ages::new(most.min(MOST));
        let mut running = Ages::new(most.min(MOST));
        let survey = self
            .each_task(&pool, |task| {
                if started.as_ref().is_none_or(|ids| ids.has(task.id.get())) {
                    let ages = if task.has_started() {
                        &mut running
                    } else {
                        &mut waiting
                    };
                    ages.add(task);
                }
            })
            .await;
        let holders = survey.holders();
        let longest_running = running.longest();
        let running_ids: HashSet<u64> = ids(&longest_running).collect();
        // Together, so that both lists fit into an answer.
        let longest = [longest_running, waiting.longest()].concat();
        let lines = self.task_lines(pool.describe(&longest));
        let (longest_running, longest_waiting) = lines
            .into_iter()
            .partition(|task| running_ids.contains(&task.id));
        Ok(Reply::Times(Box::new(Times {
            timed: survey.is_timed(),
            lacks_permits: holders.are_awaited,
            in_place: holders.in_place,
            waiting: waiting.spread.summary(),
            running: running.spread.summary(),
            longest_waiting,
            longest_running,
        })))
    }
}

fn ids(tasks: &[AbortHandle]) -> impl Iterator<Item = u64> {
    tasks.iter().map(|task| task.id().get())
}

/// The ages of tasks, and the oldest of them.
struct Ages {
    spread: Spread,
    most: usize,
    /// By age. Of the same age, or without known ages, the task with the lowest number counts as the oldest.
    oldest: BTreeMap<(Option<Duration>, Reverse<TaskId>), AbortHandle>,
}

impl Ages {
    fn new(most: usize) -> Self {
        Self {
            spread: Spread::new(),
            most,
            oldest: BTreeMap::new(),
        }
    }

    fn add(&mut self, task: &Surveyed<'_>) {
        let age = task.age();
        self.spread.add(age);
        let rank = (age, Reverse(task.id));
        let is_full = self.oldest.len() >= self.most;
        let youngest = self.oldest.first_key_value().map(|(rank, _)| *rank);
        if is_full && youngest.is_none_or(|youngest| rank < youngest) {
            return;
        }
        self.oldest.insert(rank, task.handle());
        if is_full {
            self.oldest.pop_first();
        }
    }

    /// Returns the oldest tasks, the oldest first.
    fn longest(&self) -> Vec<AbortHandle> {
        self.oldest.values().rev().cloned().collect()
    }
}
