use std::collections::BTreeSet;
use std::time::Instant;

use crate::gate::NodeId;

/// The nodes that start nothing until some time, by these times.
///
/// A node is here at most once, under the `held_until` of its data, and the gate holds it meanwhile.
pub(crate) type Holds = BTreeSet<(Instant, NodeId)>;
