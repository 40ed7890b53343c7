//! Giving back the memory that very many ended tasks or groups leave, with the pool locked only for a moment at a time.

use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::state::State;
use crate::sync::MutexGuard;

/// Maximum number of groups that end under one lock.
const AT_ONCE: usize = 256;

impl Core {
    /// Gives back the memory that ended tasks and groups leave, in parts. Between two parts other threads may lock the
    /// pool.
    #[inline]
    pub(crate) fn tidy<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while state.has_to_tidy() {
            state.tidy();
            state = self.give_way(state);
        }
        state
    }
}

impl State {
    /// Removes a group that has no tasks, no groups and no handles, then perhaps the group around it.
    ///
    /// If very many groups inside each other end at once, the rest of them is left to [`tidy`](Self::tidy).
    pub(crate) fn end_group(&mut self, group: NodeId) {
        self.ending.push(group);
        self.end_groups();
    }

    /// Returns `true` if ended tasks or groups have left memory to give back.
    #[inline]
    pub(crate) fn has_to_tidy(&self) -> bool {
        self.gate.has_excess() || !self.ending.is_empty()
    }

    /// Gives a part of it back.
    pub(crate) fn tidy(&mut self) {
        self.end_groups();
        if self.gate.has_excess() {
            self.gate.trim();
        }
    }

    fn end_groups(&mut self) {
        for _ in 0..AT_ONCE {
            let Some(ending) = self.ending.pop() else {
                return;
            };
            let around = self.end_one_group(ending);
            self.ending.extend(around);
        }
    }

    /// Removes a group, unless it is still in use. Returns the node around it.
    fn end_one_group(&mut self, group: NodeId) -> Option<NodeId> {
        // The group may have ended since it was noted, while other threads had the lock.
        let is_there = group != NodeId::ROOT && self.gate.lives(group);
        if !is_there || self.gate.data(group).handles > 0 {
            return None;
        }
        if self.gate.is_in_use(group) {
            return None;
        }
        if !self.rates.end(group) {
            self.asks_time = true;
            return None;
        }
        let (data, parent) = self.gate.remove_node(group)?;
        self.forget_hold(group, data.held_until);
        let names = &mut self.gate.data_mut(parent).groups;
        if names.get(&data.name) == Some(&group) {
            names.remove(&data.name);
        }
        Some(parent)
    }
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use crate::pool::AioPool;
    use crate::pool::lifecycle::sweep::Which;
    use crate::spawner::FnSpawner;

    fn on_tokio(test: impl AsyncFnOnce(AioPool)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let spawner = FnSpawner(|worker| drop(tokio::spawn(worker)));
        let test = async { test(AioPool::with_spawner(2, spawner)).await };
        runtime.unwrap().block_on(test);
    }

    #[test]
    fn a_crowd_that_has_ended_leaves_no_slots_though_one_task_stays() {
        on_tokio(async |pool| {
            let slots = || pool.core().lock().gate.end();
            let stays = pool.spawn(std::future::pending::<()>()).await;
            let crowd = || pool.map_n(0..100_000, |_| async {});
            for handle in crowd() {
                handle.await.unwrap();
            }
            assert!(slots() <= 64, "they have run: {} slots", slots());
            crowd().iter().for_each(|handle| _ = handle.abort());
            assert!(slots() <= 64, "each was aborted: {} slots", slots());
            let crowd = crowd();
            pool.core().stop(pool.node(), Which::Waiting).await;
            assert!(slots() <= 64, "all were cancelled: {} slots", slots());
            drop((crowd, stays));
        });
    }

    #[test]
    fn groups_inside_each_other_all_end_with_the_last_task() {
        on_tokio(async |pool| {
            let mut inner = pool.group("inner", 1).unwrap();
            for _ in 0..5_000 {
                inner = inner.group("inner", 1).unwrap();
            }
            let handle = inner.spawn_n(async {});
            drop(inner);
            assert_eq!(pool.groups().len(), 1);
            handle.await.unwrap();
            assert!(pool.groups().is_empty());
            let nodes = pool.core().lock().gate.nodes_at(0, usize::MAX / 2);
            assert_eq!(nodes.map(|nodes| nodes.len()), Some(1));
        });
    }

    #[test]
    fn a_group_that_has_ended_before_its_turn_ends_no_more() {
        on_tokio(async |pool| {
            let group = pool.group("group", 1).unwrap();
            let node = group.node();
            drop(group);
            let mut state = pool.core().lock();
            state.end_group(node);
            assert!(!state.has_to_tidy() && !state.gate.lives(node));
        });
    }
}
