//! Taking tasks out of the queue, and waiting for the end of those that other callers have taken out.

use std::sync::Arc;

use crate::gate::NodeId;
use crate::pool::core::parts::withdrawals::WithdrawalId;
use crate::pool::core::state::{Exit, State};
use crate::task::{BoxTask, Slot};
use crate::wakes::Wakes;
use crate::worker::Latch;

impl State {
    /// Begins to withdraw tasks at a node and below it, until [`close_withdrawal`](Self::close_withdrawal) is called.
    pub(crate) fn open_withdrawal(&mut self, node: NodeId) -> WithdrawalId {
        self.withdrawals.open(node)
    }

    /// Takes a waiting task out of the queue. The task keeps its slot until it has [ended](Self::end_unstarted).
    pub(crate) fn withdraw_with(&mut self, id: WithdrawalId, slot: Slot) -> Option<BoxTask> {
        let task = self.gate.withdraw(slot)?;
        let home = self.gate.home(slot);
        self.change_withdrawn(home, |withdrawn| *withdrawn += 1);
        self.withdrawals.add_task(id);
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
        self.withdrawals.close(id, wakes);
    }

    /// Notes that a withdrawn task of `home` is about to end.
    pub(crate) fn end_withdrawn(&mut self, id: WithdrawalId, home: NodeId, wakes: &mut Wakes) {
        self.change_withdrawn(home, |withdrawn| *withdrawn -= 1);
        self.withdrawals.end_task(id, wakes);
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
        for withdrawal in self.withdrawals.later(after) {
            let may_have_some = has_some || withdrawal.is_open;
            if gate.is_inside(withdrawal.node, node)
                || may_have_some && gate.is_inside(node, withdrawal.node)
            {
                withdrawal.add_latch(latch);
            }
        }
    }
}
