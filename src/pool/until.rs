use std::pin::Pin;
use std::task::{Context, Poll};

use super::core::Core;
use super::waiters::Goal;
use crate::unwind::discard;

/// Waits until the pool is what somebody waits for.
///
/// Dropped before, it leaves nothing behind.
pub(super) struct Until<'p> {
    core: &'p Core,
    goal: Goal,
    key: Option<u64>,
}

impl<'p> Until<'p> {
    pub(super) fn new(core: &'p Core, goal: Goal) -> Self {
        Self {
            core,
            goal,
            key: None,
        }
    }
}

impl Future for Until<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let (core, goal) = (self.core, self.goal);
        let mut state = core.lock();
        if goal.is_reached(state.now()) {
            return Poll::Ready(());
        }
        let stale = state.waiters.add(goal, &mut self.key, waker);
        drop(state);
        discard(stale);
        Poll::Pending
    }
}

impl Drop for Until<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let left = self.core.lock().waiters.remove(self.goal, key);
        discard(left);
    }
}
