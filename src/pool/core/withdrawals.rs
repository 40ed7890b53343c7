use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::gate::NodeId;
use crate::pool::core::state::{Exit, State};
use crate::task::{BoxTask, Slot};
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

struct Withdrawal {
    node: NodeId,
    /// Number of withdrawn tasks that have not ended.
    left: usize,
    /// `true` while more tasks may be withdrawn.
    is_open: bool,
    /// Latches of the callers of `cancel_all` that wait for the tasks which another caller has withdrawn.
    latches: Vec<Arc<Latch>>,
}

impl State {
    /// Begins to withdraw tasks at a node and below it, until [`close_withdrawal`](Self::close_withdrawal) is called.
    pub(crate) fn open_withdrawal(&mut self, node: NodeId) -> WithdrawalId {
        let withdrawals = &mut self.withdrawals;
        withdrawals.next += 1;
        let id = WithdrawalId(withdrawals.next);
        let withdrawal = Withdrawal {
            node,
            left: 0,
            is_open: true,
            latches: Vec::new(),
        };
        withdrawals.going_on.insert(id, withdrawal);
        id
    }

    /// Takes a waiting task out of the queue. The task keeps its slot until it has [ended](Self::end_unstarted).
    pub(crate) fn withdraw_with(&mut self, id: WithdrawalId, slot: Slot) -> Option<BoxTask> {
        let task = self.gate.withdraw(slot)?;
        let home = self.gate.home(slot);
        self.change_withdrawn(home, |withdrawn| *withdrawn += 1);
        if let Some(withdrawal) = self.withdrawals.going_on.get_mut(&id) {
            withdrawal.left += 1;
        }
        Some(task)
    }

    /// Takes a single waiting task out of the queue, as a withdrawal of its own.
    pub(crate) fn withdraw(&mut self, slot: Slot) -> Option<(Exit, BoxTask)> {
        let id = self.open_withdrawal(self.gate.home(slot));
        let task = self.withdraw_with(id, slot);
        // The pool has been locked since the withdrawal began: no latch waits for it, and nothing is woken.
        self.close_withdrawal(id, &mut Wakes::default());
        Some((Exit::Withdrawn(slot, id), task?))
    }

    /// Declares that no more tasks are withdrawn.
    pub(crate) fn close_withdrawal(&mut self, id: WithdrawalId, wakes: &mut Wakes) {
        self.withdrawals
            .change(id, wakes, |withdrawal| withdrawal.is_open = false);
    }

    /// Notes that a withdrawn task of `home` is about to end.
    pub(crate) fn end_withdrawn(&mut self, id: WithdrawalId, home: NodeId, wakes: &mut Wakes) {
        self.change_withdrawn(home, |withdrawn| *withdrawn -= 1);
        self.withdrawals
            .change(id, wakes, |withdrawal| withdrawal.left -= 1);
    }

    /// Changes the number of withdrawn tasks at a group and around it. Tasks of the root need no count: all withdrawals
    /// are inside of the root.
    #[inline]
    fn change_withdrawn(&mut self, home: NodeId, change: impl Fn(&mut usize)) {
        if home != NodeId::ROOT {
            self.gate
                .each_data_from(home, |data| change(&mut data.withdrawn));
        }
    }

    /// Lets a latch wait for all tasks at a node and below it that other callers have withdrawn, or are about to
    /// withdraw.
    ///
    /// If such a caller has also withdrawn tasks of nodes around it, the latch waits for those as well. Only callers count
    /// that have begun after the withdrawal `after`, or all.
    pub(crate) fn await_withdrawn(
        &mut self,
        node: NodeId,
        latch: &Arc<Latch>,
        after: Option<WithdrawalId>,
    ) {
        let gate = &self.gate;
        let has_some = gate.data(node).withdrawn > 0;
        let later = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self
            .withdrawals
            .going_on
            .range_mut((later, Bound::Unbounded));
        for (_, withdrawal) in later {
            let may_have_some = has_some || withdrawal.is_open;
            if gate.is_inside(withdrawal.node, node)
                || may_have_some && gate.is_inside(node, withdrawal.node)
            {
                latch.add(1);
                withdrawal.latches.push(latch.clone());
            }
        }
    }
}

impl Withdrawals {
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
