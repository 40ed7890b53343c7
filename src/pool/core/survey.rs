//! Listing many tasks, with the lock of the pool held only for a moment at a time.

use std::sync::Arc;

use crate::gate::NodeId;
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
}

/// A task that a survey shows, while the pool is locked.
pub(crate) struct Surveyed<'a> {
    pub(crate) id: TaskId,
    pub(crate) state: TaskState,
    /// The group that the task was submitted to.
    pub(crate) group: Option<&'a str>,
    slot: Slot,
    inner: &'a Inner,
}

/// Maximum number of tasks or groups that are looked at under one lock.
const AT_ONCE: usize = 1024;

impl AioPool {
    /// Starts a survey of the tasks.
    pub(crate) fn survey(&self) -> Survey {
        Survey {
            inner: self.inner.clone(),
            walk: Walk::new(&self.core().lock(), self.node()),
            found: Vec::new(),
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
        let found = self.found.drain(..);
        let tasks = found.filter_map(|(slot, id)| Some((slot, id.task()?)));
        let tasks = tasks.filter(|(slot, _)| !state.gate.is_withdrawn(*slot));
        tasks.for_each(|(slot, id)| visit(&Surveyed::of(&state, inner, slot, id)));
        is_more
    }
}

impl<'a> Surveyed<'a> {
    fn of(state: &'a State, inner: &'a Inner, slot: Slot, id: TaskId) -> Self {
        let home = state.gate.home(slot);
        Self {
            id,
            state: state.gate.progress(slot, id),
            group: state.gate.data(home).group.as_deref(),
            slot,
            inner,
        }
    }

    /// Returns a handle, by which the task is found again without a search.
    pub(crate) fn handle(&self) -> AbortHandle {
        AbortHandle::new(self.slot, self.id, self.inner.label.clone())
    }
}
