use std::pin::Pin;
use std::task::{Context, Poll};

use super::AioPool;
use super::waiters::Goal;
use crate::task::Keeper;
use crate::unwind::discard;
use crate::wakes::Wakes;

/// Waits until the pool is what somebody waits for.
///
/// Dropped before, it leaves nothing behind.
pub(super) struct Until<'p> {
    pool: &'p AioPool,
    goal: Goal,
    /// Where its waker lies.
    key: Option<u64>,
    /// The pool or group of the task that waits here, if it is one of this pool. It counts as joining there.
    joiner: Option<AioPool>,
}

impl<'p> Until<'p> {
    pub(super) fn new(pool: &'p AioPool, goal: Goal) -> Self {
        Self {
            pool,
            goal,
            key: None,
            joiner: None,
        }
    }

    fn begin(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.join_from_inside();
        let core = self.pool.core();
        // Cloned with nothing locked, and dropped so if it is not needed.
        let waker = core.waker(cx);
        let mut state = core.lock();
        if self.goal.is_reached(state.now(self.pool.level())) {
            drop(state);
            discard(waker);
            return Poll::Ready(());
        }
        let waiters = &mut state.gate.kept_mut(self.pool.level()).waiters;
        self.key = Some(waiters.add(self.goal, waker));
        Poll::Pending
    }

    /// Tasks of the pool do not wait for each other: one that joins is no longer waited for by those who do.
    fn join_from_inside(&mut self) {
        let Some(home) = self.pool.core().home_here() else {
            return;
        };
        self.goal = self.goal.inside();
        if let Goal::Below(_) = self.goal {
            return;
        }
        home.count_joining(|joining| joining + 1);
        self.joiner = Some(home);
    }
}

impl AioPool {
    fn count_joining(&self, change: impl Fn(usize) -> usize) {
        let mut wakes = Wakes::default();
        let mut state = self.core().lock();
        state.gate.each_kept_from(self.level(), |ledger| {
            ledger.joining = change(ledger.joining);
        });
        state.tell_waiters(self.level(), &mut wakes);
        drop(state);
        wakes.wake();
    }
}

impl Future for Until<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(key) = self.key else {
            return self.begin(cx);
        };
        let core = self.pool.core();
        let waker = core.waker(cx);
        let mut state = core.lock();
        let waiters = &mut state.gate.kept_mut(self.pool.level()).waiters;
        let renewed = waiters.renew(self.goal, key, waker);
        drop(state);
        match renewed {
            Ok(stale) => {
                discard(stale);
                Poll::Pending
            }
            Err(unused) => {
                discard(unused);
                Poll::Ready(())
            }
        }
    }
}

impl Drop for Until<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let mut state = self.pool.core().lock();
            let waiters = &mut state.gate.kept_mut(self.pool.level()).waiters;
            let left = waiters.remove(self.goal, key);
            drop(state);
            discard(left);
        }
        if let Some(home) = &self.joiner {
            home.count_joining(|joining| joining - 1);
        }
    }
}
