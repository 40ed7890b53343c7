use std::sync::{Arc, OnceLock};

use crate::gate::NodeId;
use crate::observe::Observed;
use crate::pool::core::Core;
use crate::task::TaskLabel;

/// The state that the clones of a pool or a group share. Tasks do not hold it: when the last clone drops it, no handle
/// is left that could resume the pool, so its `Drop` does that.
pub(crate) struct Inner {
    pub(crate) core: Arc<Core>,
    pub(crate) label: Arc<TaskLabel>,
    pub(crate) node: NodeId,
    /// `true` if the queue of the node, or of a node around it, has a bound.
    pub(crate) is_bounded: bool,
    /// The description of tasks without options for the observer. Set by the first such task that is observed.
    pub(crate) observed: OnceLock<Arc<Observed>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.core.drop_handle(self.node);
    }
}
