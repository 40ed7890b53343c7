//! Stopping all tasks of a pool or group.
//!
//! A `Sweep` takes what waits out of the queue, and asks what runs to stop, with the pool locked for a moment only. The
//! withdrawn tasks are the `Rest`, which ends them when nothing is locked, some of them in each poll.

use std::future::poll_fn;
use std::iter::Flatten;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use crate::coop;
use crate::gate::{Content, NodeId, Ticket};
use crate::lock::Lock;
use crate::pool::Core;
use crate::pool::core::parts::withdrawals::WithdrawalId;
use crate::pool::core::state::{Exit, State};
use crate::pool::core::walk::Walk;
use crate::task::{BoxTask, EntryId, Packed, PoolRef, Reason, Slot, TaskState};
use crate::wakes::{Wakes, wake};
use crate::worker::{Latch, Worker};

/// Which tasks are stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    Waiting,
}

impl Core {
    /// Stops tasks, and waits until all of them have ended. Returns how many were cancelled by this call.
    pub(crate) async fn stop(&self, node: NodeId, which: Which) -> usize {
        let latch = Arc::new(Latch::default());
        let swept = self.sweep(node, which, Some(&latch));
        self.end(Rest::new(self.me(), swept, latch.clone())).await;
        Stopping { core: self, latch }.await
    }

    /// Stops all tasks. When this returns, the waiting ones have ended, unless their ends are postponed (see
    /// [`nesting`](crate::nesting)). Returns how many tasks were aborted.
    pub(crate) fn stop_at_once(&self, node: NodeId) -> usize {
        let swept = self.sweep(node, Which::All, None);
        for (slot, task) in swept.withdrawn.into_iter().flatten() {
            let exit = Exit::Withdrawn(slot, swept.withdrawal);
            self.end_unstarted(exit, task, Packed::STOPPED, None);
        }
        swept.aborted
    }

    fn sweep(&self, node: NodeId, which: Which, latch: Option<&Arc<Latch>>) -> Swept {
        let mut state = self.lock();
        let mut sweep = Sweep::begin(&mut state, node, latch);
        let mut walk = Walk::new(&state, node);
        let (mut found, mut is_more) = (Vec::new(), true);
        while is_more {
            is_more = walk.part(&state, &mut found);
            sweep.abort(&state, &found, which);
            sweep.withdraw(&mut state, &found);
            found.clear();
            if is_more {
                state = self.give_way(state);
            }
        }
        let (swept, wakes) = sweep.finish(&mut state);
        self.dispatch(state);
        wakes.wake();
        swept
    }

    /// Ends the rest. If that takes more than one poll, a worker goes on with it, even if the caller is not polled
    /// again.
    async fn end(&self, rest: Rest) {
        let rest = Arc::new(rest);
        let mut aside = Some(rest.clone());
        poll_fn(|cx| {
            let polled = rest.poll_end(cx);
            if let Some(rest) = aside.take().filter(|_| polled.is_pending()) {
                self.launch(Worker::aside(poll_fn(move |cx| rest.poll_end(cx))));
            }
            polled
        })
        .await;
    }
}

/// The result of a sweep.
struct Swept {
    withdrawal: WithdrawalId,
    withdrawn: Parts,
    /// Number of tasks that were withdrawn, or were active and aborted for the first time.
    aborted: usize,
}

/// Tasks that have been taken out of the queue.
///
/// In parts: a single vector would move very many tasks when it grows, with the pool locked.
type Parts = Vec<Part>;

type Part = Vec<(Slot, BoxTask)>;

/// Stops all tasks of a pool or group, in parts. No task starts meanwhile, and no user code runs.
struct Sweep<'l> {
    node: NodeId,
    /// New tasks and feeds, which are not stopped, have a later ticket.
    begun: Ticket,
    withdrawal: WithdrawalId,
    latch: Option<&'l Arc<Latch>>,
    withdrawn: Parts,
    /// Number of tasks that were withdrawn, or were active and aborted for the first time.
    aborted: usize,
    wakes: Wakes,
}

