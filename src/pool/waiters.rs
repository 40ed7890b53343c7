use std::collections::BTreeMap;
use std::task::Waker;

use crate::wakes::Wakes;

/// What somebody waits for the pool to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Goal {
    /// Nothing active, nothing waiting.
    Idle(Asker),
    /// The same, and closed.
    Drained(Asker),
    /// Fewer than so many tasks wait.
    Below(usize),
}

/// Who waits: tasks of the pool do not wait for each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Asker {
    Outside,
    Inside,
}

/// What the pool is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) waiting: usize,
    pub(super) living: usize,
    /// How many of the living wait for the pool to be idle.
    pub(super) joining: usize,
    pub(super) closed: bool,
}

impl Goal {
    pub(super) fn is_reached(self, now: Now) -> bool {
        match self {
            Self::Idle(asker) => now.is_idle(asker),
            Self::Drained(asker) => now.is_idle(asker) && now.closed,
            Self::Below(waiting) => now.waiting < waiting,
        }
    }

    /// The same for somebody inside.
    pub(super) fn inside(self) -> Self {
        match self {
            Self::Idle(_) => Self::Idle(Asker::Inside),
            Self::Drained(_) => Self::Drained(Asker::Inside),
            below @ Self::Below(_) => below,
        }
    }
}

impl Now {
    fn is_idle(self, asker: Asker) -> bool {
        match asker {
            Asker::Outside => self.living == 0,
            Asker::Inside => self.living <= self.joining,
        }
    }
}

/// Those who wait for the pool, by what they wait for.
///
/// The order of [`Goal`] puts the highest bound of `below` last, where one look
/// tells whether anybody is to be woken. Who is not here any more has what it waited for.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    next: u64,
    wakers: BTreeMap<(Goal, u64), Waker>,
}

impl Waiters {
    /// Files a newcomer.
    pub(super) fn add(&mut self, goal: Goal, waker: Waker) -> u64 {
        self.next += 1;
        self.wakers.insert((goal, self.next), waker);
        self.next
    }

    /// Changes a waker, and returns the stale one; or the fresh one back, of somebody who waits no longer.
    pub(super) fn renew(&mut self, goal: Goal, key: u64, waker: Waker) -> Result<Waker, Waker> {
        match self.wakers.get_mut(&(goal, key)) {
            Some(known) => Ok(std::mem::replace(known, waker)),
            None => Err(waker),
        }
    }

    pub(super) fn remove(&mut self, goal: Goal, key: u64) -> Option<Waker> {
        self.wakers.remove(&(goal, key))
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.wakers.is_empty()
    }

    /// Takes those out who have what they waited for.
    #[inline(never)]
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
        if now.living <= now.joining && !self.wakers.is_empty() {
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
