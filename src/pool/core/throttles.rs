use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::coop;
use crate::pool::core::Core;
use crate::pool::core::state::State;
use crate::task::PoolRef;
use crate::unwind::discard;
use crate::wakes::Wakes;

/// The callers that wait for a start of the rate, in the order of their calls.
#[derive(Default)]
pub(crate) struct Throttles {
    waiting: BTreeMap<u64, Waker>,
    /// The callers that have got a start and have not been polled since.
    granted: BTreeSet<u64>,
    /// The number of the next caller.
    next: u64,
}

/// Maximum number of callers that get a start under one lock.
const AT_ONCE: usize = 256;

impl Throttles {
    pub(crate) fn is_awaited(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn add(&mut self, waker: Waker) -> u64 {
        self.next += 1;
        self.waiting.insert(self.next, waker);
        self.next
    }

    /// Takes the start of a caller that has got one.
    fn take(&mut self, key: u64) -> bool {
        self.granted.remove(&key)
    }

    fn grant_first(&mut self) -> Option<Waker> {
        let (key, waker) = self.waiting.pop_first()?;
        self.granted.insert(key);
        Some(waker)
    }
}

impl State {
    /// Takes a start, if there is one and no other caller waits for it.
    fn take_start(&mut self) -> bool {
        !self.throttles.is_awaited() && self.gate.take_start()
    }

    /// Gives starts to the callers that wait for them. Returns `true` if there may be more of both.
    #[inline]
    pub(crate) fn grant_starts(&mut self, wakes: &mut Wakes) -> bool {
        self.throttles.is_awaited() && self.grant_some(wakes)
    }

    #[inline(never)]
    fn grant_some(&mut self, wakes: &mut Wakes) -> bool {
        for _ in 0..AT_ONCE {
            if !self.throttles.is_awaited() || !self.gate.take_start() {
                return false;
            }
            wakes.add(self.throttles.grant_first());
        }
        true
    }
}

/// Waits for a start of the rate.
pub(crate) struct Throttle<'c> {
    core: &'c Core,
    /// `None` before the caller waits, and when it has its start.
    key: Option<u64>,
}

impl Core {
    /// Waits for a start of the pool's rate, and takes it.
    pub(crate) fn throttle(&self) -> Throttle<'_> {
        Throttle {
            core: self,
            key: None,
        }
    }
}

impl Throttle<'_> {
    fn begin(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.core.settings.rate.is_none() {
            return Poll::Ready(());
        }
        // The rate needs the runtime's timer: a pool that has no runtime yet finds it here.
        self.core.spawner();
        let has_start = self.core.lock().take_start();
        if has_start {
            return self.count();
        }
        let waker = self.core.waker(cx);
        let mut state = self.core.lock();
        let key = state.throttles.add(waker);
        self.key = Some(key);
        // A start may have come back. Otherwise this makes the timer run.
        self.core.dispatch(state);
        let has_start = self.core.lock().throttles.take(key);
        if has_start {
            return self.count();
        }
        Poll::Pending
    }

    fn go_on(&mut self, key: u64, cx: &Context<'_>) -> Poll<()> {
        let waker = self.core.waker(cx);
        let mut state = self.core.lock();
        if state.throttles.take(key) {
            drop(state);
            discard(waker);
            return self.count();
        }
        let stale = state.throttles.waiting.insert(key, waker);
        drop(state);
        discard(stale);
        Poll::Pending
    }

    /// Counts the start, which the caller makes now.
    fn count(&mut self) -> Poll<()> {
        self.key = None;
        self.core.count_start();
        Poll::Ready(())
    }
}

impl Future for Throttle<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        coop::poll(cx, |cx| match self.key {
            Some(key) => self.go_on(key, cx),
            None => self.begin(cx),
        })
    }
}

impl Drop for Throttle<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = self.core.lock();
        let left = state.throttles.waiting.remove(&key);
        if state.throttles.take(key) {
            self.core.give_start_back();
        }
        // Another caller or task may have the start. If nothing waits any more, the timer ends.
        self.core.dispatch(state);
        discard(left);
    }
}
