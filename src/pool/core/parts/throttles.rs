use std::collections::{BTreeMap, BTreeSet};
use std::task::Waker;

use crate::gate::NodeId;

/// The callers that wait for a start of each rate on their way, from their own group outwards.
///
/// A caller takes the start of one rate, then waits for the next one. So at each rate callers have their turns in the order
/// of their calls, and one whose group has no start left holds up no others.
#[derive(Default)]
pub(crate) struct Throttles {
    pub(crate) callers: BTreeMap<u64, Caller>,
    /// The callers that wait for a start of a node, of each node that there are any.
    queues: BTreeMap<NodeId, BTreeSet<u64>>,
    /// The nodes with a queue that have got starts.
    pub(crate) ready: BTreeSet<NodeId>,
    /// The number of the last caller.
    last: u64,
}

pub(crate) struct Caller {
    /// `None` once the caller has been woken.
    pub(crate) waker: Option<Waker>,
    /// The node whose start it waits for, or `None` once it has all.
    pub(crate) waits_at: Option<NodeId>,
}

impl Throttles {
    pub(crate) fn is_awaited_at(&self, node: NodeId) -> bool {
        self.queues.contains_key(&node)
    }

    /// Returns `true` if a node with a queue has got starts.
    #[inline]
    pub(crate) fn may_be_granted(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Notes that a node has got starts.
    pub(crate) fn note_starts(&mut self, node: NodeId) {
        if self.is_awaited_at(node) {
            self.ready.insert(node);
        }
    }

    pub(crate) fn add(&mut self, waker: Waker) -> u64 {
        self.last += 1;
        let caller = Caller {
            waker: Some(waker),
            waits_at: None,
        };
        self.callers.insert(self.last, caller);
        self.last
    }

    /// Removes a caller that has all its starts.
    pub(crate) fn take(&mut self, key: u64) -> Option<Caller> {
        let caller = self.callers.get(&key)?;
        caller.waits_at.is_none().then_some(())?;
        self.callers.remove(&key)
    }

    pub(crate) fn set_waker(&mut self, key: u64, waker: Waker) -> Option<Waker> {
        self.callers.get_mut(&key)?.waker.replace(waker)
    }

    pub(crate) fn wait_at(&mut self, node: NodeId, key: u64) {
        self.queues.entry(node).or_default().insert(key);
        if let Some(caller) = self.callers.get_mut(&key) {
            caller.waits_at = Some(node);
        }
    }

    pub(crate) fn first(&self, node: NodeId) -> Option<u64> {
        self.queues.get(&node)?.first().copied()
    }

    /// Removes a caller from the queue that it waits in.
    pub(crate) fn leave_queue(&mut self, node: NodeId, key: u64) {
        let Some(queue) = self.queues.get_mut(&node) else {
            return;
        };
        queue.remove(&key);
        if queue.is_empty() {
            self.queues.remove(&node);
            self.ready.remove(&node);
        }
    }
}
