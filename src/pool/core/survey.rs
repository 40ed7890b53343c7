//! Listing many tasks, with the lock of the pool held only for a moment at a time.

use std::sync::Arc;
use std::time::Duration;

use crate::gate::NodeId;
use crate::pool::core::parts::record::Moment;
use crate::pool::core::state::State;
use crate::pool::core::walk::Walk;
use crate::pool::inspect::Line;
use crate::pool::{AioPool, Inner};
use crate::task::{AbortHandle, EntryId, Slot, TaskId, TaskInfo, TaskState};

/// Visits the tasks of a pool or group in parts, in no particular order.
///
/// A task that lives from the first part to the last is shown exactly once. Between two parts the pool is unlocked.
pub(crate) struct Survey {
    inner: Arc<Inner>,
    walk: Walk,
    found: Vec<(Slot, EntryId)>,
    /// When the survey was started. `None` if the pool is not timed.
    now: Option<Moment>,
    holders: Holders,
}

/// What a survey has found out about permits so far, from all that has or wants some: tasks, feeds, and code that runs in
/// place.
#[derive(Clone, Copy, Default)]
pub(crate) struct Holders {
    /// Number of permits' holders that are no tasks, but code that runs in place.
    pub(crate) in_place: usize,
    /// `true` if something waits for nothing but permits: no pause, no hold and no rate keeps it back.
    pub(crate) are_awaited: bool,
}

/// A task that a survey shows, while the pool is locked.
pub(crate) struct Surveyed<'a> {
    pub(crate) id: TaskId,
    pub(crate) state: TaskState,
    /// The group that the task was submitted to.
    pub(crate) group: Option<&'a str>,
    slot: Slot,
    inner: &'a Inner,
    pool: &'a State,
    now: Option<Moment>,
}

/// Maximum number of tasks or groups that are looked at under one lock.
const AT_ONCE: usize = 1024;

impl AioPool {
    /// Starts a survey of the tasks.
    pub(crate) fn survey(&self) -> Survey {
        // The clock may be user code: it is read with the pool unlocked.
        let now = self.core().moment();
        Survey {
            inner: self.inner.clone(),
            walk: Walk::new(&self.core().lock(), self.node()),
            found: Vec::new(),
            now,
            holders: Holders::default(),
        }
    }

    /// Describes those of `tasks` that have not ended. Each description is made when the iterator reaches it.
    pub(crate) fn describe(&self, tasks: &[AbortHandle]) -> impl Iterator<Item = TaskInfo> + use<> {
        let now = self.core().moment();
        let mut lines = Vec::with_capacity(tasks.len());
        for part in tasks.chunks(AT_ONCE) {
            let state = self.core().lock();
            let living = part
                .iter()
                .map(AbortHandle::place)
                .filter(|(slot, id)| state.gate.get(*slot, *id).is_some());
            lines.extend(living.filter_map(|(slot, id)| Line::of(&state, slot, id)));
            self.core().unlock_for_others(state);
        }
        lines.into_iter().map(move |line| line.info(now))
    }

    /// Binds the pool to the current runtime, if it has none yet. Returns `true` if it has one.
    pub(crate) fn bind_runtime(&self) -> bool {
        self.core().bind_spawner()
    }

    /// Returns the first groups of this pool by name, and the number of its other groups.
    pub(crate) fn first_groups_and_more(&self, most: usize) -> (Vec<AioPool>, usize) {
        let first = self.first_groups(most);
        let all = self.core().lock().gate.data(self.node()).groups.len();
        let more = all.saturating_sub(first.len());
        (first, more)
    }

    /// Returns the number of waiting tasks: those in the queue, and those that feeds have yet to put there.
    pub(crate) fn waiting_and_unpulled(&self) -> usize {
        let state = self.core().lock();
        let unpulled = state.gate.data(self.node()).unpulled;
        let unpulled = usize::try_from(unpulled).unwrap_or(usize::MAX);
        state.gate.waiting(self.node()).saturating_add(unpulled)
    }

    /// Returns a group of this name, among the groups of this pool and all groups inside of them.
    pub(crate) fn find_group_below(&self, name: &str) -> Option<AioPool> {
        self.find_group(name).or_else(|| self.search_group(name))
    }

    fn search_group(&self, name: &str) -> Option<AioPool> {
        let core = self.core();
        let mut state = core.lock();
        for first in (0..).step_by(AT_ONCE) {
            let nodes = state.gate.nodes_at(first, AT_ONCE)?;
            let inside = |node: &NodeId| state.gate.is_inside(*node, self.node());
            let named = |node: &&NodeId| state.gate.data(**node).groups.contains_key(name);
            let around = nodes.iter().filter(named).find(|node| inside(node));
            let group = around.and_then(|node| state.gate.data(*node).groups.get(name));
            if let Some(&group) = group {
                return Some(core.handle(&mut state, group));
            }
            state = core.give_way(state);
        }
        None
    }
}

