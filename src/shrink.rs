//! Memory that a crowd has left behind.

use std::collections::HashSet;
use std::hash::Hash;

/// So much is kept for the next to come.
const KEPT: usize = 1024;

/// Gives the memory of a set back once it is empty, and was large.
pub(crate) fn shrink_set<K: Eq + Hash>(set: &mut HashSet<K>) {
    if set.is_empty() && set.capacity() > KEPT {
        *set = HashSet::new();
    }
}
