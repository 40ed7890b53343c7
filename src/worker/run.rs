use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::running::Entered;
use super::shared::{PermitState, WorkerShared};
use crate::budget::{Budget, Pace};
use crate::coop;
use crate::task::{BoxTask, Complete, End, Failure};
use crate::unwind::discard;
use crate::wakes::Wakes;

/// A future that runs tasks of a pool. The pool gives it to its [`Spawner`](crate::Spawner), to be polled to its end.
///
/// It polls the pool's tasks, one at a time, and ends when no task waits. It may be dropped before its end: the task
/// that it ran is then cancelled, and the permit passes on.
///
/// # Examples
///
/// ```
/// use aiopool::{AioPool, FnSpawner, Worker};
///
/// let pool = AioPool::with_spawner(4, FnSpawner(|worker: Worker| {
///     std::thread::spawn(move || futures::executor::block_on(worker));
/// }));
/// let sum = futures::executor::block_on(pool.exec(async { 1 + 2 }));
/// assert_eq!(sum.unwrap(), 3);
/// ```
#[must_use = "a worker does nothing until it is polled, and cancels its task when it is dropped"]
pub struct Worker {
    role: Role,
}

enum Role {
    Tasks(Tasks),
    /// Runs a future that is no task: it keeps the time of the pool, or ends very many tasks.
    Aside(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// The state of a worker that runs tasks.
struct Tasks {
    shared: Arc<WorkerShared>,
    /// The same, lent to the thread during a poll.
    running: Option<Arc<WorkerShared>>,
    /// `None` while the worker is idle, and after its end.
    task: Option<BoxTask>,
    /// Whether the task has been polled.
    polled: bool,
    /// Whether the worker has been polled.
    ran: bool,
    stay: Stay,
    /// How long the last tasks took.
    pace: Pace,
    /// Wakes the worker if it is idle, or if its tasks are long.
    wake_later: fn(&mut Context<'_>),
    /// The last waker that the worker has left in its shared state during a task's poll.
    known: Option<Waker>,
}

/// Which of its two polls without a task an idle worker is in.
#[derive(Clone, Copy)]
enum Stay {
    /// The worker waits for one more poll.
    First,
    /// The worker ends if it finds no task. Since its last poll, the runtime has looked at its timers and sockets, if
    /// it can be asked to, and has polled other tasks.
    Last,
}

/// Maximum number of tasks that a worker runs in one poll.
const TASKS_IN_A_POLL: u32 = 64;

impl Worker {
    pub(crate) fn new(shared: Arc<WorkerShared>, task: BoxTask) -> Self {
        let (running, task) = (Some(shared.clone()), Some(task));
        Self {
            role: Role::Tasks(Tasks {
                shared,
                running,
                task,
                polled: false,
                ran: false,
                stay: Stay::First,
                pace: Pace::default(),
                wake_later: |cx| cx.waker().wake_by_ref(),
                known: None,
            }),
        }
    }

    /// Makes a worker for a task that has been polled elsewhere.
    pub(crate) fn resume(shared: Arc<WorkerShared>, task: BoxTask) -> Self {
        let mut worker = Self::new(shared, task);
        if let Role::Tasks(tasks) = &mut worker.role {
            tasks.polled = true;
        }
        worker
    }

    /// Sets the function that wakes a worker after the runtime has looked at its timers and sockets. It is used before
    /// a long task, and while the worker is idle.
    #[cfg(feature = "tokio")]
    pub(crate) fn wake_later_by(mut self, wake: fn(&mut Context<'_>)) -> Self {
        if let Role::Tasks(tasks) = &mut self.role {
            tasks.wake_later = wake;
        }
        self
    }

    /// Makes a worker for a future that is no task.
    pub(crate) fn aside(future: impl Future<Output = ()> + Send + 'static) -> Self {
        let role = Role::Aside(Box::pin(future));
        Self { role }
    }
}

impl Future for Worker {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.role {
            Role::Tasks(tasks) => tasks.poll(cx),
            Role::Aside(future) => future.as_mut().poll(cx),
        }
    }
}

impl Tasks {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.ran = true;
        let _set_aside = coop::set_aside();
        let mut running = self.running.take();
        let entered = Entered::new(&mut running);
        let polled = self.poll_tasks(cx);
        drop(entered);
        self.running = running;
        polled
    }

    fn poll_tasks(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.task.is_none() {
            self.rejoin();
            if self.stays_idle() {
                (self.wake_later)(cx);
                return Poll::Pending;
            }
        }
        let mut budget = Budget::new(TASKS_IN_A_POLL, self.pace);
        loop {
            let held = self.shared.permit() == PermitState::Held;
            // The task stays in `self.task` while the waker is cloned: that is user code and may panic.
            let mode = match &mut self.task {
                None => return Poll::Ready(()),
                Some(_) if held => PollMode::WithPermit,
                Some(task) => PollMode::of_lending(&self.shared, task, cx),
            };
            if mode == PollMode::None {
                return Poll::Pending;
            }
            ready!(self.run(mode, cx));
            if self.stays_idle() {
                self.stay = Stay::First;
                break;
            }
            if self.task.is_some() && !budget.spend(&mut self.pace) {
                break;
            }
        }
        match self.pace {
            Pace::Short => cx.waker().wake_by_ref(),
            Pace::Long => (self.wake_later)(cx),
        }
        Poll::Pending
    }

    /// Returns `true` if the worker stays idle until its next poll. If another thread has handed it a task meanwhile,
    /// takes that task.
    #[inline(always)]
    fn stays_idle(&mut self) -> bool {
        if self.task.is_some() {
            return false;
        }
        let is_idle = self.shared.is_idle();
        if !is_idle {
            self.task = self.shared.take_handed();
        }
        is_idle
    }

    /// Ends the idle time, if this is the second poll without a task.
    fn rejoin(&mut self) {
        match std::mem::replace(&mut self.stay, Stay::Last) {
            Stay::First => {}
            Stay::Last => self.task = self.shared.scheduler().rejoin(&self.shared),
        }
    }

    /// Polls the task, or drops its future if it was asked to stop. When the task has ended, `self.task` is the next
    /// one.
    fn run(&mut self, mode: PollMode, cx: &mut Context<'_>) -> Poll<()> {
        let Some(mut task) = self.task.take() else {
            return Poll::Ready(());
        };
        self.shared.set_between(false);
        if mode == PollMode::ToTimeOut {
            return self.give_up(task, Failure::RAN_TOO_LONG);
        }
        let was_aborted = self.shared.is_aborted();
        if !was_aborted || task.as_mut().has_grace() {
            if self.shared.is_unstarted() && !task.leaves_its_worker() {
                self.shared.scheduler().begin(&self.shared);
            }
            coop::refill();
            match task.poll(cx, &mut |end, complete| self.finish(end, complete)) {
                Some(task) => (self.polled, self.task) = (true, Some(task)),
                None => return Poll::Ready(()),
            }
            if self.shared.is_in_first_poll() {
                self.shared.scheduler().end_first_poll(&self.shared);
            }
            let is_aborted = self.shared.sees_abort(&mut self.known, cx) || was_aborted;
            if !is_aborted || !self.is_out_of_grace(was_aborted, cx) {
                if self.shared.is_nested() {
                    self.suspend(mode, cx);
                }
                return Poll::Pending;
            }
            match self.task.take() {
                Some(aborted) => task = aborted,
                None => return Poll::Ready(()),
            }
        }
        self.give_up(task, Failure::Cancelled(self.shared.reason()))
    }

    /// Returns `true` if the time that the task may run on after an abort is over.
    ///
    /// A task with grace is polled at least once after the abort before this time is looked at.
    fn is_out_of_grace(&mut self, was_aborted: bool, cx: &mut Context<'_>) -> bool {
        let Some(task) = &mut self.task else {
            return false;
        };
        if !was_aborted && task.as_mut().has_grace() {
            cx.waker().wake_by_ref();
            return false;
        }
        task.as_mut().poll_grace(cx).is_ready()
    }

    #[cold]
    fn give_up(&mut self, task: BoxTask, failure: Failure) -> Poll<()> {
        task.give_up(failure.pack(), &mut |end, complete| {
            self.finish(end, complete);
        });
        Poll::Ready(())
    }

    fn finish(&mut self, end: Option<End>, complete: Complete<'_>) {
        self.polled = false;
        // Before the scheduler wakes wakers, whose code does not belong to the task.
        self.shared.set_between(true);
        self.task = self.shared.scheduler().finish(&self.shared, end, complete);
    }

    /// Lends the permit of a task that waits for its own pool, or asks for it back when the task waits no longer.
    #[cold]
    fn suspend(&mut self, mode: PollMode, cx: &mut Context<'_>) {
        let (shared, nested_waits) = (&self.shared, self.shared.nested_waits());
        match shared.permit() {
            PermitState::Held if mode == PollMode::InsideOfLend => {
                // The permit came back during this poll. The `lend` that saw it missing must look again.
                let mut wakes = Wakes::default();
                nested_waits.tell_returned(&mut wakes);
                wakes.wake();
                cx.waker().wake_by_ref();
            }
            PermitState::Held if nested_waits.wants_out() => {
                // Before the permit is free: the observers hear of this, and then of the task that gets it.
                if let Some(task) = &self.task {
                    task.lends();
                }
                shared.scheduler().lend(shared);
            }
            PermitState::Held if shared.is_just_back() => shared.scheduler().keep(shared),
            PermitState::Lent if nested_waits.wants_back() => shared.scheduler().come_back(shared),
            PermitState::Held | PermitState::Lent | PermitState::Returning => {}
        }
    }

    /// Ends a task that its worker cannot run any more.
    fn abandon(&self, task: BoxTask) {
        let failure = self.shared.left_by_runtime(self.polled);
        let mut finish = |end: Option<End>, complete: Complete<'_>| {
            self.shared.scheduler().abandon(&self.shared, end, complete);
        };
        task.give_up(failure.pack(), &mut finish);
    }
}

/// What a worker may do with its task in this poll.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PollMode {
    /// Wait: the permit is not there.
    None,
    WithPermit,
    /// Poll it without a permit, which is lent or on its way back.
    InsideOfLend,
    /// Drop it, since it was asked to stop.
    ToStop,
    /// Drop it, since it has run for too long.
    ToTimeOut,
}

