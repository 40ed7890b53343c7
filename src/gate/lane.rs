use super::register::{Content, NONE, Register};
use crate::task::{Slot, TaskId};

/// The queue of one priority: a chain through the register.
///
/// Joining it, leaving it at the front and leaving it from the middle cost the
/// same, and an empty lane holds no memory.
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

    /// Files a newcomer at the end; `make` learns its slot first.
    #[inline]
    pub(super) fn enter<W, A>(
        &mut self,
        id: TaskId,
        register: &mut Register<W, A>,
        make: impl FnOnce(Slot) -> W,
    ) {
        let content = |slot| Content::Waiting(make(slot));
        let slot = register.insert_behind(self.tail, id, content);
        self.append(slot, register);
    }

    /// Makes one the last who knows already whom it stands behind.
    #[inline]
    fn append<W, A>(&mut self, slot: Slot, register: &mut Register<W, A>) {
        match self.tail {
            NONE => self.head = slot.0,
            last => register.at(last).next = slot.0,
        }
        self.tail = slot.0;
    }

    /// Makes the first active, and takes it out.
    #[inline]
    pub(super) fn start<W, A>(
        &mut self,
        by: Option<A>,
        register: &mut Register<W, A>,
    ) -> Option<(Slot, TaskId, W)> {
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

    /// Takes one out. What the first entry has for a predecessor means nothing.
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
