use super::node::{Demand, Ticket};
use super::register::NONE;
use super::tree::NodeId;

/// Where somebody stands who is not at the pool's own node, or is more than a plain task there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct QueueEntry {
    pub(super) demand: Demand,
    /// The node it was submitted to, in whose queue it stands.
    pub(super) home: u32,
    /// When it came there, among those of all nodes.
    pub(super) ticket: Ticket,
    pub(super) state: EntryState,
    /// The neighbours in the list of those who were submitted to the same group.
    pub(super) prev: u32,
    pub(super) next: u32,
}

/// Whether somebody has its permits, where its slot alone does not say so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EntryState {
    /// As its slot says: an active one has them.
    BySlot,
    /// It has lent them, and does not want them now.
    Lent,
    /// It has lent them, and is on its way back.
    Returning,
    /// It stands in the queue, for code that runs elsewhere.
    Asking,
}

impl QueueEntry {
    pub(super) const DEFAULT: Self = Self {
        demand: Demand::DEFAULT,
        home: NodeId::ROOT.0,
        ticket: Ticket::FIRST,
        state: EntryState::BySlot,
        prev: NONE,
        next: NONE,
    };

    pub(super) fn new(home: NodeId, demand: Demand, state: EntryState, ticket: Ticket) -> Self {
        Self {
            demand,
            home: home.0,
            ticket,
            state,
            prev: NONE,
            next: NONE,
        }
    }
}
