//! Memory that a crowd has left behind.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// So much is kept for the next to come.
const KEPT: usize = 1024;

/// Gives the memory of a map back once it is empty, and was large.
#[inline]
pub(crate) fn shrink_map<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.is_empty() && map.capacity() > KEPT {
        *map = HashMap::new();
    }
}

/// The same for a set.
pub(crate) fn shrink_set<K: Eq + Hash>(set: &mut HashSet<K>) {
    if set.is_empty() && set.capacity() > KEPT {
        *set = HashSet::new();
    }
}
