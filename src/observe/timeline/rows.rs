use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Rows of a picture, each of which holds one value at a time. A value takes the lowest free row.
#[derive(Debug)]
pub(super) struct Rows<T> {
    taken: Vec<Option<T>>,
    free: BinaryHeap<Reverse<usize>>,
    /// The number of rows that were taken at any time.
    known: usize,
}

impl<T> Rows<T> {
    pub(super) fn new() -> Self {
        Self {
            taken: Vec::new(),
            free: BinaryHeap::new(),
            known: 0,
        }
    }

    /// Takes a row. Returns its index, and `true` if it was never taken before.
    pub(super) fn take(&mut self, value: T) -> (usize, bool) {
        let row = match self.free.pop() {
            Some(Reverse(row)) => {
                self.taken[row] = Some(value);
                row
            }
            None => {
                self.taken.push(Some(value));
                self.taken.len() - 1
            }
        };
        let is_new = row >= self.known;
        self.known = self.known.max(row + 1);
        (row, is_new)
    }

    /// Makes a row free, and returns its value.
    pub(super) fn free(&mut self, row: usize) -> Option<T> {
        let value = self.taken.get_mut(row)?.take()?;
        self.free.push(Reverse(row));
        if self.free.len() == self.taken.len() {
            // Nothing of a peak is kept.
            (self.taken, self.free) = (Vec::new(), BinaryHeap::new());
        }
        Some(value)
    }

    /// Returns the values with their rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let taken = self.taken.iter().enumerate();
        taken.filter_map(|(row, value)| Some((row, value.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_row_is_taken_and_never_one_twice() {
        let mut rows = Rows::new();
        assert_eq!(rows.take('a'), (0, true));
        assert_eq!(rows.take('b'), (1, true));
        assert_eq!(rows.take('c'), (2, true));
        assert_eq!(rows.free(1), Some('b'));
        assert_eq!(rows.free(1), None);
        assert_eq!(rows.free(0), Some('a'));
        assert_eq!(rows.take('d'), (0, false));
        assert_eq!(rows.take('e'), (1, false));
        assert_eq!(rows.take('f'), (3, true));
        let all: Vec<_> = rows.iter().map(|(row, value)| (row, *value)).collect();
        assert_eq!(all, [(0, 'd'), (1, 'e'), (2, 'c'), (3, 'f')]);
    }

    #[test]
    fn rows_that_are_all_free_take_no_memory_and_are_known_still() {
        let mut rows = Rows::new();
        (0..1000).for_each(|i| _ = rows.take(i));
        (0..1000).for_each(|i| _ = rows.free(i));
        assert_eq!((rows.taken.capacity(), rows.free.capacity()), (0, 0));
        assert_eq!(rows.take(0), (0, false));
    }
}
