//! A vector that stores its entries in chunks.

/// A vector that grows and shrinks by chunks of one size. To do so, it moves no entries, except in a small first chunk.
///
/// A vector with one buffer would copy millions of entries while the pool is locked.
///
/// # Invariants
///
/// 1. All chunks before the last that has entries are full.
/// 2. There is at most one empty chunk.
#[derive(Debug)]
pub(super) struct SegVec<T> {
    seg_vec: Vec<Vec<T>>,
    len: usize,
}

/// Number of entries in a chunk.
const CHUNK: usize = 512;

impl<T> SegVec<T> {
    pub(super) const fn new() -> Self {
        let seg_vec = Vec::new();
        Self { seg_vec, len: 0 }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.seg_vec.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// Returns an entry.
    ///
    /// # Panics
    ///
    /// Panics if there is no such entry.
    #[inline]
    pub(super) fn at(&mut self, at: usize) -> &mut T {
        &mut self.seg_vec[at / CHUNK][at % CHUNK]
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.get(self.len.checked_sub(1)?)
    }

    #[inline]
    pub(super) fn push(&mut self, entry: T) {
        match self.seg_vec.get_mut(self.len / CHUNK) {
            Some(chunk) => chunk.push(entry),
            None => self.push_to_new(entry),
        }
        self.len += 1;
    }

    #[cold]
    fn push_to_new(&mut self, entry: T) {
        // The first chunk grows on demand, because most pools are small.
        let mut chunk = match self.len {
            0 => Vec::new(),
            _ => Vec::with_capacity(CHUNK),
        };
        chunk.push(entry);
        self.seg_vec.push(chunk);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        let at = last / CHUNK;
        let popped = self.seg_vec[at].pop();
        self.len = last;
        // One empty chunk stays, so that pushes and pops at the edge of a chunk do not allocate again and again.
        if last % CHUNK == 0 {
            self.seg_vec.truncate(at + 1);
        }
        popped
    }

    pub(super) fn clear(&mut self) {
        self.seg_vec.truncate(1);
        self.seg_vec.iter_mut().for_each(Vec::clear);
        self.len = 0;
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.seg_vec.iter().flatten()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.seg_vec.iter().map(Vec::capacity).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_what_a_vector_does_and_gives_its_memory_back() {
        let (mut seg_vec, mut vector) = (SegVec::new(), Vec::new());
        for up_to in [10, CHUNK, CHUNK + 1, 5 * CHUNK, 3, 3 * CHUNK + 7, CHUNK, 0] {
            while vector.len() < up_to {
                seg_vec.push(vector.len());
                vector.push(vector.len());
            }
            while vector.len() > up_to {
                assert_eq!(seg_vec.pop(), vector.pop());
            }
            assert_eq!(seg_vec.len(), vector.len());
            assert_eq!(seg_vec.last(), vector.last());
            assert_eq!(seg_vec.get(up_to), None);
            assert!(seg_vec.iter().eq(&vector));
            assert!(seg_vec.capacity() <= (up_to + CHUNK).next_multiple_of(CHUNK));
        }
        assert_eq!(seg_vec.pop(), None);
    }

    #[test]
    fn at_the_edge_of_a_chunk_nothing_is_given_back_and_taken_again() {
        let mut seg_vec = SegVec::new();
        (0..=CHUNK).for_each(|n| seg_vec.push(n));
        let capacity = seg_vec.capacity();
        for _ in 0..3 {
            seg_vec.pop();
            assert_eq!(seg_vec.capacity(), capacity);
            seg_vec.push(CHUNK);
        }
        seg_vec.clear();
        assert_eq!((seg_vec.len(), seg_vec.capacity()), (0, CHUNK));
    }
}
