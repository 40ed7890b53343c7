//! Which of its tasks a worker starts, and how many more it wants.
//!
//! Tasks start in the order of their delivery. One that has taken a worker down with it may do so again: from its third
//! start on, and at its last, it starts only when no other task runs in the worker, and none starts beside it. So no
//! other task loses an attempt with it.

use std::collections::{BTreeMap, BTreeSet};

/// Whether a task may run beside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    Beside,
    Alone,
}

impl Company {
    /// Returns how a task runs that has started `starts` times before, and may start `max` times.
    pub(crate) fn of(starts: u32, max: u32) -> Self {
        if starts >= 2 || (starts >= 1 && starts + 1 >= max) {
            Self::Alone
        } else {
            Self::Beside
        }
    }
}

/// The tasks that a worker has, by the number under which it knows them.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    held: BTreeMap<u64, Company>,
    expected: BTreeSet<u64>,
    running: usize,
    alone: bool,
    paused: bool,
    stopping: bool,
}

impl Admission {
    /// Notes that a task may be held later.
    pub(crate) fn expect(&mut self, task: u64) {
        self.expected.insert(task);
    }

    /// Puts a task behind the others. Numbers grow in the order of delivery.
    pub(crate) fn hold(&mut self, task: u64, company: Company) {
        self.expected.remove(&task);
        self.held.insert(task, company);
    }

    /// Takes a task out that has not started. Returns `false` if it has.
    pub(crate) fn withdraw(&mut self, task: u64) -> bool {
        self.expected.remove(&task) || self.held.remove(&task).is_some()
    }

    /// Returns the next task that may start now.
    pub(crate) fn next(&self, slots: usize) -> Option<u64> {
        if self.paused || self.stopping || self.alone || self.running >= slots {
            return None;
        }
        let (&task, &company) = self.held.first_key_value()?;
        let waits = company == Company::Alone && self.running > 0;
        (!waits).then_some(task)
    }

    /// The next task starts.
    pub(crate) fn start(&mut self, task: u64) {
        if let Some(company) = self.held.remove(&task) {
            self.running += 1;
            self.alone = company == Company::Alone;
        }
    }

    /// Returns the tasks that have not started and may soon, in the order in which they would.
    pub(crate) fn held(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.held.keys().copied()
    }

    /// A task that had started has ended.
    pub(crate) fn ended(&mut self) {
        self.running = self.running.saturating_sub(1);
        if self.running == 0 {
            self.alone = false;
        }
    }

    /// Returns for how many more tasks there is room.
    pub(crate) fn room(&self, slots: usize) -> usize {
        let waits = self.held.values().next() == Some(&Company::Alone);
        if self.paused || self.stopping || self.alone || waits {
            return 0;
        }
        slots.saturating_sub(self.running + self.held.len() + self.expected.len())
    }

    pub(crate) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Starts nothing any more.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
    }

    pub(crate) fn running(&self) -> usize {
        self.running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(admission: &mut Admission, slots: usize) -> Vec<u64> {
        let start_next = || {
            let task = admission.next(slots)?;
            admission.start(task);
            Some(task)
        };
        std::iter::from_fn(start_next).collect()
    }

    #[test]
    fn a_task_runs_alone_from_its_third_start_on_and_at_its_last() {
        let alone: Vec<bool> = (0..5)
            .map(|n| Company::of(n, 5) == Company::Alone)
            .collect();
        assert_eq!(alone, [false, false, true, true, true]);
        assert_eq!(Company::of(1, 2), Company::Alone);
        assert_eq!(Company::of(0, 1), Company::Beside);
    }

    #[test]
    fn tasks_start_in_order_as_slots_allow() {
        let mut admission = Admission::default();
        for task in 0..4 {
            admission.hold(task, Company::Beside);
        }
        assert_eq!(started(&mut admission, 2), [0, 1]);
        admission.ended();
        assert_eq!(started(&mut admission, 2), [2]);
        assert_eq!((admission.room(4), admission.running()), (1, 2));
    }

    #[test]
    fn nothing_starts_beside_a_task_that_runs_alone() {
        let mut admission = Admission::default();
        for (task, company) in [
            (0, Company::Beside),
            (1, Company::Alone),
            (2, Company::Beside),
        ] {
            admission.hold(task, company);
        }
        assert_eq!(started(&mut admission, 8), [0]);
        assert_eq!(admission.room(8), 0);
        admission.ended();
        assert_eq!(started(&mut admission, 8), [1]);
        assert_eq!(admission.room(8), 0);
        admission.ended();
        assert_eq!(started(&mut admission, 8), [2]);
        assert_eq!(admission.room(8), 7);
    }

    #[test]
    fn a_paused_worker_keeps_what_it_has_and_wants_no_more() {
        let mut admission = Admission::default();
        admission.hold(0, Company::Beside);
        admission.set_paused(true);
        assert_eq!((started(&mut admission, 8), admission.room(8)), (vec![], 0));
        assert!(admission.withdraw(0) && !admission.withdraw(0));
        admission.set_paused(false);
        assert_eq!(admission.room(8), 8);
    }
}
