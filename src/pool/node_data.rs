use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::waiters::Waiters;
use super::{Inner, Stats};
use crate::gate::NodeId;

/// What a pool keeps of itself, and of each of its groups.
#[derive(Debug)]
pub(super) struct NodeData {
    pub(super) name: Arc<str>,
    /// The group that its tasks are said to be in. `None` for the pool around all groups.
    pub(super) group: Option<Arc<str>>,
    pub(super) closed: bool,
    pub(super) stats: Stats,
    pub(super) waiters: Waiters,
    /// Number of items that its feeds will still pull, as far as their iterators can tell.
    pub(super) unpulled: u64,
    /// How often all that waits here has been stopped. A feed that was being pulled then does not go on.
    pub(super) stops: u64,
    /// Number of its tasks that were taken out of the queue, and have not ended.
    pub(super) withdrawn: usize,
    /// How many of its tasks wait in a `join`: those do not wait for each other.
    pub(super) joining: usize,
    /// What its users hold, as long as there are any.
    pub(super) handle: Weak<Inner>,
    /// How many of those there are, with the one that is about to go.
    pub(super) handles: usize,
    pub(super) groups: BTreeMap<Arc<str>, NodeId>,
}

impl NodeData {
    pub(super) fn new(name: Arc<str>, group: Option<Arc<str>>) -> Self {
        Self {
            name,
            group,
            closed: false,
            stats: Stats::default(),
            waiters: Waiters::default(),
            unpulled: 0,
            stops: 0,
            withdrawn: 0,
            joining: 0,
            handle: Weak::new(),
            handles: 0,
            groups: BTreeMap::new(),
        }
    }
}
