use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::{End, Failure, Outcome, Packed, Shared, Slot, TaskId};
use crate::unwind::{Payload, caught, discard, shielded};
use crate::wakes::Wakes;

/// A task of any type: what waits in the queue, and what a worker polls.
///
/// `poll` and `give_up` run foreign code: call them with no lock held.
pub(crate) trait Task: Send {
    /// Says that it has got its permit, to the `spawn` that waits for that. Returns whether one does.
    fn announce(&self, wakes: &mut Wakes) -> Start;

    /// Tells the extras that the task starts. Its first poll does so by itself.
    fn begin(self: Pin<&mut Self>) {}

    /// Polls the future, and returns the task unless it has ended. Then `finish` has been called.
    #[must_use = "a task that is dropped here never settles"]
    fn poll(self: Pin<Box<Self>>, cx: &mut Context<'_>, finish: Finish<'_>) -> Option<BoxTask>;

    /// Returns whether it runs elsewhere: its first poll only takes it there, and is no start.
    fn leaves_its_worker(&self) -> bool {
        false
    }

    /// Whether the task, which was asked to stop, is polled on for a while. That time begins with the first call.
    fn has_grace(self: Pin<&mut Self>) -> bool {
        false
    }

    /// Ready when a task that was asked to stop is to be dropped.
    fn poll_grace(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Ready when the task has run for too long. Its future is not polled.
    fn poll_expired(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    /// Drops the future unfinished, then calls `finish`.
    fn give_up(self: Pin<Box<Self>>, failure: Packed, finish: Finish<'_>);
}

/// A task in the queue, and then in the hands of its worker.
pub(crate) type BoxTask = Pin<Box<dyn Task>>;

/// Called once, when the future is gone: makes the end of the task known.
pub(crate) type Finish<'a> = &'a mut dyn FnMut(End, Settle<'_>);

/// Leaves the outcome to the handle: to be called under the pool's lock. Returns whom to wake after that.
pub(crate) type Settle<'a> = &'a mut dyn FnMut() -> Option<Waker>;

/// What a task has beyond its future.
pub(crate) trait Extras: Default + Send {
    /// Called when the task has got its permit, perhaps with the pool locked.
    fn admitted(&self, wakes: &mut Wakes) -> Start;
    /// Called before the future is polled. The first call is the start of the task.
    fn begin(&mut self, _: TaskId) {}
    /// Called after each poll, before the end of the task is made known.
    fn polled(&mut self) {}
    /// Ready when the task has run for too long. Asked when its future is pending: a value that is ready wins.
    fn poll_expired(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
    /// Whether a task that was asked to stop is polled on for a while. That time begins with the first call.
    fn has_grace(&mut self) -> bool {
        false
    }
    /// Ready when a task that was asked to stop is to be dropped.
    fn poll_grace(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
    /// Called when the future is gone, before anyone learns of it.
    fn ended(self, _: TaskId, _: End) {}
}

/// Whether somebody waits for the start of a task: `spawn` does, `spawn_n` does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Start {
    #[default]
    Silent,
    Announced,
}

/// The extras of a task that has none, so that it pays for none.
#[derive(Default)]
pub(crate) struct NoExtras;

impl Extras for NoExtras {
    fn admitted(&self, _: &mut Wakes) -> Start {
        Start::Silent
    }
}

/// The same for a task whose start somebody waits for.
#[derive(Default)]
pub(crate) struct Announced;

impl Extras for Announced {
    fn admitted(&self, _: &mut Wakes) -> Start {
        Start::Announced
    }
}

pin_project! {
    /// The user's future, and all that only its worker needs.
    pub(crate) struct Body<F: Future, X> {
        // Put in when the task is numbered. Both are taken out at the end, which they outlive.
        shared: Option<Arc<Shared<F::Output>>>,
        extras: X,
        #[pin]
        future: F,
    }
}

impl<F: Future, X> Body<F, X> {
    /// Boxes a future: as early as can be, since each move of a large one takes its size on the stack.
    pub(crate) fn boxed(future: F, extras: X) -> Box<Self> {
        let shared = None;
        Box::new(Self {
            shared,
            extras,
            future,
        })
    }

    /// Numbers the task, while `shared` is nobody else's yet. It may have been admitted already.
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
        self.shared = Some(shared.clone());
    }

    pub(crate) fn extras_mut(&mut self) -> &mut X {
        &mut self.extras
    }

    /// Gives the future back, of a task that was not taken in.
    pub(crate) fn into_future(self) -> F {
        self.future
    }
}

impl<F, X> Body<F, X>
where
    F: Future<Output: Send> + Send + 'static,
    X: Extras + 'static,
{
    /// Drops the future, then makes the outcome known.
    ///
    /// It is taken from where it lies: every move of it on the way to the handle would cost.
    fn conclude(
        mut self: Pin<Box<Self>>,
        outcome: &mut Option<Outcome<F::Output>>,
        finish: Finish<'_>,
    ) {
        let this = self.as_mut().project();
        let extras = std::mem::take(this.extras);
        let Some(shared) = this.shared.take() else {
            return;
        };
        if let Err(payload) = caught(|| drop(self)) {
            discard(outcome.replace(Outcome::panicked(payload)));
        }
        let Some(end) = outcome.as_ref().map(Outcome::end) else {
            return;
        };
        shielded(|| extras.ended(shared.id(), end));
        if Arc::strong_count(&shared) == 1 {
            // Nobody can read it any more.
            discard(outcome.take());
        }
        finish(end, &mut || shared.settle(outcome));
        // With it goes the outcome, if the handle has gone meanwhile.
        discard(shared);
    }
}

impl<F, X> Task for Body<F, X>
where
    F: Future<Output: Send> + Send + 'static,
    X: Extras + 'static,
{
    fn announce(&self, wakes: &mut Wakes) -> Start {
        let start = self.extras.admitted(wakes);
        if let (Start::Announced, Some(shared)) = (start, &self.shared) {
            wakes.add(shared.announce());
        }
        start
    }

    fn poll(mut self: Pin<Box<Self>>, cx: &mut Context<'_>, finish: Finish<'_>) -> Option<BoxTask> {
        let this = self.as_mut().project();
        let Some(shared) = this.shared else {
            return None;
        };
        let mut outcome = None;
        let polled = caught(|| {
            this.extras.begin(shared.id());
            outcome = match this.future.poll(cx) {
                Poll::Ready(value) => Some(Outcome::Value(value)),
                Poll::Pending => match this.extras.poll_expired(cx) {
                    Poll::Ready(()) => Some(Outcome::Failed(Failure::RAN_TOO_LONG.pack())),
                    Poll::Pending => None,
                },
            }
        });
        this.extras.polled();
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

/// A timer that panics has run out.
pub(crate) fn over(polled: Result<Poll<()>, Payload>) -> Poll<()> {
    polled.unwrap_or_else(|payload| {
        discard(payload);
        Poll::Ready(())
    })
}
