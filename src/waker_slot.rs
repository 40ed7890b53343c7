//! A place for a waker in data behind a lock.

use std::ops::DerefMut;
use std::task::Waker;

use crate::unwind::discard;

/// A place for the waker of one future, in data behind a lock.
///
/// The destructor of a waker is user code. So both methods that drop one unlock the data first.
#[derive(Debug, Default)]
pub(crate) struct WakerSlot(Option<Waker>);

impl WakerSlot {
    /// Leaves a waker in the slot of locked data, in place of the one that was there, and unlocks.
    pub(crate) fn leave<G: DerefMut>(
        mut data: G,
        slot: impl FnOnce(&mut G::Target) -> &mut Self,
        waker: Waker,
    ) {
        let stale = slot(&mut data).0.replace(waker);
        drop(data);
        discard(stale);
    }

    /// Takes the waker out of the slot of locked data, unlocks, and drops the waker: nothing waits any more.
    pub(crate) fn clear<G: DerefMut>(mut data: G, slot: impl FnOnce(&mut G::Target) -> &mut Self) {
        let stale = slot(&mut data).take();
        drop(data);
        discard(stale);
    }

    /// Takes the waker out, to be woken when no lock is held.
    #[must_use = "to be woken when no lock is held"]
    pub(crate) fn take(&mut self) -> Option<Waker> {
        self.0.take()
    }
}
