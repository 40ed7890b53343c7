use std::collections::BTreeMap;
use std::task::Waker;

use crate::wakes::Wakes;

/// What somebody waits for the pool to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Goal {
    /// Nothing active, nothing waiting.
    Idle,
    /// The same, and closed.
    Drained,
    /// Fewer than so many tasks wait.
    Below(usize),
}

/// What the pool is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) waiting: usize,
    pub(super) living: usize,
    pub(super) closed: bool,
}

impl Goal {
    pub(super) fn is_reached(self, now: Now) -> bool {
        match self {
            Self::Idle => now.living == 0,
            Self::Drained => now.living == 0 && now.closed,
            Self::Below(waiting) => now.waiting < waiting,
        }
    }
}

/// Those who wait for the pool, by what they wait for.
///
/// The order of [`Goal`] puts the highest bound of `below` last, where one look
/// tells whether anybody is to be woken.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    next: u64,
    wakers: BTreeMap<(Goal, u64), Waker>,
}

impl Waiters {
    /// Files a waker, in the place of the one that this waiter left before.
    pub(super) fn add(&mut self, goal: Goal, key: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        let key = *key.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.wakers.insert((goal, key), waker)
    }

    pub(super) fn remove(&mut self, goal: Goal, key: u64) -> Option<Waker> {
        self.wakers.remove(&(goal, key))
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.wakers.is_empty()
    }

    /// Takes those out who have what they waited for.
    pub(super) fn take_reached(&mut self, now: Now, wakes: &mut Wakes) {
        while let Some(last) = self
            .wakers
            .last_entry()
            .filter(|last| matches!(last.key().0, Goal::Below(_)))
        {
            if !last.key().0.is_reached(now) {
                break;
            }
            wakes.add(Some(last.remove()));
        }
        if now.living == 0 && !self.wakers.is_empty() {
            let others = std::mem::take(&mut self.wakers);
            let (reached, remaining) = others
                .into_iter()
                .partition(|((goal, _), _)| goal.is_reached(now));
            self.wakers = remaining;
            let reached: BTreeMap<_, Waker> = reached;
            reached
                .into_values()
                .for_each(|waker| wakes.add(Some(waker)));
        }
    }
}
