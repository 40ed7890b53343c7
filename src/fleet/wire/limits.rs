//! Limits of the wire protocol.

/// The version of the messages. A task of another version is not run.
pub(crate) const VERSION: &str = "1";

/// Bytes of the text of a failure, at most.
pub(crate) const LONGEST_TEXT: usize = 16 * 1024;

/// Maximum number of delays of a retry policy, so that the header stays small.
pub(crate) const MAX_DELAYS: usize = 64;
