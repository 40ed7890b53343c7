use std::collections::BTreeSet;

/// A set of task numbers, stored as runs: numbers are mostly consecutive, so even many of them use few bytes.
#[derive(Debug, Default, Clone)]
pub(super) struct Ids(Vec<(u64, u64)>);

/// Maximum number of runs. Beyond it, the runs with the lowest numbers are forgotten.
const RUNS: usize = 10_000;

impl Ids {
    pub(super) fn add(&mut self, id: u64) {
        let at = self.0.partition_point(|(first, _)| *first <= id);
        if at > 0 && self.0[at - 1].1 >= id {
            return;
        }
        let joins_before = at > 0 && self.0[at - 1].1 + 1 == id;
        let joins_after = self.0.get(at).is_some_and(|(first, _)| *first == id + 1);
        match (joins_before, joins_after) {
            (true, true) => self.0[at - 1].1 = self.0.remove(at).1,
            (true, false) => self.0[at - 1].1 = id,
            (false, true) => self.0[at].0 = id,
            (false, false) => self.0.insert(at, (id, id)),
        }
        if self.0.len() > RUNS {
            self.0.remove(0);
        }
    }

    pub(super) fn has(&self, id: u64) -> bool {
        let at = self.0.partition_point(|(first, _)| *first <= id);
        at > 0 && self.0[at - 1].1 >= id
    }

    pub(super) fn len(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Returns the first and the last number of each run.
    pub(super) fn runs(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }

    pub(super) fn collect_into(&self, set: &mut BTreeSet<u64>) {
        set.extend(self.0.iter().flat_map(|(first, last)| *first..=*last));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn runs_hold_what_was_added_in_any_order() {
        let mut state = 1_u64;
        let (mut ids, mut model) = (Ids::default(), BTreeSet::new());
        for _ in 0..2_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let id = (state >> 33) % 500;
            ids.add(id);
            model.insert(id);
            let mut held = BTreeSet::new();
            ids.collect_into(&mut held);
            assert_eq!(held, model);
            assert_eq!(ids.len(), model.len() as u64);
        }
        assert!((0..600).all(|id| ids.has(id) == model.contains(&id)));
        assert!(ids.0.len() < 10, "neighbours are one run: {ids:?}");
    }

    #[test]
    fn the_oldest_of_too_many_runs_are_forgotten() {
        let mut ids = Ids::default();
        for id in 0..2 * RUNS as u64 {
            ids.add(2 * id);
        }
        assert_eq!(ids.0.len(), RUNS);
        assert!(!ids.has(0) && ids.has(4 * RUNS as u64 - 2));
    }
}
