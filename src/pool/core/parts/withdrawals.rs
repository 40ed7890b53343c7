use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::gate::NodeId;
use crate::wakes::Wakes;
use crate::worker::Latch;

/// The tasks that were taken out of the queue and have not ended, by withdrawal.
#[derive(Default)]
pub(crate) struct Withdrawals {
    next: u64,
    /// Usually one for each thread that stops tasks; more if ends are postponed, deep inside other ends.
    going_on: BTreeMap<WithdrawalId, Withdrawal>,
}

/// Identifies one withdrawal. It is never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct WithdrawalId(u64);

pub(crate) struct Withdrawal {
    pub(crate) node: NodeId,
    /// Number of withdrawn tasks that have not ended.
    left: usize,
    /// `true` while more tasks may be withdrawn.
    pub(crate) is_open: bool,
    /// Latches of the callers of `cancel_all` that wait for the tasks which another caller has withdrawn.
    latches: Vec<Arc<Latch>>,
}

impl Withdrawals {
    /// Begins a withdrawal at a node and below it.
    pub(crate) fn open(&mut self, node: NodeId) -> WithdrawalId {
        self.next += 1;
        let id = WithdrawalId(self.next);
        let withdrawal = Withdrawal {
            node,
            left: 0,
            is_open: true,
            latches: Vec::new(),
        };
        self.going_on.insert(id, withdrawal);
        id
    }

    /// Adds a task that has been taken out of the queue.
    pub(crate) fn add_task(&mut self, id: WithdrawalId) {
        if let Some(withdrawal) = self.going_on.get_mut(&id) {
            withdrawal.left += 1;
        }
    }

    /// Declares that no more tasks are withdrawn.
    pub(crate) fn close(&mut self, id: WithdrawalId, wakes: &mut Wakes) {
        self.change(id, wakes, |withdrawal| withdrawal.is_open = false);
    }

    /// Notes that a withdrawn task is about to end.
    pub(crate) fn end_task(&mut self, id: WithdrawalId, wakes: &mut Wakes) {
        self.change(id, wakes, |withdrawal| withdrawal.left -= 1);
    }

    /// Returns the withdrawals that have begun after this one, or all.
    pub(crate) fn later(
        &mut self,
        after: Option<WithdrawalId>,
    ) -> impl Iterator<Item = &mut Withdrawal> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.going_on.range_mut((after, Bound::Unbounded));
        later.map(|(_, withdrawal)| withdrawal)
    }

    /// Changes a withdrawal, and removes it if it is over.
    fn change(
        &mut self,
        id: WithdrawalId,
        wakes: &mut Wakes,
        change: impl FnOnce(&mut Withdrawal),
    ) {
        let Some(withdrawal) = self.going_on.get_mut(&id) else {
            return;
        };
        change(withdrawal);
        if withdrawal.left > 0 || withdrawal.is_open {
            return;
        }
        let latches = self.going_on.remove(&id).map(|over| over.latches);
        for latch in latches.into_iter().flatten() {
            wakes.add(latch.count_down(false));
        }
    }
}

impl Withdrawal {
    /// Lets a latch wait for the end of the withdrawal.
    pub(crate) fn add_latch(&mut self, latch: &Arc<Latch>) {
        latch.add(1);
        self.latches.push(latch.clone());
    }
}