impl PollMode {
    /// The mode for a task that does not hold its permit.
    #[cold]
    fn of_lending(shared: &WorkerShared, task: &mut BoxTask, cx: &mut Context<'_>) -> Self {
        if shared.nested_waits().is_lending() {
            return Self::InsideOfLend;
        }
        if shared.permit() == PermitState::Lent {
            // If `come_back` gives the permit at once, it need not wake the worker, which is here.
            discard(shared.unwatch());
            shared.scheduler().come_back(shared);
        }
        if shared.permit() == PermitState::Held {
            return Self::WithPermit;
        }
        shared.watch(cx.waker().clone());
        // Again, after the waker is left: the permit may have come back before there was a waker to wake.
        if shared.permit() == PermitState::Held {
            return Self::WithPermit;
        }
        if shared.is_aborted() && task.as_mut().poll_grace(cx).is_ready() {
            return Self::ToStop;
        }
        match task.as_mut().poll_expired(cx) {
            Poll::Ready(()) => Self::ToTimeOut,
            Poll::Pending => Self::None,
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        // An idle worker may have been handed a task since its last poll.
        let task = self
            .task
            .take()
            .or_else(|| self.shared.scheduler().rejoin(&self.shared));
        let Some(task) = task else { return };
        // A worker that was never polled was refused by the runtime, which may refuse another one as well. A worker
        // that was polled may have been dropped alone, so another one can run a task that was never polled.
        let left = if self.ran && !self.polled {
            self.shared.scheduler().relaunch(&self.shared, task)
        } else {
            Some(task)
        };
        if let Some(task) = left {
            self.abandon(task);
        }
    }
}
