//! A budget for awaits that are ready at once.
//!
//! A loop of such awaits would block its thread, while the timers and sockets of its runtime wait. So each await of
//! this crate that is ready spends one unit of its thread's budget, and a thread without budget yields once. The
//! crate cannot know when a runtime switches to another of its tasks. So the budget belongs to the thread and not
//! to the task: a task of the runtime may yield earlier than it has to, and never later. A task of a pool has a
//! budget of its own.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crate::budget::{Budget, Pace};
use crate::sync::thread_local;

/// Number of awaits on one thread that may be ready in a row.
const BUDGET: u32 = 128;

/// Number of budgets in a row for a caller that polls by hand, with a waker that wakes no task.
///
/// Such a caller may poll each await once, and would take a yield for a wait. The limit makes sure that even its
/// polls come to an end.
const BUDGETS_BY_HAND: u32 = 32;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(BUDGET) };
}

thread_local! {
    /// Number of budgets in a row that were used up by hand.
    static BY_HAND: Cell<u32> = const { Cell::new(0) };
}

/// Calls `poll`, and spends a unit of the budget if it is ready. Without budget it yields instead.
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

/// Calls `poll`, and lets all awaits in it together count as one await.
#[inline]
pub(crate) fn poll_as_one<R>(poll: impl FnOnce() -> Poll<R>) -> Poll<R> {
    let _restored = Left(LEFT.with(|left| left.replace(u32::MAX)));
    poll()
}

/// Yields once, whatever is left of the budget.
pub(crate) async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Saves the budget of the thread while a worker is polled. It is restored when the returned value is dropped.
pub(crate) fn set_aside() -> Left {
    Left(LEFT.with(Cell::get))
}

/// Gives a full budget to the task that is polled next. Otherwise an await that is ready could seem pending in the
/// last poll of the task, because other tasks have used up the budget of the thread.
#[inline]
pub(crate) fn refill() {
    LEFT.with(|left| left.set(BUDGET));
}

/// A budget that was saved, and is restored when this is dropped.
pub(crate) struct Left(u32);

impl Drop for Left {
    #[inline]
    fn drop(&mut self) {
        LEFT.with(|left| left.set(self.0));
    }
}

/// Creates a budget for the steps of one poll of an await.
///
/// A caller that polls by hand may poll only once. For such a caller the steps are counted and not timed, so that
/// the result does not depend on how long the thread was suspended.
pub(crate) fn steps(most: u32, cx: &Context<'_>) -> Budget {
    if is_by_hand(cx) {
        Budget::untimed(most)
    } else {
        Budget::new(most, Pace::Short)
    }
}

/// Returns `true` if the caller polls by hand: its waker wakes no task. Such a waker needs no data.
fn is_by_hand(cx: &Context<'_>) -> bool {
    cx.waker().data().is_null()
}

/// Maximum number of short steps in one poll, such as the end of a task.
pub(crate) const STEPS_IN_A_POLL: u32 = 1024;

/// Calls `step`, several times in each poll, until it returns `false` because there was no step left.
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

/// Calls `step` with each number below `count`, several times in each poll. If the future is dropped after it has
/// been polled, the rest of the steps run in the drop.
pub(crate) async fn in_parts(count: usize, mut step: impl FnMut(usize)) {
    let mut numbers = 0..count;
    let next = || numbers.next().map(&mut step).is_some();
    in_parts_while(next).await;
}

/// Calls `step` until it returns `false`, several times in each poll. If the future is dropped after it has been
/// polled, the rest of the steps run in the drop.
pub(crate) async fn in_parts_while(step: impl FnMut() -> bool) {
    let mut parts = Parts {
        step,
        is_over: false,
    };
    poll_fn(|cx| poll_steps(cx, || parts.advance())).await;
}

struct Parts<F: FnMut() -> bool> {
    step: F,
    is_over: bool,
}

impl<F: FnMut() -> bool> Parts<F> {
    /// Runs a step. Returns `false` if none is left.
    fn advance(&mut self) -> bool {
        self.is_over = self.is_over || !(self.step)();
        !self.is_over
    }
}

impl<F: FnMut() -> bool> Drop for Parts<F> {
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
