use std::time::Duration;

use crate::fleet::wire::MAX_DELAYS;

/// What tasks have that are submitted without an option of their own.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) group: String,
    pub(super) deadline: Option<Duration>,
    pub(super) retry: Vec<Duration>,
}

impl Defaults {
    /// The group of a client is its own, unless it names one.
    pub(super) fn new(owner: &str) -> Self {
        Self {
            group: owner.to_owned(),
            deadline: None,
            retry: Vec::new(),
        }
    }
}

/// Takes the delays of a policy, as many as a message carries.
pub(super) fn policy(delays: impl IntoIterator<Item = Duration>) -> Vec<Duration> {
    delays.into_iter().take(MAX_DELAYS).collect()
}
