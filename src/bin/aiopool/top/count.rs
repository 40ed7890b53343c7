//! Bounds the counts of an answer.

/// Maximum value of a count. A larger one is no real count, and could make sums overflow.
const LARGEST: u64 = 1 << 48;

/// Returns the count, but at most `LARGEST`.
pub(super) fn bounded(count: u64) -> u64 {
    count.min(LARGEST)
}
