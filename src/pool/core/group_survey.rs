//! Listing the busiest of many groups, with the lock of the pool held only for a moment at a time.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::gate::NodeId;
use crate::pool::core::state::State;
use crate::pool::{AioPool, Inner};

/// Looks at the groups of a pool in parts, at any depth, and keeps the busiest: those with the most tasks.
///
/// A group has at least as many tasks as each group inside of it. So the groups that are kept are a tree: with a group,
/// the groups around it are kept, too. A group that changes between two parts may fall out of the tree.
pub(crate) struct GroupSurvey {
    inner: Arc<Inner>,
    next: usize,
    most: usize,
    kept: BTreeMap<Rank, BusyGroup>,
    seen: usize,
}

/// A group as it was when the survey met it.
pub(crate) struct BusyGroup {
    /// Number of groups around it.
    pub(crate) depth: usize,
    pub(crate) name: Arc<str>,
    pub(crate) size: usize,
    pub(crate) active: usize,
    /// Number of waiting tasks, with those that feeds have yet to submit.
    pub(crate) waiting: usize,
    pub(crate) is_paused: bool,
    pub(crate) is_closed: bool,
    node: NodeId,
    /// The next group around it, or the node that the survey is of.
    around: NodeId,
}

/// The order of the groups: the busiest is the last. Of equally busy ones, this is the one with the fewest groups around
/// it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    tasks: usize,
    depth: Reverse<usize>,
    node: Reverse<NodeId>,
}

/// Maximum number of steps under one lock. A step is a group, or a group around it.
const STEPS: usize = 1024;

impl AioPool {
    /// Starts a survey of the groups, of which at most `most` are kept.
    pub(crate) fn survey_groups(&self, most: usize) -> GroupSurvey {
        GroupSurvey {
            inner: self.inner.clone(),
            next: 0,
            most,
            kept: BTreeMap::new(),
            seen: 0,
        }
    }
}

impl GroupSurvey {
    /// Looks at the next part of the groups. Returns `true` if there are more.
    pub(crate) fn look_at_part(&mut self) -> bool {
        let inner = self.inner.clone();
        let state = inner.core.lock();
        let mut steps = 0;
        while steps < STEPS {
            let Some(nodes) = state.gate.nodes_at(self.next, 1) else {
                return false;
            };
            self.next += 1;
            steps += 1;
            if let Some(node) = nodes.first() {
                steps += self.look_at(&state, *node);
            }
        }
        true
    }

    /// Looks at a node. Returns the number of nodes around it, each of which is a step.
    fn look_at(&mut self, state: &State, node: NodeId) -> usize {
        let above: Vec<NodeId> = state.gate.path(node).skip(1).map(|(at, _)| at).collect();
        let inside = above.iter().position(|at| *at == self.inner.node);
        if let Some(end) = inside.filter(|_| is_named(state, node)) {
            let around: Vec<NodeId> = above[..end]
                .iter()
                .copied()
                .filter(|at| is_named(state, *at))
                .collect();
            self.offer(BusyGroup::of(state, node, &around, self.inner.node));
        }
        above.len()
    }

    fn offer(&mut self, group: BusyGroup) {
        self.seen += 1;
        self.kept.insert(group.rank(), group);
        if self.kept.len() > self.most {
            self.kept.pop_first();
        }
    }

    /// Returns the groups, each before the groups inside of it, the busiest first, and the number of groups that are not
    /// among them.
    pub(crate) fn into_tree(self) -> (Vec<BusyGroup>, usize) {
        let mut inside: BTreeMap<NodeId, Vec<BusyGroup>> = BTreeMap::new();
        // From the least busy one on, so that the last of each list is the busiest.
        for group in self.kept.into_values() {
            inside.entry(group.around).or_default().push(group);
        }
        let mut left = inside.remove(&self.inner.node).unwrap_or_default();
        let mut tree = Vec::new();
        while let Some(group) = left.pop() {
            left.extend(inside.remove(&group.node).unwrap_or_default());
            tree.push(group);
        }
        let more = self.seen - tree.len();
        (tree, more)
    }
}

impl BusyGroup {
    fn of(state: &State, node: NodeId, around: &[NodeId], outermost: NodeId) -> Self {
        let (gate, data) = (&state.gate, state.gate.data(node));
        let unpulled = usize::try_from(data.unpulled).unwrap_or(usize::MAX);
        Self {
            depth: around.len(),
            name: data.name.clone(),
            size: gate.size(node),
            active: gate.active(node),
            waiting: gate.waiting(node).saturating_add(unpulled),
            is_paused: gate.is_paused(node),
            is_closed: state.is_closed(node),
            node,
            around: around.first().copied().unwrap_or(outermost),
        }
    }

