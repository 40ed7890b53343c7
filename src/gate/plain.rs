use super::register::Content;
use super::state::Gate;
use crate::task::{Slot, TaskId};

/// The short ways of plain tasks of the pool itself, which nearly all are.
///
/// Each comes to the same as the ways that are for all.
impl<W, A, L> Gate<W, A, L> {
    /// Whether a plain newcomer to the pool itself finds a permit, and nobody before it. If others than plain ones live here, it says no.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        let root = &self.levels.root;
        self.places.is_empty() && self.starts.is_none() && !root.is_shut() && root.first().is_none()
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
        let next = root.pop_plain(&mut self.register)?;
        root.waiting -= 1;
        let by = match &mut self.register.at(slot.0).content {
            Content::Active(by) => by.take(),
            Content::Waiting(_) => unreachable!("a waiting task left as an active one"),
        };
        self.register.remove(slot);
        let next_content = &mut self.register.at(next.0).content;
        match std::mem::replace(next_content, Content::Active(by)) {
            Content::Waiting(waiting) => Some((next, waiting)),
            Content::Active(_) => unreachable!("an active task stood in a queue"),
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