impl<'l> Sweep<'l> {
    fn begin(state: &mut State, node: NodeId, latch: Option<&'l Arc<Latch>>) -> Self {
        if let Some(latch) = latch {
            // Before this sweep opens its own withdrawal: `Rest` lets the latch wait for the tasks of that one.
            state.await_withdrawn(node, latch, None);
        }
        state.gate.hold(node);
        state.gate.data_mut(node).stops += 1;
        Self {
            node,
            begun: state.gate.last_ticket(),
            withdrawal: state.open_withdrawal(node),
            latch,
            withdrawn: Vec::new(),
            aborted: 0,
            wakes: Wakes::default(),
        }
    }

    /// Takes waiting tasks and feeds out of the queue, except for new ones.
    fn withdraw(&mut self, state: &mut State, found: &[(Slot, EntryId)]) {
        let mut part = Vec::new();
        for (slot, id) in found {
            if state.gate.ticket(*slot) <= self.begun {
                let task = state.withdraw_with(self.withdrawal, *slot);
                self.aborted += usize::from(task.is_some() && id.is_task());
                part.extend(task.map(|task| (*slot, task)));
            }
        }
        self.withdrawn.push(part);
    }

    /// Asks what runs to stop: tasks and feeds, but not code that runs in place. If only waiting tasks are stopped,
    /// asks the feeds that wait for a stream at a worker.
    ///
    /// No new task starts during the sweep. An active task with a new number is the task of a feed that was there
    /// before.
    fn abort(&mut self, state: &State, found: &[(Slot, EntryId)], which: Which) {
        let is_meant = |(slot, id): &&(Slot, EntryId)| match which {
            _ if *id == EntryId::ELSEWHERE => false,
            Which::All => true,
            Which::Waiting => {
                !id.is_task() && state.gate.progress(*slot, *id) == TaskState::Waiting
            }
        };
        for (slot, id) in found.iter().filter(is_meant) {
            if let Some(Content::Active(Some(worker))) = state.gate.get(*slot, *id) {
                let first = worker.abort(Reason::Stopped, &mut self.wakes);
                self.aborted += usize::from(first && id.is_task());
                if let Some(latch) = self.latch {
                    worker.add_latch(latch, first);
                }
            }
        }
    }

    /// Lets tasks start again. Returns what is to be done after unlocking.
    fn finish(mut self, state: &mut State) -> (Swept, Wakes) {
        if let Some(latch) = self.latch {
            // What others have withdrawn between two parts was not there any more for this sweep.
            state.await_withdrawn(self.node, latch, Some(self.withdrawal));
        }
        state.gate.release(self.node);
        state.close_withdrawal(self.withdrawal, &mut self.wakes);
        let swept = Swept {
            withdrawal: self.withdrawal,
            withdrawn: self.withdrawn,
            aborted: self.aborted,
        };
        (swept, self.wakes)
    }
}

/// The tasks of a sweep that have not ended. Each poll ends some of them; a drop ends all that are left.
struct Rest {
    core: Arc<Core>,
    withdrawal: WithdrawalId,
    withdrawn: Lock<Flatten<vec::IntoIter<Part>>>,
    /// Waits for each of these tasks.
    latch: Arc<Latch>,
}

impl Rest {
    fn new(core: Arc<Core>, swept: Swept, latch: Arc<Latch>) -> Self {
        latch.add(swept.withdrawn.iter().map(Vec::len).sum());
        Self {
            core,
            withdrawal: swept.withdrawal,
            withdrawn: Lock::new(swept.withdrawn.into_iter().flatten()),
            latch,
        }
    }

    fn poll_end(&self, cx: &Context<'_>) -> Poll<()> {
        coop::poll_steps(cx, || self.end_one())
    }

