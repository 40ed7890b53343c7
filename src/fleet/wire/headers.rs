//! Headers as a list of names and values, and the names that the fleet uses.

/// Headers of a message, in order.
pub(crate) type Headers = Vec<(&'static str, String)>;

pub(crate) const WIRE: &str = "Aiop-V";
pub(crate) const JOB: &str = "Aiop-Job";
pub(crate) const OWNER: &str = "Aiop-Owner";
pub(crate) const BATCH: &str = "Aiop-Batch";
pub(crate) const NOTIFY: &str = "Aiop-Notify";
pub(crate) const DEADLINE: &str = "Aiop-Deadline";
pub(crate) const RETRY: &str = "Aiop-Retry";
pub(crate) const TRIES: &str = "Aiop-Tries";
pub(crate) const ORIGIN: &str = "Aiop-Origin";
pub(crate) const GROUP: &str = "Aiop-Group";
pub(crate) const ID: &str = "Aiop-Id";
pub(crate) const DUE: &str = "Aiop-Due";
pub(crate) const OUTCOME: &str = "Aiop-Outcome";
pub(crate) const EVENT: &str = "Aiop-Event";
pub(crate) const REASON: &str = "Aiop-Reason";
pub(crate) const SUBJECT: &str = "Aiop-Subject";
