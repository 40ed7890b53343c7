//! The headers that the fleet uses. A message has one of them.

/// Name and value of a header.
pub(crate) type Header = (&'static str, String);

pub(crate) const TASK: &str = "Aiop-Task";
pub(crate) const OUTCOME: &str = "Aiop-Outcome";
pub(crate) const EVENT: &str = "Aiop-Event";
pub(crate) const REASON: &str = "Aiop-Reason";
pub(crate) const SUBJECT: &str = "Aiop-Subject";
