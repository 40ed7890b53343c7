use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::{End, Failure, Outcome, Packed, Shared, Slot, TaskId};
use crate::unwind::{Payload, caught, discard, shielded};
use crate::wakes::Wakes;

/// A task of any type: it waits in the queue, and then a worker polls it.
///
/// `poll` and `give_up` run user code: call them with no lock held.
pub(crate) trait Task: Send {
    /// Tells the `spawn` that waits for it, if there is one, that the task has got its permit. Returns
    /// [`Start::Announced`] if there is one.
    fn announce(&self, wakes: &mut Wakes) -> Start;

    /// Gives the task its slot, if it was placed without one. Called under the pool's lock.
    fn settle(self: Pin<&Self>, _: Slot) {}

    /// Tells the extras that the task starts. The first poll of the task does this by itself.
    fn begin(self: Pin<&mut Self>) {}

    /// Polls the future. Returns the task if it stays with its worker. Returns `None` if it has ended, and `finish` has
    /// been called, or if it has [left its worker](Self::leaves_its_worker), and will end elsewhere.
    #[must_use = "a task that is dropped here never ends"]
    fn poll(self: Pin<Box<Self>>, cx: &mut Context<'_>, finish: Finish<'_>) -> Option<BoxTask>;

    /// Tells the extras that the task, which is suspended, is about to lend its permit.
    fn lends(&self) {}

    /// Returns `true` if the task runs elsewhere. Its first poll then only takes it there, and does not count as its
    /// start.
    fn leaves_its_worker(&self) -> bool {
        false
    }

    /// Returns `true` if the task, which was asked to stop, is polled on for a while. This time begins with the first
    /// call.
    fn has_grace(self: Pin<&mut Self>) -> bool {
        false
    }

