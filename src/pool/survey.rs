//! A look at many tasks that holds the pool's lock for a moment only, however many there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::look::Line;
use super::state::State;
use super::{AioPool, Inner};
use crate::gate::LevelId;
use crate::task::{AbortHandle, Slot, TaskId, TaskInfo, TaskState};

/// Goes through the tasks of a pool or group, some at a time, in no order.
///
/// A task that lives from the first part to the last is shown once. Between two parts the caller may let others run.
pub(crate) struct Survey {
    inner: Arc<Inner>,
    /// The slots to look at; `None` stands for all of the pool.
    slots: Option<Vec<Slot>>,
    next: usize,
}

/// A task, as a survey shows it while the pool is locked.
pub(crate) struct Surveyed<'a> {
    pub(crate) id: TaskId,
    pub(crate) state: TaskState,
    /// The group that it was submitted to.
    pub(crate) group: Option<&'a str>,
    slot: Slot,
    inner: &'a Inner,
}

/// Slots that are looked at under one lock: about ten microseconds.
const AT_ONCE: usize = 1024;

impl AioPool {
    /// Begins a survey of the tasks.
    pub(crate) fn survey(&self) -> Survey {
        let state = self.core().lock();
        let slots = (self.level() != LevelId::ROOT).then(|| state.gate.slots(self.level()));
        Survey {
            inner: self.inner.clone(),
            slots,
            next: 0,
        }
    }

    /// Describes those of the tasks that have not ended.
    pub(crate) fn describe(&self, tasks: &[AbortHandle]) -> Vec<TaskInfo> {
        let mut lines = Vec::with_capacity(tasks.len());
        for part in tasks.chunks(AT_ONCE) {
            let state = self.core().lock();
            let living = part
                .iter()
                .map(AbortHandle::place)
                .filter(|(slot, id)| state.gate.get(*slot, *id).is_some());
            lines.extend(living.map(|(slot, id)| Line::of(&state, slot, id)));
        }
        lines.into_iter().map(Line::info).collect()
    }

    /// Binds the pool to the runtime that is here, if it has none yet. Returns whether it has one.
    pub(crate) fn bind_runtime(&self) -> bool {
        self.core().bind_spawner()
    }

    /// Returns the first groups of this pool by name, and how many more it has.
    pub(crate) fn first_groups(&self, most: usize) -> (Vec<AioPool>, usize) {
        let mut state = self.core().lock();
        let named = &state.gate.kept(self.level()).groups;
        let all = named.len();
        let mut first = BTreeMap::new();
        for (name, id) in named {
            first.insert(name.clone(), *id);
            if first.len() > most {
                first.pop_last();
            }
        }
        let handle = |id| self.core().handle(&mut state, id);
        let first: Vec<AioPool> = first.into_values().map(handle).collect();
        let more = all - first.len();
        (first, more)
    }

    /// Returns how many tasks wait: those in the queue, and those that its feeds have yet to put there.
    pub(crate) fn waiting_and_unpulled(&self) -> usize {
        let state = self.core().lock();
        let unpulled = state.gate.kept(self.level()).unpulled;
        let unpulled = usize::try_from(unpulled).unwrap_or(usize::MAX);
        state.gate.waiting(self.level()).saturating_add(unpulled)
    }

    /// Returns a group of this name, among the groups of this pool and all groups inside of them.
    pub(crate) fn find_group_below(&self, name: &str) -> Option<AioPool> {
        let mut state = self.core().lock();
        let below = state.gate.below(self.level()).into_iter();
        let mut found = below.filter_map(|level| state.gate.kept(level).groups.get(name));
        let group = *found.next()?;
        drop(found);
        Some(self.core().handle(&mut state, group))
    }
}

impl Survey {
    /// Shows some more of the tasks to `visit`, which runs while the pool is locked. Returns whether there may be more.
    pub(crate) fn visit_part(&mut self, mut visit: impl FnMut(&Surveyed<'_>)) -> bool {
        let inner = &*self.inner;
        let state = inner.core.lock();
        for _ in 0..AT_ONCE {
            let slot = slot(self.slots.as_deref(), self.next);
            let id = slot.and_then(|slot| state.gate.id(slot));
            self.next += 1;
            match (slot, id) {
                (Some(slot), Some(id)) if id.is_task() && is_inside(&state, slot, inner.level) => {
                    visit(&Surveyed::of(&state, inner, slot, id));
                }
                // The pool has no more slots than these.
                (_, None) if self.slots.is_none() => return false,
                (None, _) => return false,
                (Some(_), _) => {}
            }
        }
        true
    }
}

fn slot(slots: Option<&[Slot]>, at: usize) -> Option<Slot> {
    match slots {
        Some(slots) => slots.get(at).copied(),
        None => u32::try_from(at).ok().map(Slot),
    }
}

/// A slot may have been given to a task of another group since the survey began.
fn is_inside(state: &State, slot: Slot, level: LevelId) -> bool {
    let home = state.gate.home(slot);
    level == LevelId::ROOT || state.gate.path(home).any(|(around, _)| around == level)
}

impl<'a> Surveyed<'a> {
    fn of(state: &'a State, inner: &'a Inner, slot: Slot, id: TaskId) -> Self {
        let home = state.gate.home(slot);
        Self {
            id,
            state: state.gate.progress(slot, id),
            group: state.gate.kept(home).group.as_deref(),
            slot,
            inner,
        }
    }

    /// A handle by which the task is found again without a search.
    pub(crate) fn handle(&self) -> AbortHandle {
        AbortHandle::new(self.slot, self.id, self.inner.origin.clone())
    }
}
