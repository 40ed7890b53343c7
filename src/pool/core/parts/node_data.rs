use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Instant;

use crate::gate::NodeId;
use crate::pool::core::inner::Inner;
use crate::pool::lifecycle::waiters::Waiters;
use crate::pool::stats::Stats;

/// What the pool stores for each node: for itself, and for each of its groups.
#[derive(Debug)]
pub(crate) struct NodeData {
    pub(crate) name: Arc<str>,
    /// The group that the tasks of the node are listed with. `None` outside of all named groups.
    pub(crate) group: Option<Arc<str>>,
    /// Maximum number of tasks of the node and the nodes below that may wait, or `None` for any number.
    pub(crate) max_waiting: Option<usize>,
    /// `true` if the queue of the node, or of a node around it, has a bound.
    pub(crate) is_bounded: bool,
    pub(crate) closed: bool,
    pub(crate) stats: Stats,
    pub(crate) waiters: Waiters,
    /// Number of items that the feeds of the node will still pull, as far as their iterators can tell.
    pub(crate) unpulled: u64,
    /// How often everything that waits here has been stopped. A feed that was being pulled at that time does not go on.
    pub(crate) stops: u64,
    /// Number of tasks that were taken out of the queue, and have not ended. Tasks of the root itself are not counted.
    pub(crate) withdrawn: usize,
    /// Number of tasks of the node that wait in a `join`: these do not wait for each other.
    pub(crate) joining: usize,
    /// What the users of the node hold, as long as there are any.
    pub(crate) handle: Weak<Inner>,
    /// The time before which nothing starts here, if there is one. It is in the pool's `holds` too.
    pub(crate) held_until: Option<Instant>,
    /// The innermost node with a rate, of this node and the nodes around it.
    pub(crate) limit: Option<NodeId>,
    /// Number of these handles, including one that is about to be dropped.
    pub(crate) handles: usize,
    pub(crate) groups: BTreeMap<Arc<str>, NodeId>,
}

impl NodeData {
    /// Returns the data of a pool.
    pub(crate) fn of_pool(name: Arc<str>, max_waiting: Option<usize>) -> Self {
        Self {
            name,
            group: None,
            max_waiting,
            is_bounded: max_waiting.is_some(),
            closed: false,
            stats: Stats::default(),
            waiters: Waiters::default(),
            unpulled: 0,
            stops: 0,
            withdrawn: 0,
            joining: 0,
            handle: Weak::new(),
            held_until: None,
            limit: None,
            handles: 0,
            groups: BTreeMap::new(),
        }
    }

    /// Returns the data of a group inside of this node.
    pub(crate) fn of_group(&self, name: Arc<str>, max_waiting: Option<usize>) -> Self {
        Self {
            group: Some(name.clone()),
            is_bounded: self.is_bounded || max_waiting.is_some(),
            limit: self.limit,
            ..Self::of_pool(name, max_waiting)
        }
    }

    /// Returns the data of a group without a name, whose tasks are listed with this node.
    pub(crate) fn of_nameless_group(&self) -> Self {
        Self {
            group: self.group.clone(),
            is_bounded: self.is_bounded,
            limit: self.limit,
            ..Self::of_pool(self.name.clone(), None)
        }
    }
}
