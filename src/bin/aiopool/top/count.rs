//! Reads counts from an answer.

use serde_json::Value;

/// Maximum value of a count. A larger one is no real count, and could make sums overflow.
const LARGEST: u64 = 1 << 48;

/// Reads a count. Returns 0 if the value is none, and at most `LARGEST`.
pub(super) fn read(told: &Value) -> u64 {
    told.as_u64().unwrap_or_default().min(LARGEST)
}
