//! How a new task comes into the pool, or is refused.

use std::sync::Arc;

use crate::gate::{Demand, NodeId};
use crate::pool::core::Core;
use crate::pool::core::arrival::Arrival;
use crate::pool::core::blocking_task::BlockingTask;
use crate::pool::core::dispatch::LAUNCHES;
use crate::pool::core::order::{Order, Patience};
use crate::pool::core::parts::record::TaskRecord;
use crate::pool::core::parts::runtime::Runtime;
use crate::pool::core::state::{Exit, State};
use crate::task::{Body, BoxTask, Extras, Failure, Refusal, Shared, Slot};

impl Core {
    /// Accepts a new task, and starts it if a permit is free.
    ///
    /// # Errors
    ///
    /// Returns the body if the task may neither start nor wait. A `try_spawn` counts as refused then.
    pub(crate) fn submit<F, X>(
        &self,
        shared: &mut Arc<Shared<F::Output>>,
        mut body: Box<Body<F, X>>,
        order: &mut Order,
    ) -> Result<(), (Refusal, Box<Body<F, X>>)>
    where
        F: Future<Output: Send> + Send + 'static,
        X: Extras + 'static,
    {
        let Order {
            home,
            demand,
            ref mut record,
            ref mut blocks,
            patience,
            ..
        } = *order;
        let Arrival {
            unused: _unused,
            runtime,
            mut state,
        } = self.lock_for_newcomer();
        if let Some(refusal) = self.refusal(&state, home, demand, patience) {
            if patience == Patience::Try {
                state.count_refused(home);
            }
            return Err((refusal, body));
        }
        let record = noted(record.take(), runtime);
        state.park(home, demand, record, |id, slot| {
            body.place(shared, id, slot, false);
            let task: BoxTask = Box::into_pin(body);
            match blocks.take() {
                None => task,
                Some(blocks) => BlockingTask::boxed(task, blocks),
            }
        });
        self.dispatch(state);
        Ok(())
    }

    /// Submits a task without options to the root on the fast path, which nearly all tasks take.
    ///
    /// Returns the body if the task has to go through [`submit`](Self::submit).
    #[inline]
    pub(crate) fn submit_fast<F, X>(
        &self,
        shared: &mut Arc<Shared<F::Output>>,
        mut body: Box<Body<F, X>>,
    ) -> Option<Box<Body<F, X>>>
    where
        F: Future<Output: Send> + Send + 'static,
        X: Extras + 'static,
    {
        let here = self.spawner().runtime_here();
        if let Some(place) = self.buffer.place(here) {
            // It gets its slot when it is put into the queue.
            place.fill(|id| {
                body.place(shared, id, Slot::NOWHERE, false);
                Box::into_pin(body)
            });
            return None;
        }
        let (mut state, was_contended) = self.lock_to_submit();
        if self.settings.max_waiting.is_some() || !state.takes_fast_path() || !state.is_main(here) {
            return Some(body);
        }
        if let Some(worker) = state.take_idle_worker() {
            let (id, slot) = state.start(&worker);
            body.place(shared, id, slot, true);
            worker.hand(Box::into_pin(body));
            return None;
        }
        let is_ready = state.park_fast(|id, slot| {
            body.place(shared, id, slot, false);
            Box::into_pin(body) as BoxTask
        });
        if is_ready {
            self.start_ready(state, LAUNCHES);
        } else if was_contended {
            self.open_buffer(&state);
        }
        None
    }

    /// Counts a new task that was not accepted, and ends it.
    pub(crate) fn reject<F, X>(
        &self,
        shared: &mut Arc<Shared<F::Output>>,
        mut body: Box<Body<F, X>>,
        home: NodeId,
        refusal: Refusal,
    ) where
        F: Future<Output: Send> + Send + 'static,
        X: Extras + 'static,
    {
        let id = self.lock().refuse(home);
        body.place(shared, id, Slot::NOWHERE, false);
        let failure = Failure::Rejected(refusal).pack();
        self.end_unstarted(Exit::Refused(home), Box::into_pin(body), failure, None);
    }

    /// Returns why a new task may neither start nor wait, or `None` if it may.
    #[inline(always)]
    pub(crate) fn refusal(
        &self,
        state: &State,
        home: NodeId,
        demand: Demand,
        patience: Patience,
    ) -> Option<Refusal> {
        if state.is_closed(home) {
            return Some(Refusal::Closed);
        }
        if demand.weight > 1 && !state.gate.can_carry(home, demand.weight) {
            return Some(Refusal::TooHeavy);
        }
        let may_wait = match patience {
            Patience::Stand => true,
            Patience::Park => state.may_wait(home),
            Patience::Try => state.is_bounded(home) && state.may_wait(home),
        };
        (!may_wait && !state.gate.has_room(home, demand)).then_some(Refusal::Full)
    }
}

/// Notes the runtime of a task, if it is not the main one, in the record of the task.
#[inline]
fn noted(record: Option<TaskRecord>, runtime: Option<Runtime>) -> Option<TaskRecord> {
    match record {
        Some(record) => Some(TaskRecord { runtime, ..record }),
        None => TaskRecord::of_runtime(runtime),
    }
}