    fn rank(&self) -> Rank {
        Rank {
            tasks: self.active.saturating_add(self.waiting),
            depth: Reverse(self.depth),
            node: Reverse(self.node),
        }
    }
}

/// Returns `true` if a node is a group with a name: one without is that of a scope or a feed, and has the name of the node
/// around it.
fn is_named(state: &State, node: NodeId) -> bool {
    let around = state.gate.parent(node);
    around.is_some_and(|around| {
        let around = state.gate.data(around);
        around.groups.get(&state.gate.data(node).name) == Some(&node)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spawner::FnSpawner;

    /// Returns a pool whose workers are never polled: all tasks stay where they are.
    fn pool(size: usize) -> AioPool {
        AioPool::with_spawner(size, FnSpawner(std::mem::forget))
    }

    /// Returns depth, name and number of tasks of each group, the number of other groups, and the number of parts.
    fn tree(pool: &AioPool, most: usize) -> (Vec<(usize, String, usize)>, usize, usize) {
        let (mut survey, mut parts) = (pool.survey_groups(most), 1);
        while survey.look_at_part() {
            parts += 1;
        }
        let (tree, more) = survey.into_tree();
        let line = |group: BusyGroup| {
            let tasks = group.active + group.waiting;
            (group.depth, group.name.to_string(), tasks)
        };
        (tree.into_iter().map(line).collect(), more, parts)
    }

    fn submit(pool: &AioPool, count: usize) {
        (0..count).for_each(|_| drop(pool.spawn_n(async {})));
    }

    fn lines(lines: &[(usize, &str, usize)]) -> Vec<(usize, String, usize)> {
        let owned = |&(depth, name, tasks): &(usize, &str, usize)| (depth, name.to_owned(), tasks);
        lines.iter().map(owned).collect()
    }

    #[test]
    fn each_group_is_below_the_one_around_it_and_the_busiest_is_the_first() {
        let pool = pool(1);
        let quiet = pool.group("quiet", 1).unwrap();
        let busy = pool.group("busy", 1).unwrap();
        let (one, two) = (busy.group("one", 1).unwrap(), busy.group("two", 1).unwrap());
        let innermost = one.group("innermost", 1).unwrap();
        for (group, count) in [(&quiet, 4), (&two, 3), (&one, 1), (&innermost, 1)] {
            submit(group, count);
        }
        let whole = [
            (0, "busy", 5),
            (1, "two", 3),
            (1, "one", 2),
            (2, "innermost", 1),
            (0, "quiet", 4),
        ];
        assert_eq!(tree(&pool, 9), (lines(&whole), 0, 1));
        let cut = [(0, "busy", 5), (1, "two", 3), (0, "quiet", 4)];
        assert_eq!(tree(&pool, 3), (lines(&cut), 2, 1));
        let inside = [(0, "two", 3), (0, "one", 2), (1, "innermost", 1)];
        assert_eq!(tree(&busy, 9), (lines(&inside), 0, 1));
        assert_eq!(tree(&pool, 0), (Vec::new(), 5, 1));
    }

    #[test]
    fn a_cut_tree_has_no_group_without_the_groups_around_it() {
        let pool = pool(1);
        let outer = pool.group("outer", 1).unwrap();
        let inner = outer.group("inner", 1).unwrap();
        let other = pool.group("other", 1).unwrap();
        submit(&inner, 2);
        submit(&other, 1);
        assert_eq!(tree(&pool, 1), (lines(&[(0, "outer", 2)]), 2, 1));
        let both = [(0, "outer", 2), (1, "inner", 2)];
        assert_eq!(tree(&pool, 2), (lines(&both), 1, 1));
    }

    #[test]
    fn many_or_deep_groups_are_looked_at_in_parts_of_so_many_steps() {
        let wide = pool(1);
        let many: Vec<_> = (0..10 * STEPS)
            .map(|n| wide.group(n.to_string(), 1).unwrap())
            .collect();
        submit(&many[77], 1);
        let (kept, more, parts) = tree(&wide, 1);
        assert_eq!((kept, more), (lines(&[(0, "77", 1)]), 10 * STEPS - 1));
        assert!(parts >= 20, "a step for each group, and one for the pool");

        let pool = pool(1);
        let mut deep = vec![pool.clone()];
        for _ in 0..200 {
            deep.push(deep.last().unwrap().group("deep", 1).unwrap());
        }
        let (kept, more, parts) = tree(&pool, 1000);
        let depths: Vec<usize> = kept.iter().map(|(depth, ..)| *depth).collect();
        assert_eq!((depths, more), ((0..200).collect(), 0));
        assert!(parts >= 19, "a step for each group around: {parts}");
    }
}
