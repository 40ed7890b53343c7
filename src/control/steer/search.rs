use std::collections::{BTreeMap, HashSet};

use super::Handler;
use crate::coop;
use crate::pool::Surveyed;
use crate::{AbortHandle, AioPool, TaskId, TaskState};

/// Collects the tasks with the lowest numbers among all that are offered.
pub(super) struct Lowest {
    most: usize,
    kept: BTreeMap<TaskId, AbortHandle>,
    offered: usize,
}

/// Searches through all tasks of a pool.
impl Handler {
    /// Calls `visit` for each task of `pool`, with the pool locked.
    ///
    /// Only one search runs at a time, and it yields after each small part. So the other work of the runtime can run
    /// every few microseconds, however many tasks and clients there are.
    pub(super) async fn each_task(&self, pool: &AioPool, mut visit: impl FnMut(&Surveyed<'_>)) {
        let _turn = self.searching.lock().await;
        let mut survey = pool.survey();
        while survey.visit_part(&mut visit) {
            coop::yield_once().await;
        }
    }

    /// Returns the active tasks that `is_wanted` accepts.
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

    /// Returns the active tasks with these numbers.
    pub(super) async fn find_active_of(&self, ids: &[u64]) -> Vec<AbortHandle> {
        let ids: HashSet<u64> = ids.iter().copied().collect();
        if ids.is_empty() {
            Vec::new()
        } else {
            self.find_active(|task| ids.contains(&task.id.get())).await
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

    /// Returns the collected tasks in order of their numbers, and the number of tasks that were offered.
    pub(super) fn into_parts(self) -> (Vec<AbortHandle>, usize) {
        (self.kept.into_values().collect(), self.offered)
    }
}
