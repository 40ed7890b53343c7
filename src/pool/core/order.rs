use std::sync::Arc;

use crate::gate::{Demand, NodeId};
use crate::pool::core::parts::blocks::Blocks;
use crate::pool::core::parts::record::TaskRecord;
use crate::task::TaskLabel;

/// What is submitted together with the future of a task.
pub(crate) struct Order {
    pub(crate) home: NodeId,
    pub(crate) demand: Demand,
    /// `None` if the pool has nothing to record of the task.
    pub(crate) record: Option<TaskRecord>,
    /// `None` for a task that never runs where it may block.
    pub(crate) blocks: Option<Blocks>,
    pub(crate) patience: Patience,
    /// The label for the handles of the task.
    pub(crate) label: Arc<TaskLabel>,
}

/// What a pool does with a new task that has to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Patience {
    /// The task waits, unless the queue has a bound and is full.
    Park,
    /// The task waits only in a queue that has a bound.
    Try,
    /// The task waits, even in a queue that is full.
    Stand,
}
