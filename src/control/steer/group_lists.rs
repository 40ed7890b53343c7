use std::cmp::Reverse;

use super::super::protocol::{GroupLine, GroupList, GroupTree, Reply, TreeLine};
use super::Handler;
use super::groups::GroupCounts;
use super::reading::{MOST_LINES, group_line, lines_that_fit};
use crate::pool::BusyGroup;
use crate::{AioPool, coop};

/// Commands that list groups.
impl Handler {
    pub(super) async fn groups(&self, most: usize) -> Reply {
        let most = most.min(MOST_LINES);
        let (pools, mut more) = self.first_groups(most);
        let mut groups: Vec<_> = pools.iter().map(group_line).collect();
        groups.extend(self.started_groups().await);
        more += groups.len().saturating_sub(most);
        groups.truncate(most);
        Reply::Groups(GroupList { groups, more })
    }

    /// Returns the first groups in depth-first order, each before the groups inside of it, and the number of further
    /// groups that were seen.
    fn first_groups(&self, most: usize) -> (Vec<AioPool>, usize) {
        let mut groups = Vec::new();
        let (mut left, mut more) = self.target.pool.first_groups_and_more(most);
        left.reverse();
        while groups.len() < most {
            let Some(group) = left.pop() else { break };
            let (inside, others) = group.first_groups_and_more(most - groups.len());
            more += others;
            left.extend(inside.into_iter().rev());
            groups.push(group);
        }
        (groups, more + left.len())
    }

    pub(super) async fn tree(&self, most: usize) -> Reply {
        let most = most.min(MOST_LINES);
        let (tree, mut more) = self.busiest_groups(most).await;
        let mut groups: Vec<_> = tree.iter().map(tree_line).collect();
        let mut started = self.started_groups().await;
        started.sort_by_key(|group| Reverse(group.active + group.waiting));
        groups.extend(
            started
                .into_iter()
                .map(|group| TreeLine { depth: 0, group }),
        );
        more += groups.len();
        groups.truncate(most);
        let groups = lines_that_fit(groups, |line| line.group.name.len());
        more -= groups.len();
        Reply::Tree(GroupTree { groups, more })
    }

    /// Returns the groups of the pool with the most tasks as a tree, and the number of the other groups.
    async fn busiest_groups(&self, most: usize) -> (Vec<BusyGroup>, usize) {
        let _turn = self.searching.lock().await;
        let mut survey = self.target.pool.survey_groups(most);
        while survey.look_at_part() {
            coop::yield_once().await;
        }
        survey.into_tree()
    }

    /// Returns the groups of copies that have active or waiting tasks, in the order in which they were begun.
    async fn started_groups(&self) -> Vec<GroupLine> {
        if self.target.copies.is_none() {
            return Vec::new();
        }
        let whole = group_line(&self.target.pool);
        let line = |(name, active, waiting)| GroupLine {
            name,
            size: AioPool::UNBOUNDED,
            active,
            waiting,
            ..whole
        };
        let counts = self.count_copies().await;
        counts.into_values().map(line).collect()
    }

    async fn count_copies(&self) -> GroupCounts {
        let _turn = self.searching.lock().await;
        let mut survey = self.target.pool.survey();
        let (mut counts, mut part) = (GroupCounts::new(), Vec::new());
        loop {
            let is_more = survey.visit_part(|task| part.push((task.id.get(), task.state)));
            self.records().groups.count(&part, &mut counts);
            part.clear();
            if !is_more {
                return counts;
            }
            coop::yield_once().await;
        }
    }
}

fn tree_line(group: &BusyGroup) -> TreeLine {
    TreeLine {
        depth: group.depth,
        group: GroupLine {
            name: group.name.as_ref().to_owned(),
            size: group.size,
            active: group.active,
            waiting: group.waiting,
            paused: group.is_paused,
            locked: group.is_closed,
        },
    }
}
