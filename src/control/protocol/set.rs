use std::collections::BTreeSet;

/// A set of numbers that iterates in the order of a CPython set, so that old clients get the output that they expect.
///
/// It is an open-addressing hash table in which the hash of a number is the number itself. A number is stored at its
/// remainder by the size of the table, or in a later slot if that one is taken.
pub(super) struct PythonSet {
    slots: Vec<Option<u64>>,
    used: usize,
}

/// Number of slots behind the first that are tried before the probe jumps to another part of the table.
const NEAR: usize = 9;

impl PythonSet {
    /// Creates the union of sets: adds their numbers one by one, set after set. The order of insertion determines that
    /// of iteration.
    pub(super) fn union(sets: &[BTreeSet<u64>]) -> Self {
        let mut all = Self::new();
        for set in sets {
            let mut one = Self::new();
            set.iter().for_each(|number| one.add(*number));
            one.iter().for_each(|number| all.add(number));
        }
        all
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().copied().flatten()
    }

    fn new() -> Self {
        Self {
            slots: vec![None; 8],
            used: 0,
        }
    }

    fn add(&mut self, number: u64) {
        let slot = self.slot(number);
        if self.slots[slot].replace(number).is_some() {
            return;
        }
        self.used += 1;
        if self.used * 5 >= (self.slots.len() - 1) * 3 {
            self.grow();
        }
    }

    /// Returns the slot that holds the number, or the free slot for it.
    fn slot(&self, number: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut jump = number as usize;
        let mut begin = number as usize & mask;
        loop {
            let near = if begin + NEAR <= mask { NEAR } else { 0 };
            let fits = |slot: &usize| self.slots[*slot].is_none_or(|there| there == number);
            if let Some(slot) = (begin..=begin + near).find(fits) {
                return slot;
            }
            jump >>= 5;
            begin = (begin * 5 + 1 + jump) & mask;
        }
    }

    fn grow(&mut self) {
        let factor = if self.used > 50_000 { 2 } else { 4 };
        let size = (self.used * factor + 1).next_power_of_two().max(8);
        let old = std::mem::replace(&mut self.slots, vec![None; size]);
        for number in old.into_iter().flatten() {
            let slot = self.slot(number);
            self.slots[slot] = Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(sets: &[&[u64]]) -> Vec<u64> {
        let sets: Vec<_> = sets
            .iter()
            .map(|set| set.iter().copied().collect())
            .collect();
        PythonSet::union(&sets).iter().collect()
    }

    /// The expected lists are those of CPython 3.8 to 3.13.
    #[test]
    fn numbers_are_listed_as_python_does() {
        assert_eq!(listed(&[]), [0; 0]);
        assert_eq!(listed(&[&[0, 1, 2]]), [0, 1, 2]);
        assert_eq!(listed(&[&[14, 15, 16]]), [16, 14, 15]);
        assert_eq!(listed(&[&[12, 13], &[14, 15, 16]]), [12, 13, 14, 15, 16]);
        assert_eq!(listed(&[&[7, 8], &[15]]), [8, 15, 7]);
        assert_eq!(
            listed(&[&[1000, 2000, 3000, 8, 16]]),
            [8, 1000, 16, 2000, 3000]
        );
    }

    #[test]
    fn all_are_there_once() {
        let many: Vec<u64> = (0..3000).map(|n| n * n % 10_007).collect();
        let mut set = listed(&[&many, &many]);
        set.sort_unstable();
        let expected: Vec<u64> = many
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        assert_eq!(set, expected);
    }
}
