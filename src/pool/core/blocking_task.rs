//! How a task runs where it may block its thread.
//!
//! ```text
//!               wants to block                               pending, and does not want to block
//!  at its worker ───────────▶ on a thread that it may block ─────────────────────────────────────▶ at a new worker
//!                                           │ ready
//!                                           ▼
//!                                     ended, there
//! ```

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::pool::core::Core;
use crate::pool::core::parts::blocks::Blocks;
use crate::spawner::Blocking;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::{BoxTask, Complete, End, Failure, Finish, Packed, Refusal, Start, Task};
use crate::unwind::shielded;
use crate::wakes::Wakes;
use crate::worker::{Entered, PermitState, WorkerShared, running};

/// A task that leaves its worker to run where it may block, and takes its permit along.
pub(crate) struct BlockingTask {
    /// `None` only during a poll.
    task: Option<BoxTask>,
    blocks: Blocks,
}

impl BlockingTask {
    pub(crate) fn boxed(task: BoxTask, blocks: Blocks) -> BoxTask {
        let task = Some(task);
        Box::pin(Self { task, blocks })
    }

    /// Returns `true` if the task has to wait for its permit before it may block: it was polled without one, inside of
    /// `lend`, and is not in `lend` any more.
    fn lacks_its_permit(worker: &WorkerShared) -> bool {
        worker.permit() != PermitState::Held && !worker.nested_waits().is_lending()
    }

    fn task(&mut self) -> Option<Pin<&mut (dyn Task + 'static)>> {
        self.task.as_mut().map(Pin::as_mut)
    }

    /// Polls the task here. Returns `false` if it has ended.
    fn poll_here(&mut self, cx: &mut Context<'_>, finish: Finish<'_>) -> bool {
        self.task = self.task.take().and_then(|task| task.poll(cx, finish));
        self.task.is_some()
    }
}

impl Task for BlockingTask {
    fn announce(&self, wakes: &mut Wakes) -> Start {
        let task = self.task.as_ref();
        task.map_or(Start::Silent, |task| task.announce(wakes))
    }

    fn lends(&self) {
        if let Some(task) = &self.task {
            task.lends();
        }
    }

    fn leaves_its_worker(&self) -> bool {
        match &self.blocks {
            Blocks::AtFirstPoll => true,
            Blocks::WhenSet(wants) => wants.load(Relaxed),
            Blocks::NoMore => false,
        }
    }

    fn poll(mut self: Pin<Box<Self>>, cx: &mut Context<'_>, finish: Finish<'_>) -> Option<BoxTask> {
        if !self.blocks.take() {
            if !self.poll_here(cx, finish) {
                return None;
            }
            if !self.blocks.take() {
                return Some(self);
            }
        }
        match running() {
            // The worker asks for the permit before it polls the task again.
            Some(worker) if Self::lacks_its_permit(&worker) => {
                self.blocks.put_back();
                cx.waker().wake_by_ref();
                return Some(self);
            }
            Some(worker) => Away::new(worker, self).depart(),
            None => self.give_up(Failure::Rejected(Refusal::RuntimeGone).pack(), finish),
        }
        None
    }

    fn has_grace(mut self: Pin<&mut Self>) -> bool {
        self.task().is_some_and(|task| task.has_grace())
    }

    fn poll_grace(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.task()
            .map_or(Poll::Ready(()), |task| task.poll_grace(cx))
    }

    fn poll_expired(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.task()
            .map_or(Poll::Pending, |task| task.poll_expired(cx))
    }

    fn give_up(mut self: Pin<Box<Self>>, failure: Packed, finish: Finish<'_>) {
        if let Some(task) = self.task.take() {
            task.give_up(failure, finish);
        }
    }
}

/// A task on a thread that it may block, or on its way to that thread.
struct Away {
    worker: Arc<WorkerShared>,
    task: Option<Pin<Box<BlockingTask>>>,
}

impl Away {
    fn new(worker: Arc<WorkerShared>, task: Pin<Box<BlockingTask>>) -> Self {
        let task = Some(task);
        Self { worker, task }
    }

    fn depart(self) {
        let worker = self.worker.clone();
        if worker.is_just_back() {
            // From here on nobody knows how long the task keeps its permit.
            worker.scheduler().keep(&worker);
        }
        let work = Blocking::new(move || self.run());
        if let Some(core) = Core::of(&worker) {
            shielded(|| core.spawner().spawn_blocking(work));
        }
    }

    /// Runs the task until it ends, or wants to block no longer.
    fn run(mut self) {
        let Some(mut task) = self.task.take() else {
            return;
        };
        let mut running = Some(self.worker.clone());
        let entered = Entered::new(&mut running);
        if self.worker.is_aborted() && !Pin::new(&mut *task).has_grace() {
            let failure = Failure::Cancelled(self.worker.reason());
            return task.give_up(failure.pack(), &mut self.finish());
        }
        if self.worker.is_unstarted() {
            self.worker.scheduler().begin(&self.worker);
        }
        let (mut finish, mut cx) = (self.finish(), Context::from_waker(Waker::noop()));
        loop {
            if !task.poll_here(&mut cx, &mut finish) {
                return;
            }
            if !task.blocks.take() {
                break;
            }
        }
        drop(entered);
        self.worker.scheduler().resume(&self.worker, task);
    }

    fn finish(&self) -> impl FnMut(Option<End>, Complete<'_>) + use<> {
        let worker = self.worker.clone();
        move |end, complete| worker.scheduler().abandon(&worker, end, complete)
    }
}

impl Drop for Away {
    /// Ends a task that was not taken to a thread: the runtime is gone, or has refused it.
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            let failure = self.worker.left_by_runtime(!self.worker.is_unstarted());
            task.give_up(failure.pack(), &mut self.finish());
        }
    }
}
