//! A vector in pieces.

/// Grows and shrinks by pieces of one size, so that no entry is ever moved for that.
///
/// A vector in one piece would copy millions of entries while the pool is locked.
///
/// # Invariants
///
/// 1. All chunks before the last that has entries are full.
/// 2. At most one empty chunk is kept.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

/// So many entries are in one piece.
const CHUNK: usize = 512;

impl<T> Chunks<T> {
    pub(super) const fn new() -> Self {
        let chunks = Vec::new();
        Self { chunks, len: 0 }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// # Panics
    ///
    /// Panics if there is no such entry.
    #[inline]
    pub(super) fn at(&mut self, at: usize) -> &mut T {
        &mut self.chunks[at / CHUNK][at % CHUNK]
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.get(self.len.checked_sub(1)?)
    }

    #[inline]
    pub(super) fn push(&mut self, entry: T) {
        match self.chunks.get_mut(self.len / CHUNK) {
            Some(chunk) => chunk.push(entry),
            None => self.push_to_new(entry),
        }
        self.len += 1;
    }

    #[cold]
    fn push_to_new(&mut self, entry: T) {
        // The first one grows from nothing, since most pools are small.
        let mut chunk = match self.len {
            0 => Vec::new(),
            _ => Vec::with_capacity(CHUNK),
        };
        chunk.push(entry);
        self.chunks.push(chunk);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        let at = last / CHUNK;
        let popped = self.chunks[at].pop();
        self.len = last;
        if last % CHUNK == 0 {
            self.chunks.truncate(at + 1);
        }
        popped
    }

    pub(super) fn clear(&mut self) {
        self.chunks.truncate(1);
        self.chunks.iter_mut().for_each(Vec::clear);
        self.len = 0;
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.chunks.iter().map(Vec::capacity).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_what_a_vector_does_and_gives_its_memory_back() {
        let (mut chunks, mut vector) = (Chunks::new(), Vec::new());
        for up_to in [10, CHUNK, CHUNK + 1, 5 * CHUNK, 3, 3 * CHUNK + 7, CHUNK, 0] {
            while vector.len() < up_to {
                chunks.push(vector.len());
                vector.push(vector.len());
            }
            while vector.len() > up_to {
                assert_eq!(chunks.pop(), vector.pop());
            }
            assert_eq!(chunks.len(), vector.len());
            assert_eq!(chunks.last(), vector.last());
            assert_eq!(chunks.get(up_to), None);
            assert!(chunks.iter().eq(&vector));
            assert!(chunks.capacity() <= (up_to + CHUNK).next_multiple_of(CHUNK));
        }
        assert_eq!(chunks.pop(), None);
    }

    #[test]
    fn at_the_edge_of_a_chunk_nothing_is_given_back_and_taken_again() {
        let mut chunks = Chunks::new();
        (0..=CHUNK).for_each(|n| chunks.push(n));
        let capacity = chunks.capacity();
        for _ in 0..3 {
            chunks.pop();
            assert_eq!(chunks.capacity(), capacity);
            chunks.push(CHUNK);
        }
        chunks.clear();
        assert_eq!((chunks.len(), chunks.capacity()), (0, CHUNK));
    }
}
