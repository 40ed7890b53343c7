//! A map from slots to values, for the few slots that have one.

use crate::task::Slot;

/// The values of a few slots among many. A lookup needs no search, and only pages that are in use take much memory.
#[derive(Debug)]
pub(crate) struct SlotMap<T> {
    pages: Vec<Page<T>>,
    len: usize,
}

/// The values of [`PAGE`] consecutive slots.
///
/// Its memory is one allocation, given back when the page has no value. It is not smaller, because glibc's allocator joins all
/// that is free around a page each time that one is freed, and what is free there are tasks that have ended.
#[derive(Debug)]
struct Page<T> {
    notes: Vec<Option<T>>,
    taken: usize,
}

const PAGE: usize = 256;

/// Number of values whose memory stays when the map is empty, so that one task after another needs no new page.
const FEW: usize = 32;

impl<T> Default for SlotMap<T> {
    fn default() -> Self {
        let (pages, len) = (Vec::new(), 0);
        Self { pages, len }
    }
}

impl<T> SlotMap<T> {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        let (page, at) = place(slot);
        self.pages.get(page)?.notes.get(at)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let (page, at) = place(slot);
        self.pages.get_mut(page)?.notes.get_mut(at)?.as_mut()
    }

    /// Stores the value of a slot. Returns the previous one.
    #[inline]
    pub(crate) fn insert(&mut self, slot: Slot, note: T) -> Option<T> {
        let (page, at) = place(slot);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, Page::new);
        }
        let page = &mut self.pages[page];
        let before = match page.notes.get_mut(at) {
            Some(place) => place.replace(note),
            None => {
                page.append(at, note, if (slot.0 as usize) < FEW { FEW } else { PAGE });
                None
            }
        };
        if before.is_none() {
            page.taken += 1;
            self.len += 1;
        }
        before
    }

    #[inline]
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<T> {
        let (at_page, at) = place(slot);
        let page = self.pages.get_mut(at_page)?;
        let note = page.notes.get_mut(at)?.take()?;
        page.taken -= 1;
        self.len -= 1;
        if page.taken == 0 {
            self.drop_page(at_page);
        }
        Some(note)
    }

    /// Frees an empty page. If the map is empty, a small first page stays.
    fn drop_page(&mut self, page: usize) {
        if self.len > 0 {
            self.pages[page] = Page::new();
            return;
        }
        self.pages.truncate(1);
        self.pages.shrink_to(KEPT);
        self.pages[0].shrink();
    }

    /// Returns the number of values that memory is allocated for.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        let notes = self.pages.iter().map(|page| page.notes.capacity());
        self.pages.capacity() + notes.sum::<usize>()
    }
}

/// Capacity of the list of pages that stays when the map is empty.
const KEPT: usize = 64;

impl<T> Page<T> {
    fn new() -> Self {
        Self {
            notes: Vec::new(),
            taken: 0,
        }
    }

    /// Adds a value behind all others. The page takes memory for at least so many.
    #[inline]
    fn append(&mut self, at: usize, note: T, capacity: usize) {
        if at >= self.notes.capacity() {
            self.notes.reserve_exact(capacity - self.notes.len());
        }
        if at > self.notes.len() {
            self.notes.resize_with(at, || None);
        }
        self.notes.push(Some(note));
    }

    /// Gives back what is more than a few, of a page without values.
    fn shrink(&mut self) {
        if self.notes.capacity() > FEW {
            *self = Self::new();
        }
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
        let mut slot_map = SlotMap::default();
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
        assert!(slot_map.is_empty() && slot_map.capacity() <= KEPT + FEW);
    }

    #[test]
    fn a_page_is_freed_with_its_last_value_and_the_first_one_only_while_there_are_others() {
        let (first, second, third) = (Slot(0), Slot(PAGE as u32), Slot(2 * PAGE as u32));
        let mut slot_map = SlotMap::default();
        let pages = |slot_map: &SlotMap<()>| {
            slot_map
                .pages
                .iter()
                .filter(|page| page.notes.capacity() > 0)
                .count()
        };
        for slot in [first, second, third] {
            slot_map.insert(slot, ());
        }
        assert_eq!((slot_map.pages.len(), pages(&slot_map)), (3, 3));
        slot_map.remove(second);
        slot_map.remove(first);
        assert_eq!(pages(&slot_map), 1);
        slot_map.remove(third);
        assert_eq!(pages(&slot_map), 0);
        slot_map.insert(first, ());
        slot_map.remove(first);
        assert_eq!(pages(&slot_map), 1);
        slot_map.insert(Slot(FEW as u32), ());
        slot_map.remove(Slot(FEW as u32));
        assert_eq!(pages(&slot_map), 0, "only a small page stays");
    }
}
