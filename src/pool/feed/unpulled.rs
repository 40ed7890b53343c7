use crate::gate::NodeId;
use crate::pool::state::State;

/// Number of items that one feed will still pull, counted in its pool and in all pools around that.
///
/// The feed takes it out of the count when it is dropped, which is before its end is made known: its pool is still there.
pub(super) struct Unpulled {
    /// Number of items that the feed has left. Set whenever it has pulled one.
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

    /// Counts what is left, when the feed enters the queue. There it is one entry already.
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

/// Number of items that an iterator has at least, by its size hint. One that may be endless counts as none.
pub(super) fn at_least((lower, upper): (usize, Option<usize>)) -> u64 {
    // Bounded, so that the sum over all feeds does not overflow, whatever their iterators claim.
    const MOST: u64 = 1 << 48;
    upper.map_or(0, |_| (lower as u64).min(MOST))
}