impl Survey {
    /// Shows the next part of the tasks to `visit`, which runs while the pool is locked. Returns `true` if there may be
    /// more.
    pub(crate) fn visit_part(&mut self, mut visit: impl FnMut(&Surveyed<'_>)) -> bool {
        let inner = &*self.inner;
        let state = inner.core.lock();
        let is_more = self.walk.part(&state, &mut self.found);
        self.holders.look_at(&state, &self.found);
        let found = self.found.drain(..);
        let tasks = found.filter_map(|(slot, id)| Some((slot, id.task()?)));
        let tasks = tasks.filter(|(slot, _)| !state.gate.is_withdrawn(*slot));
        tasks.for_each(|(slot, id)| visit(&Surveyed::of(&state, inner, slot, id, self.now)));
        is_more
    }

    /// Returns `true` if the pool keeps the times of its tasks.
    pub(crate) fn is_timed(&self) -> bool {
        self.now.is_some()
    }

    pub(crate) fn holders(&self) -> Holders {
        self.holders
    }

    /// Describes a task as it was when the survey met it, with its times as they were when the survey was started.
    pub(crate) fn describe(&self, task: Line) -> TaskInfo {
        task.info(self.now)
    }
}

impl Holders {
    /// Looks at the next part. Returns the number of steps that it took: with groups inside of groups, it may not look at
    /// all that waits.
    fn look_at(&mut self, state: &State, found: &[(Slot, EntryId)]) -> usize {
        let gate = &state.gate;
        let in_place = found.iter().filter(|(_, id)| *id == EntryId::ELSEWHERE);
        self.in_place += in_place
            .filter(|(slot, id)| gate.has_started(*slot, *id))
            .count();
        let (mut found, mut steps) = (found.iter(), 0);
        while !self.are_awaited && steps < AT_ONCE {
            let Some((slot, id)) = found.next() else {
                break;
            };
            let (lacks_permits, taken) = gate.lacks_permits(*slot, *id);
            self.are_awaited = lacks_permits;
            steps += taken;
        }
        steps
    }
}

impl<'a> Surveyed<'a> {
    fn of(state: &'a State, inner: &'a Inner, slot: Slot, id: TaskId, now: Option<Moment>) -> Self {
        let home = state.gate.home(slot);
        Self {
            id,
            state: state.gate.progress(slot, id),
            group: state.gate.data(home).group.as_deref(),
            slot,
            inner,
            pool: state,
            now,
        }
    }

    /// Returns `true` if the task has begun to run, even if it has lent its permit.
    pub(crate) fn has_started(&self) -> bool {
        self.pool.gate.has_started(self.slot, self.id)
    }

    /// Returns how long the task has run, or if it has not started, how long it has waited. `None` if the pool is not timed.
    pub(crate) fn age(&self) -> Option<Duration> {
        let times = self.pool.records.times(self.slot)?;
        match self.has_started() {
            true => times.running(self.now),
            false => times.waited(self.now),
        }
    }

    /// Returns the data of the task, to be [described](Survey::describe) when the pool is not locked.
    pub(crate) fn line(&self) -> Option<Line> {
        Line::of(self.pool, self.slot, self.id)
    }

    /// Returns a handle, by which the task is found again without a search.
    pub(crate) fn handle(&self) -> AbortHandle {
        AbortHandle::new(self.slot, self.id, self.inner.label.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spawner::FnSpawner;

    #[test]
    fn what_waits_in_deep_groups_is_looked_at_in_so_many_steps() {
        const DEPTH: usize = 500;
        let pool = AioPool::with_spawner(1, FnSpawner(std::mem::forget));
        let paused = pool.group("paused", 1).unwrap();
        paused.pause();
        let mut groups = vec![paused];
        for _ in 0..DEPTH {
            groups.push(groups.last().unwrap().group("deep", 1).unwrap());
        }
        let deepest = groups.last().unwrap();
        let tasks: Vec<_> = (0..AT_ONCE).map(|_| deepest.spawn_n(async {})).collect();
        let mut survey = pool.survey();
        let state = pool.core().lock();
        survey.walk.part(&state, &mut survey.found);
        assert_eq!(survey.found.len(), AT_ONCE);
        let mut holders = Holders::default();
        let steps = holders.look_at(&state, &survey.found);
        assert!(!holders.are_awaited);
        assert!((AT_ONCE..AT_ONCE + DEPTH + 1).contains(&steps), "{steps}");
        drop(state);
        drop(tasks);
    }
}
