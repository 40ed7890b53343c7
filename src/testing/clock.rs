use std::collections::BTreeMap;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::lock::Lock;
use crate::wakes::wake;

/// A clock that stands still until it is moved, and the timers that wait for it.
pub(super) struct Clock(Lock<State>);

/// When a timer ends, and its number, which tells it apart from others that end at the same time.
pub(super) type TimerKey = (Instant, u64);

struct State {
    now: Instant,
    /// The number of timers that were made.
    made: u64,
    waiting: BTreeMap<TimerKey, Waker>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self(Lock::new(State {
            now: Instant::now(),
            made: 0,
            waiting: BTreeMap::new(),
        }))
    }

    pub(super) fn now(&self) -> Instant {
        self.0.lock().now
    }

    /// Returns the key of a new timer, or `None` if it ends so late that it never does.
    pub(super) fn key_after(&self, duration: Duration) -> Option<TimerKey> {
        let mut state = self.0.lock();
        state.made += 1;
        let end = state.now.checked_add(duration)?;
        Some((end, state.made))
    }

    /// Notes whom to wake when the timer ends. Returns `true` if it has ended.
    pub(super) fn watch(&self, key: TimerKey, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut state = self.0.lock();
        if key.0 <= state.now {
            return true;
        }
        let stale = state.waiting.insert(key, waker);
        drop(state);
        drop(stale);
        false
    }

    /// Forgets a timer.
    pub(super) fn forget(&self, key: TimerKey) {
        let waker = self.0.lock().waiting.remove(&key);
        drop(waker);
    }

    /// Returns how many timers wait.
    pub(super) fn waiting(&self) -> usize {
        self.0.lock().waiting.len()
    }

    /// Returns when the next timer ends, if that is no later than `end`.
    pub(super) fn next_until(&self, end: Instant) -> Option<Instant> {
        let state = self.0.lock();
        let (next, _) = *state.waiting.keys().next()?;
        (next <= end).then_some(next)
    }

    /// Moves the clock on to this time, and wakes the timers that have ended, in the order of their ends.
    pub(super) fn move_to(&self, time: Instant) {
        let mut state = self.0.lock();
        let now = state.now.max(time);
        state.now = now;
        let later = state.waiting.split_off(&(now, u64::MAX));
        let ended = std::mem::replace(&mut state.waiting, later);
        drop(state);
        ended.into_values().for_each(|waker| wake(Some(waker)));
    }
}
