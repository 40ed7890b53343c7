use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::running::Entered;
use super::shared::{PermitState, WorkerShared};
use crate::budget::{Budget, Pace};
use crate::coop;
use crate::task::{BoxTask, End, Failure, Reason, Rejection, Settle};
use crate::unwind::discard;
use crate::wakes::Wakes;

/// What a pool gives to its [`Spawner`](crate::Spawner): a future to be polled to its end.
///
/// It polls the pool's tasks, one at a time, and ends when none waits. Dropping
/// it before its end is allowed, and noticed: the task that it ran is cancelled,
/// and its permit passes on.
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
    /// Does what is no task: it keeps the time of its pool, or ends very many tasks.
    Aside(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// Runs tasks.
struct Tasks {
    shared: Arc<WorkerShared>,
    /// The same, to be lent to the thread during a poll.
    running: Option<Arc<WorkerShared>>,
    /// `None` while the worker is idle, and after its end.
    task: Option<BoxTask>,
    /// Whether the task has been polled.
    polled: bool,
    /// Whether the worker has.
    ran: bool,
    stay: Stay,
    /// Of the tasks that it runs.
    pace: Pace,
    /// Wakes a worker that is idle, or whose tasks are long.
    wake_later: fn(&mut Context<'_>),
    /// The waker that the worker has left in its shared state.
    known: Option<Waker>,
}

/// Whom a worker asks when its task has ended.
pub(crate) trait Scheduler: Send + Sync {
    /// Makes the end known, and gives the permit to the next task, which is returned.
    ///
    /// If there is none, the shared state says whether the worker stays idle for a moment.
    fn finish(&self, shared: &WorkerShared, end: End, settle: Settle<'_>) -> Option<BoxTask>;

    /// Ends the idle time: with a task, or without.
    fn rejoin(&self, shared: &Arc<WorkerShared>) -> Option<BoxTask>;

    /// Gives a task that has not been polled, and whose worker was dropped, to a new worker. Returns it if it was
    /// asked to stop meanwhile.
    fn relaunch(&self, shared: &Arc<WorkerShared>, task: BoxTask) -> Option<BoxTask>;

    /// Makes known the end of a task whose worker was dropped; others go on with its permit.
    fn abandon(&self, shared: &WorkerShared, end: End, settle: Settle<'_>);

    /// Counts a task as started that is about to be polled for the first time.
    fn begin(&self, shared: &WorkerShared);

    /// Gives the permit of a suspended task to others.
    fn lend(&self, shared: &WorkerShared);

    /// Asks for the permit again. The shared state says when it is back, and the worker is woken.
    fn come_back(&self, shared: &WorkerShared);

    fn as_any(&self) -> &dyn Any;
}

/// In which of its two polls without a task a worker is.
#[derive(Clone, Copy)]
enum Stay {
    First,
    /// The runtime has looked at its timers and sockets since, if it can be asked to, and has polled others.
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

    /// Lets the runtime look at its timers and sockets before the next long task: `wake` wakes after that.
    #[cfg(feature = "tokio")]
    pub(crate) fn wake_later_by(mut self, wake: fn(&mut Context<'_>)) -> Self {
        if let Role::Tasks(tasks) = &mut self.role {
            tasks.wake_later = wake;
        }
        self
    }

    /// A worker for what is no task.
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
            // It lies here while the waker is cloned, which is foreign code and may panic.
            let leave = match &mut self.task {
                None => return Poll::Ready(()),
                Some(_) if held => PollMode::WithPermit,
                Some(task) => PollMode::of_lending(&self.shared, task, cx),
            };
            if leave == PollMode::None {
                return Poll::Pending;
            }
            ready!(self.run(leave, cx));
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

    /// Returns `true` if the worker stays idle until its next poll. If another thread has handed it a task meanwhile, takes
    /// that.
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

    /// Looks for a task after a poll without one.
    fn rejoin(&mut self) {
        match std::mem::replace(&mut self.stay, Stay::Last) {
            Stay::First => {}
            Stay::Last => self.task = self.shared.scheduler().rejoin(&self.shared),
        }
    }

    /// Polls the task, or drops its future if it was asked to stop. When it has ended, its successor is here.
    fn run(&mut self, leave: PollMode, cx: &mut Context<'_>) -> Poll<()> {
        let Some(mut task) = self.task.take() else {
            return Poll::Ready(());
        };
        self.shared.set_between(false);
        if leave == PollMode::ToTimeOut {
            return self.give_up(task, Failure::RAN_TOO_LONG);
        }
        let was_asked = self.shared.is_aborted();
        if !was_asked || task.as_mut().has_grace() {
            if self.shared.is_unstarted() && !task.leaves_its_worker() {
                self.shared.scheduler().begin(&self.shared);
            }
            coop::refill();
            match task.poll(cx, &mut |end, settle| self.finish(end, settle)) {
                Some(task) => (self.polled, self.task) = (true, Some(task)),
                None => return Poll::Ready(()),
            }
            let is_asked = self.shared.is_asked(&mut self.known, cx) || was_asked;
            if !is_asked || !self.is_out_of_grace(was_asked, cx) {
                if self.shared.is_nested() {
                    self.suspend(leave, cx);
                }
                return Poll::Pending;
            }
            match self.task.take() {
                Some(asked) => task = asked,
                None => return Poll::Ready(()),
            }
        }
        self.give_up(task, Failure::Cancelled(self.shared.reason()))
    }

    /// A task with grace is polled at least once after it was asked to stop, before its time is looked at.
    fn is_out_of_grace(&mut self, was_asked: bool, cx: &mut Context<'_>) -> bool {
        let Some(task) = &mut self.task else {
            return false;
        };
        if !was_asked && task.as_mut().has_grace() {
            cx.waker().wake_by_ref();
            return false;
        }
        task.as_mut().poll_grace(cx).is_ready()
    }

    #[cold]
    fn give_up(&mut self, task: BoxTask, failure: Failure) -> Poll<()> {
        task.give_up(failure.pack(), &mut |end, settle| self.finish(end, settle));
        Poll::Ready(())
    }

    fn finish(&mut self, end: End, settle: Settle<'_>) {
        self.polled = false;
        self.shared.set_between(true);
        self.task = self.shared.scheduler().finish(&self.shared, end, settle);
    }

    /// Lends the permit of a task that waits for its own pool, or takes it back for one that does no longer.
    #[cold]
    fn suspend(&mut self, leave: PollMode, cx: &mut Context<'_>) {
        let (shared, nested_waits) = (&self.shared, self.shared.nested_waits());
        match shared.permit() {
            PermitState::Held if leave == PollMode::InsideOfLend => {
                // It came back during the poll: what saw it missing is to look again.
                let mut wakes = Wakes::default();
                nested_waits.tell_returned(&mut wakes);
                wakes.wake();
                cx.waker().wake_by_ref();
            }
            PermitState::Held if nested_waits.wants_out() => shared.scheduler().lend(shared),
            PermitState::Lent if nested_waits.wants_back() => shared.scheduler().come_back(shared),
            PermitState::Held | PermitState::Lent | PermitState::Returning => {}
        }
    }

    /// Ends a task that its worker can run no further.
    fn abandon(&self, task: BoxTask) {
        // One that was asked to stop does, wherever it has come to.
        let failure = match self.polled || self.shared.is_aborted() {
            true => Failure::Cancelled(self.shared.reason().or_else(runtime_ended)),
            false => Failure::Rejected(Rejection::RuntimeGone),
        };
        let mut finish = |end: End, settle: Settle<'_>| {
            self.shared.scheduler().abandon(&self.shared, end, settle)
        };
        task.give_up(failure.pack(), &mut finish);
    }
}

/// What may be done with a task now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PollMode {
    None,
    WithPermit,
    /// Its permit is lent, or on its way back.
    InsideOfLend,
    ToStop,
    ToTimeOut,
}

impl PollMode {
    /// For a task without its permit: it is polled inside of `lend`, or given up.
    #[cold]
    fn of_lending(shared: &WorkerShared, task: &mut BoxTask, cx: &mut Context<'_>) -> Self {
        if shared.nested_waits().is_lending() {
            return Self::InsideOfLend;
        }
        if shared.permit() == PermitState::Lent {
            // Whoever gives the permit at once need not wake the one who asks.
            discard(shared.unwatch());
            shared.scheduler().come_back(shared);
        }
        if shared.permit() == PermitState::Held {
            return Self::WithPermit;
        }
        shared.watch(cx.waker().clone());
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
        let task = self
            .task
            .take()
            .or_else(|| self.shared.scheduler().rejoin(&self.shared));
        let Some(task) = task else { return };
        // A worker that was never polled has been refused. Any other may have been dropped alone.
        let left = match self.ran && !self.polled {
            true => self.shared.scheduler().relaunch(&self.shared, task),
            false => Some(task),
        };
        if let Some(task) = left {
            self.abandon(task);
        }
    }
}

fn runtime_ended() -> Reason {
    Some(Box::new("its runtime has ended, or has dropped it".into()))
}
