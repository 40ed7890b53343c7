use super::register::Content;
use super::state::Gate;
use crate::task::{EntryId, Slot, TaskId};

/// Shortcuts for tasks without options in the root, which nearly all tasks are.
///
/// Each has the same effect as the general method that its doc names.
impl<W, A, L> Gate<W, A, L> {
    /// Returns `true` if all entries are in the root, without options, and a permit is all that they need to start.
    #[inline]
    pub(crate) fn takes_fast_path(&self) -> bool {
        self.queue_entries.is_empty() && self.has_fast_path
    }

    /// Returns `true` if a new task finds a permit and no task before it. Requires
    /// [`takes_fast_path`](Self::takes_fast_path).
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        let root = &self.tree.root;
        !root.is_shut() && root.first().is_none()
    }

    /// Adds a new task without options to the back of the root's queue. Returns `true` if a task can be admitted.
    ///
    /// Requires [`takes_fast_path`](Self::takes_fast_path). Same effect as [`enter`](Self::enter).
    #[inline]
    pub(crate) fn park(&mut self, id: TaskId, make: impl FnOnce(Slot) -> W) -> bool {
        self.next = id.get() + 1;
        let root = &mut self.tree.root;
        root.waiting += 1;
        root.default_lane.enter(id.into(), &mut self.register, make);
        !root.is_shut()
    }

    /// Starts a new task without options at once: `by` runs it. Requires [`is_open`](Self::is_open).
    #[inline]
    pub(crate) fn start(&mut self, id: TaskId, by: A) -> Slot {
        self.next = id.get() + 1;
        self.step_in(id.into(), by)
    }

    /// Gives a permit to user code that runs elsewhere, and is no task: the shortcut of [`enqueue_elsewhere`](Self::enqueue_elsewhere).
    pub(crate) fn start_elsewhere(&mut self, user: A) -> Slot {
        self.step_in(EntryId::ELSEWHERE, user)
    }

    #[inline]
    fn step_in(&mut self, id: EntryId, by: A) -> Slot {
        let root = &mut self.tree.root;
        root.held += 1;
        root.active += 1;
        self.register.insert(id, |_| Content::Active(Some(by)))
    }

    /// Gives a permit to the next task. `by` returns its worker. Requires
    /// [`takes_fast_path`](Self::takes_fast_path).
    ///
    /// Same effect as [`admit`](Self::admit).
    #[inline]
    pub(crate) fn advance(&mut self, by: impl FnOnce(Slot) -> Option<A>) -> Option<W> {
        let root = &mut self.tree.root;
        let first = root.default_lane.first().filter(|_| !root.is_shut())?;
        root.waiting -= 1;
        root.active += 1;
        root.held += 1;
        let (.., next) = root.default_lane.start(by(first), &mut self.register)?;
        Some(next)
    }

    /// Removes an active task, and starts the next one with its permit and its worker. Returns the slot, the number
    /// and the content of the next task, or `None` if this shortcut does not apply.
    ///
    /// This is the most common case: all tasks are without options in the root, and the root is full. Same effect
    /// as [`leave`](Self::leave), then [`admit`](Self::admit).
    #[inline]
    pub(crate) fn finish_into_next(&mut self, slot: Slot) -> Option<(Slot, EntryId, W)> {
        if !self.takes_fast_path() || !self.tree.root.is_just_full() {
            return None;
        }
        let root = &mut self.tree.root;
        // The permit passes from one task to the next, so that `held` and `active` stay the same.
        root.default_lane.first()?;
        root.waiting -= 1;
        match self.register.take(slot) {
            Content::Active(by) => root.default_lane.start(by, &mut self.register),
            Content::Waiting(_) => unreachable!("a waiting task left as an active one"),
        }
    }

    /// Removes an active task where no task waits, or returns `None` if this shortcut does not apply. Same effect
    /// as [`leave`](Self::leave).
    #[inline]
    pub(crate) fn finish_last(&mut self, slot: Slot) -> Option<Option<A>> {
        if !self.takes_fast_path() || self.tree.root.first().is_some() {
            return None;
        }
        let root = &mut self.tree.root;
        root.held -= 1;
        root.active -= 1;
        match self.register.take(slot) {
            Content::Active(by) => Some(by),
            Content::Waiting(_) => unreachable!("a waiting task left as an active one"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Admitted, Demand, NodeId};

    type Twin = Gate<u64, u64, ()>;

    /// Two gates with the same tasks: one uses the shortcuts, the other the general methods.
    struct Twins {
        short: Twin,
        long: Twin,
        slots: Vec<Slot>,
        next: u64,
    }

    impl Twins {
        fn new(size: usize) -> Self {
            Self {
                short: Twin::new(size, ()),
                long: Twin::new(size, ()),
                slots: Vec::new(),
                next: 0,
            }
        }

        fn enter(&mut self) {
            let number = self.next;
            let id = TaskId::from(number);
            self.next += 1;
            let enter = |slot: Slot| number + u64::from(slot.0);
            let slot = self.long.enter(id, NodeId::ROOT, Demand::DEFAULT, enter);
            self.slots.push(slot);
            if self.short.is_open() {
                let by = u64::from(slot.0);
                assert_eq!(self.short.start(id, by), slot);
                let admitted = self.long.admit(|_| Some(by));
                assert_eq!(admitted, Some(Admitted::New(enter(slot))));
            } else {
                let is_ready = self.short.park(id, |at| {
                    assert_eq!(at, slot);
                    enter(at)
                });
                assert_eq!(is_ready, self.long.is_ready());
            }
        }

        /// Asks for a permit for user code that runs elsewhere.
        fn ask(&mut self) {
            if self.short.is_open() {
                let demand = Demand::DEFAULT;
                let slot = self.long.enqueue_elsewhere(NodeId::ROOT, demand, 7);
                assert_eq!(self.long.admit(|_| None), Some(Admitted::Back(7)));
                assert_eq!(self.short.start_elsewhere(7), slot);
                self.slots.push(slot);
            }
        }

        fn leave(&mut self, slot: Slot) {
            let (by, home) = self.long.leave(slot);
            assert_eq!(home, NodeId::ROOT);
            if let Some((next, _, task)) = self.short.finish_into_next(slot) {
                let admitted = self.long.admit(|at| {
                    assert_eq!(at, next);
                    by
                });
                assert_eq!(admitted, Some(Admitted::New(task)));
            } else if let Some(short_by) = self.short.finish_last(slot) {
                assert_eq!((short_by, self.long.is_ready()), (by, false));
            } else {
                assert_eq!(self.short.leave(slot).0, by);
            }
        }

        fn withdraw(&mut self, slot: Slot) {
            assert_eq!(self.short.withdraw(slot), self.long.withdraw(slot));
            self.short.forget(slot);
            self.long.forget(slot);
        }

        fn admit_all(&mut self) {
            let by = |slot: Slot| Some(u64::from(slot.0));
            while let Some(task) = self.short.advance(by) {
                assert_eq!(self.long.admit(by), Some(Admitted::New(task)));
            }
            assert!(!self.short.is_ready() && !self.long.is_ready());
        }

        /// Returns a live task, and whether it is active.
        fn pick(&mut self, random: u64) -> Option<(Slot, bool)> {
            self.slots.retain(|slot| self.long.is_live(*slot));
            let count = self.slots.len().max(1);
            let slot = *self.slots.get(random as usize % count)?;
            let content = &self.long.register.get(slot)?.content;
            Some((slot, matches!(content, Content::Active(_))))
        }

        fn compare(&self) {
            let look = |gate: &Twin| {
                let tasks = gate.tasks();
                let active = |content: &_| matches!(content, Content::Active(_));
                let tasks: Vec<_> = tasks.map(|(at, id, what)| (at, id, active(what))).collect();
                let root = NodeId::ROOT;
                let counts = [gate.active(root), gate.waiting(root), gate.living(root)];
                (tasks, counts, gate.is_full(root))
            };
            assert_eq!(look(&self.short), look(&self.long));
        }
    }

    impl Twin {
        fn is_live(&self, slot: Slot) -> bool {
            self.tasks().any(|(at, ..)| at == slot)
        }
    }

    #[test]
    fn the_short_ways_come_to_the_same_as_the_long_ones() {
        let (mut twins, mut random) = (Twins::new(3), 1_u64);
        for _ in 0..20_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let what = random >> 32;
            match (random % 16, twins.pick(what)) {
                (0, _) => twins.ask(),
                (1..=6, _) if twins.long.living(NodeId::ROOT) < 20 => twins.enter(),
                (7..=12, Some((slot, true))) => twins.leave(slot),
                (7..=12, Some((slot, false))) => twins.withdraw(slot),
                (13, _) => {
                    let size = 1 + (what % 5) as usize;
                    twins.short.resize(NodeId::ROOT, size);
                    twins.long.resize(NodeId::ROOT, size);
                }
                (14, _) => {
                    let paused = what % 3 == 0;
                    twins.short.set_paused(NodeId::ROOT, paused);
                    twins.long.set_paused(NodeId::ROOT, paused);
                }
                _ => {}
            }
            twins.admit_all();
            twins.compare();
        }
        assert!(twins.next > 5_000);
    }
}
