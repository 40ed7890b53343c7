use std::pin::Pin;
use std::task::{Context, Poll};

use crate::coop;
use crate::pool::AioPool;
use crate::pool::lifecycle::waiters::{Asker, Goal, Joiner};
use crate::task::PoolRef;
use crate::unwind::discard;
use crate::wakes::Wakes;

/// A future that waits until a pool or group has reached a goal.
///
/// Dropped before it is ready, it leaves nothing behind.
pub(crate) struct Until<'p> {
    pool: &'p AioPool,
    goal: Goal,
    /// `true` if a task of the pool that waits here does not wait for tasks that join themselves.
    excuses: bool,
    /// The key of its waker in the node's `waiters`. `None` before the first poll.
    key: Option<u64>,
    /// The pool or group of the task that waits here, if it is a task of this pool. The handle keeps that node alive as
    /// long as the task counts as joining there.
    home: Option<AioPool>,
}

impl<'p> Until<'p> {
    pub(crate) fn new(pool: &'p AioPool, goal: Goal) -> Self {
        Self {
            pool,
            goal,
            excuses: true,
            key: None,
            home: None,
        }
    }

    /// Waits for tasks that join themselves too.
    pub(crate) fn for_all(mut self) -> Self {
        self.excuses = false;
        self
    }

    fn begin(&mut self, cx: &Context<'_>) -> Poll<()> {
        let core = self.pool.core();
        let joiner = self.join_from_inside();
        // Cloning and dropping a waker can run user code, so both happen with nothing locked.
        let waker = core.waker(cx);
        let mut wakes = Wakes::default();
        let mut state = core.lock();
        if let Some(joiner) = &joiner {
            state.begin_join(joiner);
        }
        let now = state.now(self.pool.node());
        let asker = joiner.as_ref().map_or(Asker::Outside, Joiner::asker);
        let is_reached = self.goal.is_reached(now, asker);
        if let Some(joiner) = &joiner {
            // This task may have been the last task that other joining tasks waited for.
            state.tell_waiters(joiner.home, &mut wakes);
            if is_reached {
                state.end_join(joiner);
            }
        }
        let unused = if is_reached {
            Some(waker)
        } else {
            let waiters = &mut state.gate.data_mut(self.pool.node()).waiters;
            self.key = Some(waiters.add(self.goal, waker, joiner));
            None
        };
        drop(state);
        discard(unused);
        wakes.wake();
        match self.key {
            None => Poll::Ready(()),
            Some(_) => Poll::Pending,
        }
    }

    /// Returns the joining task, if the wait runs inside a task of the pool. Such tasks do not wait for each other: a
    /// task that joins is no longer waited for by the others that join.
    fn join_from_inside(&mut self) -> Option<Joiner> {
        if let Goal::Below(_) = self.goal {
            return None;
        }
        let core = self.pool.core();
        let nested_waits = core.running_here()?.nested_waits();
        let home = self.home.insert(core.home_here()?).node();
        Some(Joiner {
            nested_waits,
            home,
            excuses: self.excuses,
        })
    }
}

impl Future for Until<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        coop::poll(cx, |cx| match self.key {
            Some(key) => self.go_on(key, cx),
            None => self.begin(cx),
        })
    }
}

impl Until<'_> {
    fn go_on(&self, key: u64, cx: &Context<'_>) -> Poll<()> {
        let core = self.pool.core();
        let waker = core.waker(cx);
        let mut state = core.lock();
        let waiters = &mut state.gate.data_mut(self.pool.node()).waiters;
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
        let Some(key) = self.key else { return };
        let mut state = self.pool.core().lock();
        let waiters = &mut state.gate.data_mut(self.pool.node()).waiters;
        let left = waiters.remove(self.goal, key);
        if let Some((_, Some(joiner))) = &left {
            state.end_join(joiner);
        }
        drop(state);
        discard(left);
    }
}
