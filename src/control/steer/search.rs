use std::collections::{BTreeMap, HashSet};

use super::super::yields::yield_now;
use super::Handler;
use crate::pool::Surveyed;
use crate::{AbortHandle, AioPool, TaskId, TaskState};

/// The tasks with the lowest numbers among all that are offered.
pub(super) struct Lowest {
    most: usize,
    kept: BTreeMap<TaskId, AbortHandle>,
    offered: usize,
}

/// Going through all tasks of a pool.
impl Handler {
    /// Shows each task of `pool` to `visit`, which runs while the pool is locked.
    ///
    /// Whatever the number of tasks and of clients, the other work of the runtime has a turn every few microseconds: one
    /// search goes on at a time, and in small parts.
    pub(super) async fn each_task(&self, pool: &AioPool, mut visit: impl FnMut(&Surveyed<'_>)) {
        let _turn = self.searching.lock().await;
        let mut survey = pool.survey();
        while survey.visit_part(&mut visit) {
            yield_now().await;
        }
    }

    /// Finds the active tasks that `is_wanted` accepts.
    pub(super) async fn find_active(
        &self,
        is_wanted: impl Fn(&Surveyed<'_>) -> bool,
    ) -> Vec<AbortHandle> {
        let mut found = Vec::new();
        self.each_task(&self.target.pool, |task| {
            if task.state == TaskState::Active && is_wanted(task) {
                found.push(task.handle());
            }
        })
        .await;
        found
    }

    /// Finds the active tasks among those with these numbers.
    pub(super) async fn find_active_of(&self, ids: &[u64]) -> Vec<AbortHandle> {
        let ids: HashSet<u64> = ids.iter().copied().collect();
        match ids.is_empty() {
            true => Vec::new(),
            false => self.find_active(|task| ids.contains(&task.id.get())).await,
        }
    }
}

impl Lowest {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            kept: BTreeMap::new(),
            offered: 0,
        }
    }

    pub(super) fn offer(&mut self, task: &Surveyed<'_>) {
        self.offered += 1;
        let is_full = self.kept.len() >= self.most;
        let highest = self.kept.keys().next_back().copied();
        if is_full && highest.is_none_or(|highest| highest < task.id) {
            return;
        }
        self.kept.insert(task.id, task.handle());
        if is_full {
            self.kept.pop_last();
        }
    }

    /// Returns the tasks by number, and how many were offered.
    pub(super) fn into_parts(self) -> (Vec<AbortHandle>, usize) {
        (self.kept.into_values().collect(), self.offered)
    }
}