    /// Ends one task. Returns `false` if none is left.
    fn end_one(&self) -> bool {
        // Bound first: the lock is free again when the task ends, which runs user code.
        let next = self.withdrawn.lock().next();
        let Some((slot, task)) = next else {
            return false;
        };
        let exit = Exit::Withdrawn(slot, self.withdrawal);
        // If the end is postponed, the latch waits for that, too.
        let is_cancelled = self
            .core
            .end_unstarted(exit, task, Packed::STOPPED, Some(&self.latch));
        wake(self.latch.count_down(is_cancelled));
        true
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        while self.end_one() {}
    }
}

/// Waits until all tasks have ended that were active, or that another caller had withdrawn.
struct Stopping<'c> {
    core: &'c Core,
    latch: Arc<Latch>,
}

impl Future for Stopping<'_> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        match self.latch.result() {
            Some(cancelled) => Poll::Ready(cancelled),
            None => self.latch.poll(self.core.waker(cx)),
        }
    }
}

impl Drop for Stopping<'_> {
    /// Takes the waker away. The tasks that are stopping keep the latch.
    fn drop(&mut self) {
        self.latch.hush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::AioPool;
    use crate::spawner::FnSpawner;
    use crate::task::JoinHandle;

    #[test]
    fn a_task_that_another_caller_withdraws_meanwhile_is_waited_for() {
        let pool = AioPool::with_spawner(1, FnSpawner(std::mem::forget));
        let tasks = pool.map_n(0..5_000, |_| async {});
        let (core, latch) = (pool.core(), Arc::new(Latch::default()));
        let mut state = core.lock();
        let sweep = Sweep::begin(&mut state, pool.node(), Some(&latch));
        let taken = state.withdraw(tasks[4_000].slot());
        let (exit, task) = taken.expect("it waits");
        let (swept, wakes) = sweep.finish(&mut state);
        drop(state);
        wakes.wake();
        drop(Rest::new(core.me(), swept, latch.clone()));
        assert_eq!(latch.result(), None, "its future has not been dropped");
        core.end_unstarted(exit, task, Packed::STOPPED, None);
        assert_eq!(latch.result(), Some(0));
    }

    #[test]
    fn what_is_submitted_between_two_parts_stays_wherever_its_slot_is() {
        for in_group in [false, true] {
            let pool = AioPool::with_spawner(1, FnSpawner(std::mem::forget));
            let home = if in_group {
                pool.group("group", 1).expect("no other has this name")
            } else {
                pool.clone()
            };
            let _active = home.spawn_n(std::future::pending::<()>());
            let old_feed = home.feed(0..3, |_| async {});
            let tasks = home.map_n(0..5_000, |_| async {});
            // Their slots are free, and far from the first part.
            tasks[4_000..4_010].iter().for_each(|task| _ = task.abort());

            let core = home.core();
            let mut state = core.lock();
            let mut sweep = Sweep::begin(&mut state, home.node(), None);
            let mut walk = Walk::new(&state, home.node());
            let mut is_more = true;
            let mut new = None;
            while is_more {
                let mut found = Vec::new();
                is_more = walk.part(&state, &mut found);
                sweep.withdraw(&mut state, &found);
                drop(state);
                new.get_or_insert_with(|| {
                    let feed = home.feed(0..3, |_| async {});
                    (feed, home.map_n(0..5, |_| async {}))
                });
                state = core.lock();
            }
            let (swept, wakes) = sweep.finish(&mut state);
            drop(state);
            wakes.wake();
            drop(Rest::new(core.me(), swept, Arc::default()));

            let (new_feed, new_tasks) = new.expect("there was a part");
            assert!(old_feed.is_finished() && !new_feed.is_finished());
            assert!(tasks.iter().all(JoinHandle::is_finished));
            assert!(new_tasks.iter().all(|task| !task.is_finished()));
        }
    }
}
