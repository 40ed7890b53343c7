//! A budget for awaits that are ready at once.
//!
//! A loop of such awaits would keep its thread, while the timers and sockets of its runtime wait. So each await of this
//! crate that is ready spends one unit of its thread's budget, and a thread without budget yields once. The crate
//! cannot know when a runtime goes on to another of its tasks, so that the budget is the thread's and not the task's: a
//! task of the runtime may yield earlier than it has to, and never later. A task of a pool has a budget of its own.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crate::budget::{Budget, Pace};
use crate::sync::thread_local;

/// Number of awaits on one thread that may be ready in a row.
const BUDGET: u32 = 128;

/// Number of budgets for a caller that polls by hand, with a waker that wakes no task.
///
/// It may poll each await once, and would take a yield for a wait. Even so, no poll is without end.
const BUDGETS_BY_HAND: u32 = 32;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(BUDGET) };
}

thread_local! {
    /// Budgets that were used up by hand.
    static BY_HAND: Cell<u32> = const { Cell::new(0) };
}

/// Polls, and spends a unit of the budget if that is ready. Without budget it polls nothing, and yields.
#[inline]
pub(crate) fn poll<R>(
    cx: &mut Context<'_>,
    poll: impl FnOnce(&mut Context<'_>) -> Poll<R>,
) -> Poll<R> {
    if LEFT.with(Cell::get) == 0 {
        ready!(poll_yield(cx));
    }
    let polled = poll(cx);
    if polled.is_ready() {
        LEFT.with(|left| left.set(left.get().saturating_sub(1)));
    }
    polled
}

/// Polls what counts as one await, however many awaits it consists of.
#[inline]
pub(crate) fn poll_as_one<R>(poll: impl FnOnce() -> Poll<R>) -> Poll<R> {
    let _restored = Left(LEFT.with(|left| left.replace(u32::MAX)));
    poll()
}

/// Keeps the budget of the thread for later, while a worker is polled.
pub(crate) fn set_aside() -> Left {
    Left(LEFT.with(Cell::get))
}

/// Gives the task that is polled next a budget of its own: what is ready in its last poll is not to look as if it were
/// not, since others have used up the thread's.
#[inline]
pub(crate) fn refill() {
    LEFT.with(|left| left.set(BUDGET));
}

/// What was left before, and is again when this is dropped.
pub(crate) struct Left(u32);

impl Drop for Left {
    #[inline]
    fn drop(&mut self) {
        LEFT.with(|left| left.set(self.0));
    }
}

/// A budget for the steps of one poll of an await.
///
/// A caller that polls by hand may poll once, however long its thread stood still meanwhile: its steps are counted, and
/// not timed.
pub(crate) fn steps(most: u32, cx: &Context<'_>) -> Budget {
    match is_by_hand(cx) {
        true => Budget::untimed(most),
        false => Budget::new(most, Pace::Short),
    }
}

/// Whether the waker wakes no task, so that the caller polls by hand. Such a waker needs no data.
fn is_by_hand(cx: &Context<'_>) -> bool {
    cx.waker().data().is_null()
}

/// Maximum number of short steps in one poll, such as the end of a task.
pub(crate) const STEPS_IN_A_POLL: u32 = 1024;

/// Takes steps until there is none, some in each poll. Each returns whether there was one.
pub(crate) fn poll_steps(cx: &Context<'_>, mut step: impl FnMut() -> bool) -> Poll<()> {
    let mut budget = steps(STEPS_IN_A_POLL, cx);
    while step() {
        if !budget.spend(&mut Pace::Short) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
    }
    Poll::Ready(())
}

/// Takes that many steps, some in each poll, each with its number. Dropped before, it takes the rest at once.
pub(crate) async fn in_parts(count: usize, step: impl FnMut(usize)) {
    let mut parts = Parts {
        next: 0,
        count,
        step,
    };
    poll_fn(|cx| poll_steps(cx, || parts.advance())).await;
}

struct Parts<F: FnMut(usize)> {
    next: usize,
    count: usize,
    step: F,
}

impl<F: FnMut(usize)> Parts<F> {
    fn advance(&mut self) -> bool {
        let is_left = self.next < self.count;
        if is_left {
            self.next += 1;
            (self.step)(self.next - 1);
        }
        is_left
    }
}

impl<F: FnMut(usize)> Drop for Parts<F> {
    fn drop(&mut self) {
        while self.advance() {}
    }
}

/// Spends a unit of the budget, and yields first if there is none.
pub(crate) async fn proceed() {
    poll_fn(|cx| poll(cx, |_| Poll::Ready(()))).await;
}

#[cold]
fn poll_yield(cx: &Context<'_>) -> Poll<()> {
    LEFT.with(|left| left.set(BUDGET));
    if is_by_hand(cx) && BY_HAND.with(Cell::get) < BUDGETS_BY_HAND {
        BY_HAND.with(|used| used.set(used.get() + 1));
        return Poll::Ready(());
    }
    BY_HAND.with(|used| used.set(0));
    cx.waker().wake_by_ref();
    Poll::Pending
}
