//! The groups as a tree: the busiest of them, and the selection.

use aiopool::AioPool;
use aiopool::control::protocol::{GroupTree, TreeLine};

use super::count::bounded;

/// The groups that the server lists, each before the groups inside of it.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) listed: Vec<Group>,
    /// Number of groups that are not in the list, as the server cuts it.
    pub(super) more: u64,
    pub(super) selected: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    /// Number of groups around it.
    pub(super) depth: usize,
    pub(super) name: String,
    /// `None` if the group is unbounded.
    pub(super) size: Option<u64>,
    pub(super) active: u64,
    pub(super) waiting: u64,
    pub(super) paused: bool,
    pub(super) locked: bool,
}

impl Groups {
    /// Updates the list with the server's answer. The same group stays selected, wherever it is now.
    pub(super) fn update(&mut self, told: &GroupTree) {
        let selected = self
            .selection()
            .map(|group| (group.depth, group.name.clone()));
        self.listed = told.groups.iter().map(Group::from).collect();
        self.more = bounded(told.more as u64);
        let place = selected.and_then(|(depth, name)| {
            let is_same = |group: &Group| group.depth == depth && group.name == name;
            self.listed.iter().position(is_same)
        });
        self.selected = place.unwrap_or(self.selected);
        self.select(0);
    }

    /// Returns the selected group, to which keys apply.
    pub(super) fn selection(&self) -> Option<&Group> {
        self.listed.get(self.selected)
    }

    /// Moves the selection up or down, within the list.
    pub(super) fn select(&mut self, by: isize) {
        let last = self.listed.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Returns how many of the listed groups have this name. Commands name groups, so they can mean only one of them.
    pub(super) fn named(&self, name: &str) -> usize {
        self.listed
            .iter()
            .filter(|group| group.name == name)
            .count()
    }
}

impl From<&TreeLine> for Group {
    fn from(line: &TreeLine) -> Self {
        let group = &line.group;
        Self {
            depth: line.depth,
            name: group.name.clone(),
            size: (group.size != AioPool::UNBOUNDED).then_some(group.size as u64),
            active: bounded(group.active as u64),
            waiting: bounded(group.waiting as u64),
            paused: group.paused,
            locked: group.locked,
        }
    }
}

#[cfg(test)]
mod tests {
    use aiopool::control::protocol::GroupTree;
    use serde_json::{from_value, json};

    use super::Groups;

    fn tree(rows: &[(usize, &str)]) -> GroupTree {
        let row = |(depth, name): &(usize, &str)| json!({"depth": depth, "name": name, "size": 1});
        let rows: Vec<_> = rows.iter().map(row).collect();
        from_value(json!({"groups": rows, "more": 3})).unwrap()
    }

    #[test]
    fn the_selection_stays_at_its_group_and_in_the_list() {
        let mut groups = Groups::default();
        groups.update(&tree(&[(0, "a"), (1, "x"), (0, "x")]));
        groups.select(2);
        groups.update(&tree(&[(0, "x"), (1, "y"), (0, "a"), (1, "x")]));
        assert_eq!((groups.selected, groups.more), (0, 3));
        groups.select(3);
        groups.update(&tree(&[(0, "a")]));
        assert_eq!(groups.selection().unwrap().name, "a", "the last there is");
        groups.update(&tree(&[]));
        assert_eq!(groups.selection(), None);
    }

    #[test]
    fn groups_of_the_same_name_are_counted() {
        let mut groups = Groups::default();
        groups.update(&tree(&[(0, "a"), (1, "x"), (0, "b"), (1, "x")]));
        assert_eq!([groups.named("x"), groups.named("a")], [2, 1]);
    }
}
