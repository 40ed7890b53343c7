use super::node::Demand;
use super::register::NONE;
use super::tree::NodeId;

/// What the gate stores of a task in addition to its slot.
///
/// A task without an entry is in the root, has no options, and has not lent its permits: it is
/// [`DEFAULT`](Self::DEFAULT).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct QueueEntry {
    pub(super) demand: Demand,
    /// The node that the task was submitted to. It waits in the queue of this node.
    pub(super) home: u32,
    pub(super) state: EntryState,
    /// The neighbours in the list of tasks that were submitted to the same group.
    pub(super) prev: u32,
    pub(super) next: u32,
}

/// Tells if a task has its permits, where the content of its slot alone does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EntryState {
    /// The slot tells: an active task has its permits.
    BySlot,
    /// The task has its permits, which it had lent, and its first poll with them is not over. Noted only while a new
    /// task waits for its turn.
    JustBack,
    /// The task has lent its permits, and does not want them back yet.
    Lent,
    /// The task has lent its permits, and waits in the queue to get them back.
    Returning,
    /// User code that runs elsewhere waits in the queue for its first permit.
    Elsewhere,
}

impl QueueEntry {
    pub(super) const DEFAULT: Self = Self {
        demand: Demand::DEFAULT,
        home: NodeId::ROOT.0,
        state: EntryState::BySlot,
        prev: NONE,
        next: NONE,
    };

    pub(super) fn new(home: NodeId, demand: Demand, state: EntryState) -> Self {
        Self {
            demand,
            home: home.0,
            state,
            prev: NONE,
            next: NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_task_with_options_takes_as_much_again_as_its_slot() {
        assert_eq!(size_of::<Option<QueueEntry>>(), 32);
    }
}
