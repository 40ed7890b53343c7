use crate::gate::NodeId;
use crate::pool::core::state::State;

/// Number of items that one feed will still pull, counted in its node and in all nodes around that.
///
/// When the source is dropped, it takes its items out of the count. That is before the end of the feed is made known,
/// so its node still exists.
pub(super) struct Unpulled {
    /// Number of items that the feed has left. Set after each pull.
    pub(super) left: u64,
    counted: u64,
}

impl Unpulled {
    pub(super) fn new(left: u64) -> Self {
        Self { left, counted: 0 }
    }

    pub(super) fn is_counted(&self) -> bool {
        self.counted > 0
    }

    /// Counts the items that are left, when the source enters the queue. One of them is not counted, because the source
    /// itself is a queue entry there.
    pub(super) fn count(&mut self, state: &mut State, home: NodeId) {
        self.set(state, home, self.left.saturating_sub(1));
    }

    pub(super) fn uncount(&mut self, state: &mut State, home: NodeId) {
        self.set(state, home, 0);
    }

    fn set(&mut self, state: &mut State, home: NodeId, count: u64) {
        let before = std::mem::replace(&mut self.counted, count);
        if before != count {
            state.gate.each_data_from(home, |data| {
                data.unpulled = data.unpulled - before + count;
            });
        }
    }
}

/// Returns the number of items that an iterator has at least, by its size hint. The result is 0 if there is no upper
/// bound, since the iterator may be endless.
pub(super) fn at_least((lower, upper): (usize, Option<usize>)) -> u64 {
    // Bounded, so that the sum over all feeds does not overflow, whatever their iterators claim.
    const MOST: u64 = 1 << 48;
    upper.map_or(0, |_| (lower as u64).min(MOST))
}

/// Returns the number of items that an iterator has, if its size hint is exact.
pub(super) fn exactly((lower, upper): (usize, Option<usize>)) -> Option<u64> {
    (upper == Some(lower)).then_some(lower as u64)
}
