//! What changes in the state of the pool when a task ends.

use std::sync::Arc;

use crate::gate::NodeId;
use crate::pool::core::parts::record::Moment;
use crate::pool::core::state::{Exit, State};
use crate::task::{BoxTask, Complete, End, Slot};
use crate::wakes::Wakes;
use crate::worker::WorkerShared;

impl State {
    /// Passes the outcome of a task, which ends at this [moment](crate::pool::core::Core::time_of_end), to its handle.
    /// Then clears the inbox of its worker, which wakes the callers that wait for the end of the task. Returns `true` if
    /// the size of the pool has changed.
    #[inline(always)]
    pub(crate) fn complete(
        &mut self,
        worker: &WorkerShared,
        end: Option<End>,
        now: Option<Moment>,
        complete: Complete<'_>,
        wakes: &mut Wakes,
    ) -> bool {
        let is_resized = self.adapt(worker, end, now);
        wakes.add(complete());
        if !worker.is_clear() && worker.clear(end, wakes) {
            self.uncount_joining(self.gate.home(worker.slot()));
        }
        is_resized
    }

    /// Ends an active task, and starts the next task of its queue with the same worker, if no other task can be the
    /// next. Otherwise returns `None` and changes nothing.
    ///
    /// This has the same effect as ending the first task and [admitting](Self::admit) the second, and is how nearly all
    /// tasks end.
    #[inline]
    pub(crate) fn finish_into_next(
        &mut self,
        worker: &WorkerShared,
        end: Option<End>,
        wakes: &mut Wakes,
    ) -> Option<BoxTask> {
        // Where the pool serves several runtimes, the next task may need another worker.
        if self.serves_several {
            return None;
        }
        let end = end?;
        let ended = worker.slot();
        let (home, (slot, id, task)) = match self.gate.finish_into_next(ended) {
            Some(next) => (NodeId::ROOT, next),
            None if self.gate.takes_fast_path() => return None,
            None => (
                self.gate.home(ended),
                self.gate.finish_into_next_of_queue(ended)?,
            ),
        };
        let counts_first_polls = self.counts_first_polls();
        let is_started = u64::from(id.is_task() && !counts_first_polls);
        self.gate.each_data_from(home, |data| {
            data.stats.count(end);
            data.stats.started += is_started;
        });
        if counts_first_polls {
            worker.serve_unstarted(slot);
        } else {
            worker.serve(slot);
        }
        if !self.records.is_empty() {
            self.records.forget(ended, wakes);
        }
        self.tell_waiters(home, wakes);
        Some(task)
    }

    /// Ends an active task without options in a pool where no task waits, and returns its worker. Otherwise returns
    /// `None` and changes nothing.
    ///
    /// This has the same effect as [`finish_active`](Self::finish_active), and is how nearly all tasks without a
    /// successor end.
    #[inline]
    pub(crate) fn finish_last(
        &mut self,
        worker: &WorkerShared,
        end: Option<End>,
        wakes: &mut Wakes,
    ) -> Option<Option<Arc<WorkerShared>>> {
        if self.serves_several {
            return None;
        }
        let end = end?;
        let free = self.gate.finish_last(worker.slot())?;
        if !self.records.is_empty() {
            self.records.forget(worker.slot(), wakes);
        }
        self.gate.data_mut(NodeId::ROOT).stats.count(end);
        self.tell_waiters(NodeId::ROOT, wakes);
        Some(free)
    }

    /// Ends an active task, and returns its worker.
    #[inline]
    pub(crate) fn finish_active(
        &mut self,
        slot: Slot,
        end: Option<End>,
        wakes: &mut Wakes,
    ) -> Option<Arc<WorkerShared>> {
        let (worker, home) = self.gate.leave(slot);
        self.end(slot, home, end, wakes);
        worker
    }

    /// Ends a task that has not started.
    pub(crate) fn end_unstarted(&mut self, exit: Exit, end: Option<End>, wakes: &mut Wakes) {
        match exit {
            Exit::Withdrawn(slot, withdrawal) => {
                let home = self.gate.home(slot);
                self.end_withdrawn(withdrawal, home, wakes);
                self.gate.forget(slot);
                self.end(slot, home, end, wakes);
            }
            Exit::Refused(home) => {
                self.gate.let_go(home);
                self.count(home, end);
                self.left(home, wakes);
            }
        }
    }

    #[inline]
    fn end(&mut self, slot: Slot, home: NodeId, end: Option<End>, wakes: &mut Wakes) {
        if !self.records.is_empty() {
            self.records.forget(slot, wakes);
        }
        self.count(home, end);
        self.left(home, wakes);
    }

    /// Wakes the callers whose goal is reached now that a task has left, and removes the group if nothing is left in
    /// it.
    #[inline]
    pub(crate) fn left(&mut self, home: NodeId, wakes: &mut Wakes) {
        self.tell_waiters(home, wakes);
        if home != NodeId::ROOT && !self.gate.is_in_use(home) {
            self.end_group(home);
        }
    }

    #[inline]
    pub(crate) fn count(&mut self, home: NodeId, end: Option<End>) {
        if let Some(end) = end {
            self.gate.each_data_from(home, |data| data.stats.count(end));
        }
    }
}
