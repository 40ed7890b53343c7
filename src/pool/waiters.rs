use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use crate::gate::NodeId;
use crate::wakes::Wakes;
use crate::worker::NestedWaits;

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

/// Who waits: tasks of the pool do not wait for each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asker {
    Outside,
    Inside,
}

/// A task of the pool, or of one of its groups, that waits for one of them to be idle.
#[derive(Clone, Debug)]
pub(super) struct Joiner {
    pub(super) nested_waits: Arc<NestedWaits>,
    /// Where it is one of those that join, and around that.
    pub(super) home: NodeId,
    /// Whether it does not wait for those who join themselves.
    pub(super) excuses: bool,
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
    pub(super) fn is_reached(self, now: Now, asker: Asker) -> bool {
        match self {
            Self::Idle => now.is_idle(asker),
            Self::Drained => now.is_idle(asker) && now.closed,
            Self::Below(waiting) => now.waiting < waiting,
        }
    }
}

impl Joiner {
    /// Who it is now: its wait may go on elsewhere when the task is over.
    pub(super) fn asker(&self) -> Asker {
        match self.excuses && self.nested_waits.is_joining() {
            true => Asker::Inside,
            false => Asker::Outside,
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
/// Who is not here any more has what it waited for. Nobody is looked at who has to wait on: the order of [`Goal`] puts
/// the highest bound of `below` last, and those who wait for a pool that is idle first.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    next: u64,
    waiters: BTreeMap<(Goal, u64), Waiter>,
    /// The tasks that do not wait for those who join themselves.
    inside: BTreeMap<(Goal, u64), Waiter>,
    /// The highest bound of `below` that somebody waits for, or 0.
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
    /// Files a newcomer.
    pub(super) fn add(&mut self, goal: Goal, waker: Waker, joiner: Option<Joiner>) -> u64 {
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
        self.highest_below = match self.waiters.last_key_value() {
            Some(((Goal::Below(waiting), _), _)) => *waiting,
            _ => 0,
        };
    }

    /// Changes a waker, and returns the stale one; or the fresh one back, of somebody who waits no longer.
    pub(super) fn renew(&mut self, goal: Goal, key: u64, waker: Waker) -> Result<Waker, Waker> {
        let at = (goal, key);
        match self.waiters.get_mut(&at).or(self.inside.get_mut(&at)) {
            Some(known) => Ok(std::mem::replace(&mut known.waker, waker)),
            None => Err(waker),
        }
    }

    /// Takes one out who still waits.
    pub(super) fn remove(&mut self, goal: Goal, key: u64) -> Option<(Waker, Option<Joiner>)> {
        let at = (goal, key);
        let waiter = self
            .waiters
            .remove(&at)
            .or_else(|| self.inside.remove(&at))?;
        self.note_highest();
        Some((waiter.waker, waiter.joiner))
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty() && self.inside.is_empty()
    }

    /// Returns whether somebody may have what it waited for: nearly always this is all there is to look at.
    #[inline]
    pub(super) fn may_be_reached(&self, now: Now) -> bool {
        now.waiting < self.highest_below || now.living <= now.joining
    }

    /// Takes those out who have what they waited for, and lists the tasks of the pool among them.
    #[inline(never)]
    pub(super) fn take_reached(&mut self, now: Now, joiners: &mut Vec<Joiner>, wakes: &mut Wakes) {
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
                // Its task is over, and it waits elsewhere.
                self.waiters.insert(at, first);
                continue;
            }
            wakes.add(Some(first.waker));
            joiners.extend(first.joiner);
        }
    }
}

/// Takes the first out, if it has what it waited for.
fn take_first(
    waiters: &mut BTreeMap<(Goal, u64), Waiter>,
    now: Now,
    asker: Asker,
) -> Option<((Goal, u64), Waiter)> {
    let first = waiters.first_entry()?;
    let is_reached = first.key().0.is_reached(now, asker);
    is_reached.then(|| first.remove_entry())
}