    /// Returns `Ready` when a task that was asked to stop is to be dropped.
    fn poll_grace(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Returns `Ready` when the task has run for too long. Does not poll the future.
    fn poll_expired(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    /// Drops the unfinished future, then calls `finish`.
    fn give_up(self: Pin<Box<Self>>, failure: Packed, finish: Finish<'_>);
}

/// A boxed task. It moves from the queue to its worker.
pub(crate) type BoxTask = Pin<Box<dyn Task>>;

/// A function that makes the end of a task known. It is called once, when the future has been dropped. `None` is the end
/// of something that was no task, such as the source of a feed.
pub(crate) type Finish<'a> = &'a mut dyn FnMut(Option<End>, Complete<'_>);

/// A function that leaves the outcome to the handle. It is called under the pool's lock, and returns the waker to wake
/// after that.
pub(crate) type Complete<'a> = &'a mut dyn FnMut() -> Option<Waker>;

/// What a task has beyond its future.
pub(crate) trait Extras: Default + Send {
    /// Called when the task has got its permit, possibly under the pool's lock.
    fn admitted(&self, wakes: &mut Wakes) -> Start;
    /// Called before each poll of the future. The first call is the start of the task.
    fn begin(&mut self, _: TaskId) {}
    /// Returns `Ready` when the task has run for too long. Called when the future is pending, so a value that is ready
    /// wins.
    fn poll_expired(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
    /// Returns `true` if a task that was asked to stop is polled on for a while. This time begins with the first call.
    fn has_grace(&mut self) -> bool {
        false
    }
    /// Returns `Ready` when a task that was asked to stop is to be dropped.
    fn poll_grace(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
    /// Polls the future of the task by `poll`.
    #[inline(always)]
    fn poll<R>(&self, _: TaskId, poll: impl FnOnce() -> R) -> R {
        poll()
    }
    /// Called when the task, which is suspended, is about to lend its permit.
    fn lends(&self, _: TaskId) {}
    /// Drops the future of the task by `drop`.
    #[inline(always)]
    fn drop_future(&self, _: TaskId, drop: impl FnOnce()) {
        drop();
    }
    /// Called when the future has been dropped, before the end of the task is made known.
    fn ended(self, _: TaskId, _: End) {}
}

/// Whether a `spawn` waits for the start of the task. `spawn_n` does not wait for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Start {
    #[default]
    Silent,
    Announced,
}

/// The extras of a task without options. They take no room and do nothing.
#[derive(Default)]
pub(crate) struct NoExtras;

impl Extras for NoExtras {
    fn admitted(&self, _: &mut Wakes) -> Start {
        Start::Silent
    }
}

/// The extras of a task without options whose `spawn` waits for its start.
#[derive(Default)]
pub(crate) struct Announced;

impl Extras for Announced {
    fn admitted(&self, _: &mut Wakes) -> Start {
        Start::Announced
    }
}

/// Where the outcome of a task goes.
pub(crate) trait Receiver<T>: Send {
    /// Returns the number of the task.
    fn id(&self) -> TaskId;

    /// Notes that the task has its permit. Returns the waker to wake for that when no lock is held.
    fn announce(&self) -> Option<Waker> {
        None
    }

    /// Notes the slot of the task, if it was placed without one. Called under the pool's lock.
    fn settle(&self, _: Slot) {}

    /// Returns `true` if the outcome has no reader.
    fn has_no_reader(&self) -> bool;

    /// Takes the outcome, if it is still there, and how the task has ended. Called under the pool's lock. Returns the
    /// waker to wake after that.
    fn complete(&self, end: End, outcome: &mut Option<Outcome<T>>) -> Option<Waker>;
}

impl<T: Send> Receiver<T> for Arc<Shared<T>> {
    fn id(&self) -> TaskId {
        (**self).id()
    }

    fn announce(&self) -> Option<Waker> {
        (**self).announce()
    }

    fn settle(&self, slot: Slot) {
        (**self).settle(slot);
    }

    fn has_no_reader(&self) -> bool {
        // The handle is gone.
        Arc::strong_count(self) == 1
    }

    fn complete(&self, _: End, outcome: &mut Option<Outcome<T>>) -> Option<Waker> {
        (**self).complete(outcome)
    }
}

pin_project! {
    /// The user's future, and what only the worker of the task needs.
    pub(crate) struct Body<F: Future, X, R = Arc<Shared<<F as Future>::Output>>> {
        // Set when the task gets its number. `conclude` takes it out, and the extras, since both outlive the future.
        receiver: Option<R>,
        extras: X,
        #[pin]
        future: F,
    }
}

impl<F: Future, X, R> Body<F, X, R> {
    /// Boxes a future. Call it as early as possible: each move of a large future takes its size on the stack.
    pub(crate) fn boxed(future: F, extras: X) -> Box<Self> {
        let receiver = None;
        Box::new(Self {
            receiver,
            extras,
            future,
        })
    }

    /// Sets where the outcome goes, once the task has its number.
    pub(crate) fn bind(&mut self, receiver: R) {
        self.receiver = Some(receiver);
    }

    pub(crate) fn extras_mut(&mut self) -> &mut X {
        &mut self.extras
    }

    /// Returns the future, which has not been polled yet.
    pub(crate) fn future_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// Returns the future of a task that was not accepted.
    pub(crate) fn into_future(self) -> F {
        self.future
    }
}

impl<F: Future, X> Body<F, X> {
    /// Gives the task its number and slot, while nothing else shares `shared` yet. `admitted` says that the task has
    /// its permit already.
    #[inline]
    pub(crate) fn place(
        &mut self,
        shared: &mut Arc<Shared<F::Output>>,
        id: TaskId,
        slot: Slot,
        admitted: bool,
    ) {
        if let Some(alone) = Arc::get_mut(shared) {
            alone.place(id, slot, admitted);
        }
        self.bind(shared.clone());
    }
}

impl<F, X, R> Body<F, X, R>
where
    F: Future<Output: Send> + Send + 'static,
    X: Extras + 'static,
    R: Receiver<F::Output> + 'static,
{
    /// Drops the future, then makes the outcome known.
    ///
    /// The outcome is taken out of the caller's variable, since each move of it on the way to the handle has a cost.
    fn conclude(
        mut self: Pin<Box<Self>>,
        outcome: &mut Option<Outcome<F::Output>>,
        finish: Finish<'_>,
    ) {
        let this = self.as_mut().project();
        let extras = std::mem::take(this.extras);
        let Some(receiver) = this.receiver.take() else {
            return;
        };
        let dropped = caught(|| extras.drop_future(receiver.id(), || drop(self)));
        if let Err(payload) = dropped {
            discard(outcome.replace(Outcome::panicked(payload)));
        }
        let Some(end) = outcome.as_ref().map(Outcome::end) else {
            return;
        };
        shielded(|| extras.ended(receiver.id(), end));
        if receiver.has_no_reader() {
            // The outcome is dropped before the task counts as ended.
            discard(outcome.take());
        }
        finish(Some(end), &mut || receiver.complete(end, outcome));
        // If the handle was dropped meanwhile, this drops the outcome.
        discard(receiver);
    }
}

impl<F, X, R> Task for Body<F, X, R>
where
    F: Future<Output: Send> + Send + 'static,
    X: Extras + 'static,
    R: Receiver<F::Output> + 'static,
{
    fn announce(&self, wakes: &mut Wakes) -> Start {
        let start = self.extras.admitted(wakes);
        if let (Start::Announced, Some(receiver)) = (start, &self.receiver) {
            wakes.add(receiver.announce());
        }
        start
    }

    fn settle(self: Pin<&Self>, slot: Slot) {
        if let Some(receiver) = &self.get_ref().receiver {
            receiver.settle(slot);
        }
    }

    fn begin(self: Pin<&mut Self>) {
        let this = self.project();
        if let Some(receiver) = this.receiver {
            shielded(|| this.extras.begin(receiver.id()));
        }
    }

    fn lends(&self) {
        if let Some(receiver) = &self.receiver {
            self.extras.lends(receiver.id());
        }
    }

    fn poll(mut self: Pin<Box<Self>>, cx: &mut Context<'_>, finish: Finish<'_>) -> Option<BoxTask> {
        let this = self.as_mut().project();
        let Some(receiver) = this.receiver else {
            return None;
        };
        let mut outcome = None;
        let polled = caught(|| {
            this.extras.begin(receiver.id());
            let polled = this.extras.poll(receiver.id(), || this.future.poll(cx));
            outcome = match polled {
                Poll::Ready(value) => Some(Outcome::Value(value)),
                Poll::Pending => match this.extras.poll_expired(cx) {
                    Poll::Ready(()) => Some(Outcome::Failed(Failure::RAN_TOO_LONG.pack())),
                    Poll::Pending => None,
                },
            }
        });
        if let Err(payload) = polled {
            outcome = Some(Outcome::panicked(payload));
        }
        if outcome.is_none() {
            return Some(self);
        }
        self.conclude(&mut outcome, finish);
        None
    }

    fn has_grace(self: Pin<&mut Self>) -> bool {
        let extras = self.project().extras;
        caught(|| extras.has_grace()).unwrap_or_else(|payload| {
            discard(payload);
            false
        })
    }

    fn poll_grace(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let extras = self.project().extras;
        over(caught(|| extras.poll_grace(cx)))
    }

    fn poll_expired(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let extras = self.project().extras;
        over(caught(|| extras.poll_expired(cx)))
    }

    fn give_up(self: Pin<Box<Self>>, failure: Packed, finish: Finish<'_>) {
        self.conclude(&mut Some(Outcome::Failed(failure)), finish);
    }
}

/// A timer that panics counts as run out.
pub(crate) fn over(polled: Result<Poll<()>, Payload>) -> Poll<()> {
    polled.unwrap_or_else(|payload| {
        discard(payload);
        Poll::Ready(())
    })
}
