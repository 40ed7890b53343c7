//! Gives back memory that is no longer needed.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash};

/// Up to this capacity an empty set is left as it is, so that the next entries need no new memory.
const KEPT: usize = 1024;

/// Frees the memory of a set that is empty and was large.
pub(crate) fn shrink_set<K: Eq + Hash, S: BuildHasher + Default>(set: &mut HashSet<K, S>) {
    if set.is_empty() && set.capacity() > KEPT {
        *set = HashSet::default();
    }
}
