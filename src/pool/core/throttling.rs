//! Waiting for a start of the rate, for code that has started.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::coop;
use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::parts::throttles::Caller;
use crate::pool::core::state::State;
use crate::task::PoolRef;
use crate::unwind::discard;
use crate::wakes::Wakes;

/// Maximum number of callers that get a start under one lock.
const AT_ONCE: usize = 256;

impl State {
    /// Takes a start of each rate from this one outwards, if there are such starts and no other caller waits for them.
    fn take_starts(&mut self, limit: NodeId) -> bool {
        let is_free = |node| !self.gate.is_spent(node) && !self.throttles.is_awaited_at(node);
        let path = std::iter::successors(Some(limit), |node| self.limit_around(*node));
        let path: Vec<NodeId> = path.collect();
        let takes = path.iter().copied().all(is_free);
        if takes {
            path.iter().for_each(|node| _ = self.gate.take_start(*node));
        }
        takes
    }

    /// Takes the starts of this rate and the next ones outwards for a caller, up to the first one where it has to wait.
    fn climb(&mut self, key: u64, from: Option<NodeId>) {
        let mut next = from;
        while let Some(node) = next {
            if self.throttles.is_awaited_at(node) || !self.gate.take_start(node) {
                return self.throttles.wait_at(node, key);
            }
            next = self.limit_around(node);
        }
    }

    /// Gives starts to the callers that wait for them. Returns `true` if there may be more of both.
    #[inline]
    pub(crate) fn grant_starts(&mut self, wakes: &mut Wakes) -> bool {
        self.throttles.may_be_granted() && self.grant_some(wakes)
    }

    #[inline(never)]
    fn grant_some(&mut self, wakes: &mut Wakes) -> bool {
        for _ in 0..AT_ONCE {
            // The pool is the first node, and comes last: there a caller that gets a start of its group now still has its
            // turn by the order of the calls.
            let Some(&node) = self.throttles.ready.last() else {
                return false;
            };
            match self.throttles.first(node) {
                Some(key) if self.gate.take_start(node) => self.grant(node, key, wakes),
                _ => _ = self.throttles.ready.remove(&node),
            }
        }
        true
    }

    /// Lets a caller go on that has got a start of this node.
    fn grant(&mut self, node: NodeId, key: u64, wakes: &mut Wakes) {
        self.throttles.leave_queue(node, key);
        let Some(caller) = self.throttles.callers.get_mut(&key) else {
            return;
        };
        caller.waits_at = None;
        self.climb(key, self.limit_around(node));
        if let Some(caller) = self.throttles.callers.get_mut(&key) {
            if caller.waits_at.is_none() {
                wakes.add(caller.waker.take());
            }
        }
    }

    /// Removes a caller that does not wait any more, and gives back the starts that it has got.
    fn forget_caller(&mut self, key: u64, limit: NodeId) -> Option<Waker> {
        let caller = self.throttles.callers.remove(&key)?;
        if let Some(node) = caller.waits_at {
            self.throttles.leave_queue(node, key);
        }
        self.give_start_back(Some(limit), caller.waits_at);
        caller.waker
    }
}

/// Waits for a start of the rate.
pub(crate) struct Throttle<'c> {
    core: &'c Core,
    node: NodeId,
    /// The number of the caller, and the innermost node with a rate. `None` before the caller waits, and when it has its
    /// start.
    waits: Option<(u64, NodeId)>,
}

impl Core {
    /// Waits for a start of the rate of a node, and of each node around it, and takes them.
    pub(crate) fn throttle(&self, node: NodeId) -> Throttle<'_> {
        Throttle {
            core: self,
            node,
            waits: None,
        }
    }
}

impl Throttle<'_> {
    fn begin(&mut self, cx: &Context<'_>) -> Poll<()> {
        if !self.core.has_rates() {
            return Poll::Ready(());
        }
        let limit = self.core.lock().gate.data(self.node).limit;
        let Some(limit) = limit else {
            return Poll::Ready(());
        };
        // The rate needs the runtime's timer: a pool that has no runtime yet finds it here.
        self.core.spawner();
        let has_start = self.core.lock().take_starts(limit);
        if has_start {
            return self.count(limit);
        }
        let waker = self.core.waker(cx);
        let mut state = self.core.lock();
        let key = state.throttles.add(waker);
        state.climb(key, Some(limit));
        self.waits = Some((key, limit));
        // A start may have come back. Otherwise this makes the timer run.
        self.core.dispatch(state);
        let granted = self.core.lock().throttles.take(key);
        self.end_wait(granted, limit)
    }

    fn go_on(&mut self, key: u64, limit: NodeId, cx: &Context<'_>) -> Poll<()> {
        let waker = self.core.waker(cx);
        let mut state = self.core.lock();
        let granted = state.throttles.take(key);
        if granted.is_some() {
            drop(state);
            discard(waker);
            return self.end_wait(granted, limit);
        }
        let stale = state.throttles.set_waker(key, waker);
        drop(state);
        discard(stale);
        Poll::Pending
    }

    fn end_wait(&mut self, granted: Option<Caller>, limit: NodeId) -> Poll<()> {
        let Some(caller) = granted else {
            return Poll::Pending;
        };
        discard(caller.waker);
        self.waits = None;
        self.count(limit)
    }

    /// Counts the start, which the caller makes now.
    fn count(&mut self, limit: NodeId) -> Poll<()> {
        self.core.count_start(limit);
        Poll::Ready(())
    }
}

impl Future for Throttle<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        coop::poll(cx, |cx| match self.waits {
            Some((key, limit)) => self.go_on(key, limit, cx),
            None => self.begin(cx),
        })
    }
}

impl Drop for Throttle<'_> {
    fn drop(&mut self) {
        let Some((key, limit)) = self.waits else {
            return;
        };
        let mut state = self.core.lock();
        let left = state.forget_caller(key, limit);
        // Another caller or task may have the start. If nothing waits any more, the timer ends.
        self.core.dispatch(state);
        discard(left);
    }
}
