use std::sync::Arc;
use std::task::Waker;

use super::tracker::Tracker;
use crate::task::{Body, End, Outcome, Receiver, TaskId};

/// A task that a feed has made.
pub(super) type Item<Fut, X> = Body<Fut, X, Counted>;

/// Where the outcome of an item goes: it has no handle, and only its end is counted.
pub(super) struct Counted {
    pub(super) tracker: Arc<Tracker>,
    pub(super) id: TaskId,
    /// The index of the item in the tracker.
    pub(super) place: usize,
}

impl<T> Receiver<T> for Counted {
    fn id(&self) -> TaskId {
        self.id
    }

    fn has_no_reader(&self) -> bool {
        true
    }

    fn complete(&self, end: End, _: &mut Option<Outcome<T>>) -> Option<Waker> {
        self.tracker.end_item(self.place, end)
    }
}
