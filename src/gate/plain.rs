use super::register::Content;
use super::state::Gate;
use crate::task::{Slot, TaskId};

/// The short ways of plain tasks of the pool itself, which nearly all are.
///
/// Each comes to the same as the ways that are for all.
impl<W, A, L> Gate<W, A, L> {
    /// Whether plain tasks of the pool itself are all that lives here, and permits are all that they need.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.places.is_empty() && self.starts.is_none()
    }

    /// Whether a newcomer finds a permit, and nobody before it, where all [`is_plain`](Self::is_plain).
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        let root = &self.levels.root;
        !root.is_shut() && root.first().is_none()
    }

    /// Files a plain newcomer to the pool itself at the back of the queue, where all [`is_plain`](Self::is_plain).
    /// Returns whether somebody is to be admitted.
    #[inline]
    pub(crate) fn park(&mut self, id: TaskId, make: impl FnOnce(Slot) -> W) -> bool {
        self.next = id.get() + 1;
        let root = &mut self.levels.root;
        root.waiting += 1;
        root.plain.enter(id, &mut self.register, make);
        !root.is_shut()
    }

    /// Gives its permit to such a newcomer at once, to be run by `by`.
    #[inline]
    pub(crate) fn start(&mut self, id: TaskId, by: A) -> Slot {
        let root = &mut self.levels.root;
        root.held += 1;
        root.active += 1;
        self.next = id.get() + 1;
        self.register.insert(id, |_| Content::Active(Some(by)))
    }

    /// Takes an active one out, and lets the next have its permit and whoever runs it. Returns the next one's slot, too.
    ///
    /// The short way for the most common case: all are plain tasks of the pool itself, which is full.
    /// It comes to the same as [`leave`](Self::leave) and [`admit`](Self::admit), which are for all cases.
    #[inline]
    pub(crate) fn succeed(&mut self, slot: Slot) -> Option<(Slot, W)> {
        let root = &mut self.levels.root;
        if !self.places.is_empty() || self.starts.is_some() || !root.is_just_full() {
            return None;
        }
        root.plain.first()?;
        root.waiting -= 1;
        match self.register.take(slot) {
            Content::Active(by) => root.plain.start(by, &mut self.register),
            Content::Waiting(_) => unreachable!("a waiting task left as an active one"),
        }
    }

    /// Takes an active one out where nobody waits: the other short way of [`leave`](Self::leave).
    #[inline]
    pub(crate) fn vacate(&mut self, slot: Slot) -> Option<Option<A>> {
        let root = &mut self.levels.root;
        if !self.places.is_empty() || self.starts.is_some() || root.first().is_some() {
            return None;
        }
        root.held -= 1;
        root.active -= 1;
        match self.register.take(slot) {
            Content::Active(by) => Some(by),
            Content::Waiting(_) => unreachable!("a waiting task left as an active one"),
        }
    }

    /// Withdraws all that wait, if they are all plain tasks of the pool itself: with their slots, and in one go.
    ///
    /// Says how many they are. They live on until they are [let go](Self::let_go): they have yet to be settled.
    pub(crate) fn sweep(&mut self) -> Option<(usize, impl Iterator<Item = W> + use<W, A, L>)> {
        if !self.places.is_empty() {
            return None;
        }
        let waiting = self.levels.root.waiting;
        self.levels.root.empty_queue();
        self.leaving += waiting;
        Some((waiting, self.register.take_waiting(waiting)))
    }

    /// So many that were swept out are settled.
    pub(crate) fn let_go(&mut self, settled: usize) {
        self.leaving -= settled;
    }
}
