use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use crate::gate::NodeId;
use crate::wakes::Wakes;
use crate::worker::NestedWaits;

/// A state of the pool or group that a future waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Goal {
    /// Anything has changed since the waiter was added.
    Change,
    /// No task is active or waiting.
    Idle,
    /// No task is active or waiting, and the node is closed.
    Drained,
    /// Fewer than this number of tasks wait in the queue.
    Below(usize),
}

/// Where a wait runs: outside of the pool, or inside a task of it that does not wait for other tasks that join.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asker {
    Outside,
    Inside,
}

/// A task of the pool, or of one of its groups, that waits for one of them to be idle.
#[derive(Clone, Debug)]
pub(crate) struct Joiner {
    pub(crate) nested_waits: Arc<NestedWaits>,
    /// The node where the task counts as joining. It counts so in all nodes around that too.
    pub(crate) home: NodeId,
    /// `true` if the task does not wait for tasks that join themselves.
    pub(crate) excuses: bool,
}

/// The present state of a node, as far as goals depend on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) waiting: usize,
    pub(crate) living: usize,
    /// Number of living tasks that wait for a node to be idle.
    pub(crate) joining: usize,
    pub(crate) closed: bool,
}

impl Goal {
    pub(crate) fn is_reached(self, now: Now, asker: Asker) -> bool {
        match self {
            Self::Change => true,
            Self::Idle => now.is_idle(asker),
            Self::Drained => now.is_idle(asker) && now.closed,
            Self::Below(waiting) => now.waiting < waiting,
        }
    }
}

impl Joiner {
    /// Returns how the wait counts now. If the task has ended, its wait may go on elsewhere, and then counts as
    /// outside.
    pub(crate) fn asker(&self) -> Asker {
        if self.excuses && self.nested_waits.is_joining() {
            Asker::Inside
        } else {
            Asker::Outside
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

/// The futures that wait for a node, by their goals.
///
/// A waiter whose goal is reached is taken out: a future that does not find its waiter is ready. The order of [`Goal`]
/// puts the waiters for a change and for an idle node first, and the highest bound of `below` last, so that a search can
/// stop at the first waiter that has to go on waiting.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    next: u64,
    waiters: BTreeMap<(Goal, u64), Waiter>,
    /// The waiters that are [inside](Asker::Inside): tasks that do not wait for tasks that join themselves.
    inside: BTreeMap<(Goal, u64), Waiter>,
    /// The highest bound of `below` that a waiter has, or 0. The highest possible if a waiter waits for any change.
    highest_below: usize,
}

#[derive(Debug)]
struct Waiter {
    waker: Waker,
    joiner: Option<Joiner>,
}

impl Waiter {
    fn asker(&self) -> Asker {
        self.joiner.as_ref().map_or(Asker::Outside, Joiner::asker)
    }
}

impl Waiters {
    /// Adds a waiter. Returns its key.
    pub(crate) fn add(&mut self, goal: Goal, waker: Waker, joiner: Option<Joiner>) -> u64 {
        self.next += 1;
        let waiter = Waiter { waker, joiner };
        let others = match waiter.asker() {
            Asker::Outside => &mut self.waiters,
            Asker::Inside => &mut self.inside,
        };
        others.insert((goal, self.next), waiter);
        self.note_highest();
        self.next
    }

    fn note_highest(&mut self) {
        let goal_of = |(at, _): (&(Goal, u64), &Waiter)| at.0;
        let first = self.waiters.first_key_value().map(goal_of);
        self.highest_below = match (first, self.waiters.last_key_value().map(goal_of)) {
            (Some(Goal::Change), _) => usize::MAX,
            (_, Some(Goal::Below(waiting))) => waiting,
            _ => 0,
        };
    }

    /// Replaces the waker of a waiter, and returns the old one. Returns the new one in `Err` if the goal has been
    /// reached.
    pub(crate) fn renew(&mut self, goal: Goal, key: u64, waker: Waker) -> Result<Waker, Waker> {
        let at = (goal, key);
        match self.waiters.get_mut(&at).or(self.inside.get_mut(&at)) {
            Some(known) => Ok(std::mem::replace(&mut known.waker, waker)),
            None => Err(waker),
        }
    }

    /// Takes a waiter out, unless its goal has been reached.
    pub(crate) fn remove(&mut self, goal: Goal, key: u64) -> Option<(Waker, Option<Joiner>)> {
        let at = (goal, key);
        let waiter = self
            .waiters
            .remove(&at)
            .or_else(|| self.inside.remove(&at))?;
        self.note_highest();
        Some((waiter.waker, waiter.joiner))
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiters.is_empty() && self.inside.is_empty()
    }

    /// Returns `true` if a goal may have been reached. Mostly it is not, and this cheap check is all that runs.
    #[inline]
    pub(crate) fn may_be_reached(&self, now: Now) -> bool {
        now.waiting < self.highest_below || now.living <= now.joining
    }

    /// Takes out the waiters whose goal is reached. Adds their wakers to `wakes`, and the joining tasks among them to
    /// `joiners`.
    #[inline(never)]
    pub(crate) fn take_reached(&mut self, now: Now, joiners: &mut Vec<Joiner>, wakes: &mut Wakes) {
        while let Some(last) = self
            .waiters
            .last_entry()
            .filter(|last| matches!(last.key().0, Goal::Below(_)))
        {
            if !last.key().0.is_reached(now, Asker::Outside) {
                break;
            }
            wakes.add(Some(last.remove().waker));
        }
        self.take_inside(now, joiners, wakes);
        while let Some((_, reached)) = take_first(&mut self.waiters, now, Asker::Outside) {
            wakes.add(Some(reached.waker));
            joiners.extend(reached.joiner);
        }
        self.note_highest();
    }

    fn take_inside(&mut self, now: Now, joiners: &mut Vec<Joiner>, wakes: &mut Wakes) {
        while let Some((at, first)) = take_first(&mut self.inside, now, Asker::Inside) {
            if first.asker() == Asker::Outside {
                // The task of this waiter has ended, and its wait goes on elsewhere: it now counts as outside.
                self.waiters.insert(at, first);
                continue;
            }
            wakes.add(Some(first.waker));
            joiners.extend(first.joiner);
        }
    }
}

/// Takes the first waiter out, if its goal is reached.
fn take_first(
    waiters: &mut BTreeMap<(Goal, u64), Waiter>,
    now: Now,
    asker: Asker,
) -> Option<((Goal, u64), Waiter)> {
    let first = waiters.first_entry()?;
    let is_reached = first.key().0.is_reached(now, asker);
    is_reached.then(|| first.remove_entry())
}
