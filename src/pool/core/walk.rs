//! Visiting many tasks, with the pool locked only for a moment at a time.

use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::state::State;
use crate::sync::MutexGuard;
use crate::task::{EntryId, Slot};

/// Visits everything that lives in a pool or group, in parts, in no particular order.
///
/// A task that lives from the first part to the last is met exactly once. Between two parts other threads may lock the
/// pool. The walk also meets what is not a task: feeds, and code that runs in place.
pub(crate) struct Walk {
    node: NodeId,
    /// The slots to visit, or `None` for all slots of the pool, which is no detour if most of them are inside the node.
    slots: Option<Vec<Slot>>,
    next: usize,
    /// The end of the walk, fixed at its beginning: tasks that come later do not make it longer.
    end: usize,
}

/// Maximum number of steps in one part, which take some ten microseconds.
const STEPS: usize = 1024;

impl Walk {
    pub(crate) fn new(state: &State, node: NodeId) -> Self {
        let slots = state.gate.few_slots(node, STEPS);
        let all = state.gate.end() as usize;
        Self {
            node,
            end: slots.as_ref().map_or(all, Vec::len),
            slots,
            next: 0,
        }
    }

    /// Adds the next tasks to `found`. Returns `true` if there may be more.
    pub(crate) fn part(&mut self, state: &State, found: &mut Vec<(Slot, EntryId)>) -> bool {
        let mut steps = 0;
        while steps < STEPS {
            if self.next == self.end {
                return false;
            }
            let slot = self.slots.as_ref().map(|slots| slots[self.next]);
            let slot = slot.unwrap_or(Slot(self.next as u32));
            self.next += 1;
            let (id, taken) = state.gate.inside(slot, self.node);
            found.extend(id.map(|id| (slot, id)));
            steps += taken;
        }
        true
    }
}

impl Core {
    /// Calls `step` for each item, in parts, until one fails. Between two parts other threads may lock the pool.
    pub(crate) fn each_in_parts<'a, T, E>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        items: &[T],
        mut step: impl FnMut(&mut State, &T) -> Result<(), E>,
    ) -> (MutexGuard<'a, State>, Result<(), E>) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 && at % STEPS == 0 {
                state = self.give_way(state);
            }
            let done = step(&mut state, item);
            if done.is_err() {
                return (state, done);
            }
        }
        (state, Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::AioPool;
    use crate::spawner::FnSpawner;
    use crate::task::TaskId;

    /// Returns a pool whose workers are never polled: all tasks stay where they are.
    fn pool(size: usize) -> AioPool {
        AioPool::with_spawner(size, FnSpawner(std::mem::forget))
    }

    /// Returns the tasks that a walk meets, and the number of its parts.
    fn walk(pool: &AioPool) -> (Vec<u64>, usize) {
        let (mut met, mut parts) = (Vec::new(), 0);
        let mut walk = Walk::new(&pool.core().lock(), pool.node());
        loop {
            let mut found = Vec::new();
            let is_more = walk.part(&pool.core().lock(), &mut found);
            assert!(found.len() <= STEPS);
            met.extend(
                found
                    .into_iter()
                    .filter_map(|(_, id)| id.task())
                    .map(TaskId::get),
            );
            parts += 1;
            if !is_more {
                met.sort_unstable();
                return (met, parts);
            }
        }
    }

    #[test]
    fn all_tasks_are_met_once_in_parts_of_so_many_steps() {
        let pool = pool(1);
        for count in [0, 1, STEPS as u64, 10 * STEPS as u64] {
            let handles: Vec<_> = (pool.len() as u64..count)
                .map(|_| pool.spawn_n(async {}))
                .collect();
            drop(handles);
            let (met, parts) = walk(&pool);
            assert_eq!(met, (0..count).collect::<Vec<_>>());
            assert!(parts >= (count as usize).div_ceil(STEPS));
        }
    }

    #[test]
    fn a_group_is_walked_alone_and_in_parts_if_it_is_large_or_deep() {
        let pool = pool(1);
        let mut inner = pool.group("outer", 1).unwrap();
        let outer = inner.clone();
        for _ in 0..100 {
            inner = inner.group("inner", 1).unwrap();
        }
        drop(pool.spawn_n(async {}));
        let tasks = |count| inner.map_n(0..count, |_| async {}).into_iter();
        tasks(10).for_each(drop);
        assert_eq!(walk(&outer), ((1..11).collect(), 1));
        tasks(STEPS).for_each(drop);
        let (met, parts) = walk(&outer);
        assert_eq!(met, (1..11 + STEPS as u64).collect::<Vec<_>>());
        assert!(parts > 90, "a step for each node on the way: {parts}");
        assert_eq!(walk(&pool).0.len(), 11 + STEPS);
    }
}
