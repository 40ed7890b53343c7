use super::seg_vec::SegVec;
use crate::task::{EntryId, Slot};

/// A slot for every live task. Free slots are used again.
///
/// When more than three of four slots are free, and there are more than a [`FEW`], the free ones at the end are given
/// back. Those in front of a live
/// task stay until that task ends.
///
/// # Invariants
///
/// 1. `vacant` is the head of a chain through the free slots. The `prev` of a head has no meaning.
/// 2. Where more than three of four slots are free, and there are more than a [`FEW`], the last slot is taken, unless
///    [`has_excess`](Self::has_excess) returns `true`.
#[derive(Debug)]
pub(crate) struct Register<W, A> {
    entries: SegVec<Entry<W, A>>,
    vacant: u32,
    live: usize,
    has_excess: bool,
}

/// The content and links of one slot. It has 32 bytes, because a million tasks may wait.
#[derive(Debug)]
pub(super) struct Entry<W, A> {
    pub(super) id: EntryId,
    pub(super) content: Content<W, A>,
    /// The neighbours: in a lane while the task is in a queue, in the chain of free slots while the slot is free.
    pub(super) prev: u32,
    pub(super) next: u32,
}

/// The content of a slot.
#[derive(Debug)]
pub(crate) enum Content<W, A> {
    Waiting(W),
    /// The task has been admitted or withdrawn, or it is user code that runs elsewhere. The queue entry tells if it
    /// holds its permits. `None`: the task is about to end, or the slot is free.
    Active(Option<A>),
}

/// Maximum number of free slots that are given back in one go, so that the pool is not locked for long.
const TRIMMED: usize = 1024;

/// Number of slots that stay even if all are free, so that tasks that come one at a time need no new slot.
const FEW: usize = 16;

/// The end of a chain.
pub(super) const NONE: u32 = u32::MAX;

/// The id in a free slot.
pub(super) const NOBODY: EntryId = EntryId::NOTHING;

impl<W, A> Register<W, A> {
    pub(super) fn new() -> Self {
        Self {
            entries: SegVec::new(),
            vacant: NONE,
            live: 0,
            has_excess: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    /// Adds an entry. `make` gets its slot, and returns its content.
    #[inline]
    pub(super) fn insert(&mut self, id: EntryId, make: impl FnOnce(Slot) -> Content<W, A>) -> Slot {
        self.insert_behind(NONE, id, make)
    }

    /// Adds an entry that will follow the slot `prev` in a lane. `make` gets its slot, and returns its content.
    #[inline]
    pub(super) fn insert_behind(
        &mut self,
        prev: u32,
        id: EntryId,
        make: impl FnOnce(Slot) -> Content<W, A>,
    ) -> Slot {
        self.live += 1;
        let next = NONE;
        match self.vacant {
            NONE => {
                let slot = self.new_slot();
                let content = make(Slot(slot));
                self.entries.push(Entry {
                    id,
                    content,
                    prev,
                    next,
                });
                Slot(slot)
            }
            slot => {
                let content = make(Slot(slot));
                let free = self.entries.at(slot as usize);
                self.vacant = free.next;
                (free.id, free.prev, free.next) = (id, prev, next);
                free.content = content;
                Slot(slot)
            }
        }
    }

    /// Frees the slot of an entry that is not waiting and has no worker.
    #[inline]
    pub(super) fn remove(&mut self, slot: Slot) {
        let content = self.take(slot);
        debug_assert!(matches!(content, Content::Active(None)));
    }

    /// Frees a slot, and returns its content.
    #[inline]
    pub(super) fn take(&mut self, slot: Slot) -> Content<W, A> {
        self.live -= 1;
        let content = self.chain(slot.0);
        let slots = self.entries.len();
        if self.live * 4 < slots && slots > FEW {
            self.trim();
        }
        content
    }

    /// Makes a slot the head of the chain of free slots, and returns its content.
    #[inline]
    fn chain(&mut self, slot: u32) -> Content<W, A> {
        let next = std::mem::replace(&mut self.vacant, slot);
        let entry = self.at(slot);
        (entry.id, entry.next) = (NOBODY, next);
        let content = std::mem::replace(&mut entry.content, Content::Active(None));
        if next != NONE {
            self.at(next).prev = slot;
        }
        content
    }

    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Option<&Entry<W, A>> {
        self.entries.get(slot.0 as usize)
    }

    #[inline]
    pub(super) fn at(&mut self, slot: u32) -> &mut Entry<W, A> {
        self.entries.at(slot as usize)
    }

    /// Number of slots, taken and free.
    pub(super) fn end(&self) -> u32 {
        self.entries.len() as u32
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &Entry<W, A>)> {
        let all = self.entries.iter().zip(0..);
        all.filter(|(entry, _)| entry.is_taken())
            .map(|(entry, slot)| (Slot(slot), entry))
    }

    #[inline]
    fn new_slot(&self) -> u32 {
        let slot = self.entries.len();
        assert!(
            slot < NONE as usize,
            "a pool has room for four thousand million tasks"
        );
        slot as u32
    }

    /// Returns `true` if [`trim`](Self::trim) can give back more free slots.
    #[inline]
    pub(super) fn has_excess(&self) -> bool {
        self.has_excess
    }

    /// Removes free slots at the end, at most [`TRIMMED`] at a time, because there may be very many.
    #[inline(never)]
    pub(super) fn trim(&mut self) {
        if self.live == 0 {
            self.entries.clear();
            self.vacant = NONE;
        }
        for _ in 0..TRIMMED {
            self.has_excess = self.entries.last().is_some_and(|last| !last.is_taken());
            if !self.has_excess {
                break;
            }
            self.pop_free();
        }
    }

    /// Removes the last slot, which is free, from the vector and from the chain of free slots.
    fn pop_free(&mut self) {
        let Some(Entry { prev, next, .. }) = self.entries.pop() else {
            return;
        };
        if self.vacant as usize == self.entries.len() {
            self.vacant = next;
            return;
        }
        self.at(prev).next = next;
        if next != NONE {
            self.at(next).prev = prev;
        }
    }
}

impl<W, A> Entry<W, A> {
    pub(super) fn is_taken(&self) -> bool {
        self.id != NOBODY
    }
}
