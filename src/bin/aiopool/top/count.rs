//! What counts as a count, wherever in an answer it stands.

use serde_json::Value;

/// Counts above it are no counts, and would only make sums overflow.
const LARGEST: u64 = 1 << 48;

/// Reads a count: 0 where there is none, and never more than can be added up.
pub(super) fn read(told: &Value) -> u64 {
    told.as_u64().unwrap_or_default().min(LARGEST)
}
