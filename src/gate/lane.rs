use super::register::{Content, NONE, Register};
use crate::task::{EntryId, Slot};

/// The queue of one priority: a chain through the register.
///
/// To push an entry, to take the first one and to unlink one in the middle cost the same. An empty lane takes no
/// memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    head: u32,
    tail: u32,
}

impl Lane {
    pub(super) const EMPTY: Self = Self {
        head: NONE,
        tail: NONE,
    };

    pub(super) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    pub(super) fn first(&self) -> Option<Slot> {
        (!self.is_empty()).then_some(Slot(self.head))
    }

    #[inline]
    pub(super) fn push<W, A>(&mut self, slot: Slot, register: &mut Register<W, A>) {
        let entry = register.at(slot.0);
        (entry.prev, entry.next) = (self.tail, NONE);
        self.append(slot, register);
    }

    /// Adds a new task to the end. `make` gets its slot, and returns the task.
    #[inline]
    pub(super) fn enter<W, A>(
        &mut self,
        id: EntryId,
        register: &mut Register<W, A>,
        make: impl FnOnce(Slot) -> W,
    ) {
        let content = |slot| Content::Waiting(make(slot));
        let slot = register.insert_behind(self.tail, id, content);
        self.append(slot, register);
    }

    /// Makes an entry the last one. Its `prev` is set already.
    #[inline]
    fn append<W, A>(&mut self, slot: Slot, register: &mut Register<W, A>) {
        match self.tail {
            NONE => self.head = slot.0,
            last => register.at(last).next = slot.0,
        }
        self.tail = slot.0;
    }

    /// Removes the first task, and makes it active with the worker `by`.
    #[inline]
    pub(super) fn start<W, A>(
        &mut self,
        by: Option<A>,
        register: &mut Register<W, A>,
    ) -> Option<(Slot, EntryId, W)> {
        let first = self.first()?;
        let entry = register.at(first.0);
        self.head = entry.next;
        if self.is_empty() {
            self.tail = NONE;
        }
        match std::mem::replace(&mut entry.content, Content::Active(by)) {
            Content::Waiting(waiting) => Some((first, entry.id, waiting)),
            Content::Active(_) => unreachable!("an active task stood in a queue"),
        }
    }

    /// Removes an entry. The `prev` of the first entry has no meaning, so that it needs no update.
    #[inline]
    pub(super) fn unlink<W, A>(&mut self, slot: Slot, register: &mut Register<W, A>) {
        let entry = register.at(slot.0);
        let (prev, next) = (entry.prev, entry.next);
        let first = self.head == slot.0;
        if next == NONE {
            self.tail = if first { NONE } else { prev };
        } else if !first {
            register.at(next).prev = prev;
        }
        if first {
            self.head = next;
        } else {
            register.at(prev).next = next;
        }
    }
}
