//! A map from slots to values, for the few slots that have one.

use crate::task::Slot;

/// The values of a few slots among many. A lookup needs no search, and only pages that are in use take much memory.
#[derive(Debug)]
pub(crate) struct SlotMap<T> {
    slot_map: Vec<Option<Box<Page<T>>>>,
    len: usize,
}

/// The values of [`PAGE`] consecutive slots.
#[derive(Debug)]
struct Page<T> {
    notes: [Option<T>; PAGE],
    taken: usize,
}

const PAGE: usize = 32;

impl<T> SlotMap<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slot_map: Vec::new(),
            len: 0,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        let (page, at) = place(slot);
        self.slot_map.get(page)?.as_ref()?.notes[at].as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let (page, at) = place(slot);
        self.slot_map.get_mut(page)?.as_mut()?.notes[at].as_mut()
    }

    /// Stores the value of a slot. Returns the previous one.
    #[inline]
    pub(crate) fn insert(&mut self, slot: Slot, note: T) -> Option<T> {
        let (page, at) = place(slot);
        if page >= self.slot_map.len() {
            self.slot_map.resize_with(page + 1, || None);
        }
        let page = self.slot_map[page].get_or_insert_with(Page::new);
        let before = page.notes[at].replace(note);
        if before.is_none() {
            page.taken += 1;
            self.len += 1;
        }
        before
    }

    #[inline]
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<T> {
        let (at_page, at) = place(slot);
        let page = self.slot_map.get_mut(at_page)?.as_mut()?;
        let note = page.notes[at].take()?;
        page.taken -= 1;
        self.len -= 1;
        if page.taken == 0 {
            self.drop_page(at_page);
        }
        Some(note)
    }

    /// Frees an empty page. The first page stays if the map is empty, so that one task after another needs no new
    /// page.
    fn drop_page(&mut self, page: usize) {
        if self.len > 0 {
            self.slot_map[page] = None;
        } else {
            self.slot_map.truncate(1);
            self.slot_map.shrink_to(KEPT);
        }
    }

    /// Returns the number of values that memory is allocated for.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.slot_map.capacity() + self.slot_map.iter().flatten().count() * PAGE
    }
}

/// Capacity of the list of pages that stays when the map is empty.
const KEPT: usize = 64;

impl<T> Page<T> {
    fn new() -> Box<Self> {
        Box::new(Self {
            notes: [const { None }; PAGE],
            taken: 0,
        })
    }
}

fn place(slot: Slot) -> (usize, usize) {
    (slot.0 as usize / PAGE, slot.0 as usize % PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_what_a_map_does_and_gives_its_memory_back() {
        let mut slot_map = SlotMap::new();
        let mut map = std::collections::HashMap::new();
        let mut random = 1_u64;
        for step in 0..100_000_u32 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let slot = Slot((random % 5000) as u32);
            match random >> 60 {
                0..8 => {
                    assert_eq!(slot_map.insert(slot, step), map.insert(slot, step));
                }
                _ => assert_eq!(slot_map.remove(slot), map.remove(&slot)),
            }
            assert_eq!(slot_map.get(slot), map.get(&slot));
            assert_eq!(slot_map.get_mut(slot), map.get_mut(&slot));
            assert_eq!(slot_map.is_empty(), map.is_empty());
        }
        for slot in (0..5000).map(Slot) {
            assert_eq!(slot_map.remove(slot), map.remove(&slot));
        }
        assert!(slot_map.is_empty() && slot_map.capacity() <= KEPT + PAGE);
    }
    #[test]
    fn a_page_is_freed_with_its_last_value_and_the_first_one_only_while_there_are_others() {
        let (first, second, third) = (Slot(0), Slot(PAGE as u32), Slot(2 * PAGE as u32));
        let mut slot_map = SlotMap::new();
        let pages = |slot_map: &SlotMap<()>| slot_map.slot_map.iter().flatten().count();
        for slot in [first, second, third] {
            slot_map.insert(slot, ());
        }
        assert_eq!((slot_map.slot_map.len(), pages(&slot_map)), (3, 3));
        slot_map.remove(second);
        slot_map.remove(first);
        assert_eq!(pages(&slot_map), 1);
        slot_map.remove(third);
        assert_eq!(pages(&slot_map), 0);
        slot_map.insert(first, ());
        slot_map.remove(first);
        assert_eq!(pages(&slot_map), 1);
    }
}
