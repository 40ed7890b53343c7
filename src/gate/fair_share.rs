//! Fair share: what waits at a node has turns by its shares, instead of by the age of its tasks.

use super::node::{Demand, Node, Rank};
use super::state::Gate;
use super::tree::NodeId;

impl<W, A, L> Gate<W, A, L> {
    /// Gives turns by share from now on. Called before there are tasks.
    pub(crate) fn share_fairly(&mut self) {
        self.is_fair = true;
        self.has_fast_path = false;
    }

    /// Sets the share of a group at the node around it.
    pub(crate) fn set_share(&mut self, group: NodeId, share: u32) {
        self.tree.at_mut(group.0).turns.set_share(share);
    }

    /// Returns the rank of a new task of the node's own queue among all that waits at the node.
    #[inline]
    pub(super) fn rank_of_own(&self, node: &Node<L>, rank: Rank) -> Rank {
        if self.is_fair {
            rank.at_turn(node.turns.own())
        } else {
            rank
        }
    }

    /// Returns the rank at the node around a group of what is the first in the group.
    #[inline]
    pub(super) fn rank_around(&self, group: u32, parent: u32, rank: Rank) -> Rank {
        if self.is_fair && rank.is_new_task() {
            rank.at_turn(self.turn_of(group, parent))
        } else {
            rank
        }
    }

    fn turn_of(&self, group: u32, parent: u32) -> u128 {
        let now = self.tree.at(parent).turns.now;
        self.tree.at(group).turns.member.max(now)
    }

    /// Counts the start of a task from the root's own queue.
    #[inline]
    pub(super) fn take_turn_of_root(&mut self, weight: usize) {
        if self.is_fair {
            self.tree.root.turns.take_own(weight);
        }
    }

    /// Counts the start of a task: as a turn of the queue that it was in, and of each group that this queue is in.
    #[inline]
    pub(super) fn take_turn(&mut self, home: u32, weight: usize) {
        if self.is_fair {
            self.take_turn_from(home, weight);
        }
    }

    #[inline(never)]
    fn take_turn_from(&mut self, home: u32, weight: usize) {
        self.tree.at_mut(home).turns.take_own(weight);
        let mut at = home;
        while let Some(parent) = self.tree.at(at).parent {
            let now = self.tree.at(parent).turns.now;
            let turn = self.tree.at_mut(at).turns.take(now, weight);
            self.tree.at_mut(parent).turns.now = turn;
            at = parent;
        }
    }

    /// Returns `true` if a new task would be admitted at once, in a pool with fair share.
    pub(super) fn has_room_by_turn(&self, home: u32, demand: Demand) -> bool {
        let (home_node, weight) = (self.tree.at(home), demand.weight);
        let is_next_at_home = !home_node.is_awaited_in_queue(demand.priority)
            && home_node.is_before_offers(home_node.turns.own(), None);
        let mut around = self.tree.path(home).zip(self.tree.path(home).skip(1));
        is_next_at_home
            && self.tree.path(home).all(|(_, node)| node.fits(weight))
            && around.all(|((group, below), (parent, node))| {
                let turn = self.turn_of(group, parent);
                node.is_before_own(turn) && node.is_before_offers(turn, below.offered)
            })
    }
}

impl<L> Node<L> {
    /// Returns `true` if a group at this virtual time goes before all that waits in the node's own queue.
    fn is_before_own(&self, turn: u128) -> bool {
        let is_before_new = self.first().is_none() || turn < self.turns.own();
        is_before_new && self.first_returning().is_none()
    }

    /// Returns `true` if a member at this virtual time goes before each task that another group below offers. `its` is
    /// the offer of the member itself.
    fn is_before_offers(&self, turn: u128, its: Option<Rank>) -> bool {
        let mut others = self.offers.keys().filter(|rank| Some(**rank) != its);
        others.next().is_none_or(|first| first.is_after_turn(turn))
    }
}
