use std::collections::BTreeMap;
use std::sync::Arc;

use super::state::{Exit, State};
use crate::gate::NodeId;
use crate::task::{BoxTask, Slot};
use crate::wakes::Wakes;
use crate::worker::Latch;

/// The tasks that were taken out of the queue and have not ended, by who took them out.
#[derive(Default)]
pub(super) struct Withdrawals {
    next: u64,
    /// Mostly one for each thread that stops tasks; more where ends are put off, deep inside of other ends.
    going_on: BTreeMap<WithdrawalId, Withdrawal>,
}

/// Names one withdrawal. It is never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct WithdrawalId(u64);

struct Withdrawal {
    node: NodeId,
    /// Number of tasks that have not ended.
    left: usize,
    /// More tasks may be withdrawn.
    is_open: bool,
    /// The callers of `cancel_all` that wait for the end of what another caller has withdrawn.
    latches: Vec<Arc<Latch>>,
}

impl State {
    /// Begins to withdraw tasks at a node and below it, until [`close_withdrawal`](Self::close_withdrawal).
    pub(super) fn open_withdrawal(&mut self, node: NodeId) -> WithdrawalId {
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

    /// Takes a waiting task out of the queue. It is there until it has [ended](Self::end_unstarted).
    pub(super) fn withdraw_with(&mut self, id: WithdrawalId, slot: Slot) -> Option<BoxTask> {
        let task = self.gate.withdraw(slot)?;
        let home = self.gate.home(slot);
        self.change_withdrawn(home, |withdrawn| *withdrawn += 1);
        if let Some(withdrawal) = self.withdrawals.going_on.get_mut(&id) {
            withdrawal.left += 1;
        }
        Some(task)
    }

    /// The same for a single task.
    pub(super) fn withdraw(&mut self, slot: Slot) -> Option<(Exit, BoxTask)> {
        let id = self.open_withdrawal(self.gate.home(slot));
        let task = self.withdraw_with(id, slot);
        // Nobody awaits it yet.
        self.close_withdrawal(id, &mut Wakes::default());
        Some((Exit::Withdrawn(slot, id), task?))
    }

    /// No more tasks are withdrawn.
    pub(super) fn close_withdrawal(&mut self, id: WithdrawalId, wakes: &mut Wakes) {
        self.withdrawals
            .change(id, wakes, |withdrawal| withdrawal.is_open = false);
    }

    /// A task of `home` that was withdrawn is about to end.
    pub(super) fn end_withdrawn(&mut self, id: WithdrawalId, home: NodeId, wakes: &mut Wakes) {
        self.change_withdrawn(home, |withdrawn| *withdrawn -= 1);
        self.withdrawals
            .change(id, wakes, |withdrawal| withdrawal.left -= 1);
    }

    /// Counts at a group and around it. All that are withdrawn are inside of the pool.
    #[inline]
    fn change_withdrawn(&mut self, home: NodeId, change: impl Fn(&mut usize)) {
        if home != NodeId::ROOT {
            self.gate
                .each_data_from(home, |data| change(&mut data.withdrawn));
        }
    }

    /// Has a latch wait for all at a node and below it that others have withdrawn, or are about to.
    ///
    /// Where they have withdrawn others, too, at nodes around it, it waits for those as well.
    pub(super) fn await_withdrawn(&mut self, node: NodeId, latch: &Arc<Latch>) {
        let gate = &self.gate;
        let has_some = gate.data(node).withdrawn > 0;
        for withdrawal in self.withdrawals.going_on.values_mut() {
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
    /// Changes one, and ends it if it is over.
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
