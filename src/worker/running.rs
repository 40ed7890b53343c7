//! Which worker is being polled on this thread, and so which task.

use std::cell::Cell;
use std::sync::Arc;

use super::Seat;
use crate::sync::thread_local;

thread_local! {
    static RUNNING: Cell<Option<Arc<Seat>>> = const { Cell::new(None) };
}

/// The seat of the task that is being polled on this thread.
pub(crate) fn running() -> Option<Arc<Seat>> {
    let mut seat = None;
    swap(&mut seat);
    let found = seat.clone();
    swap(&mut seat);
    // What a task leaves behind, wakers and results, is not to be taken for the next one.
    found.filter(|seat| !seat.is_between())
}

/// Makes a seat the running one, until this is dropped. Workers may be polled inside of each other.
pub(crate) struct Entered<'s> {
    /// Which one is the running one otherwise.
    other: &'s mut Option<Arc<Seat>>,
}

impl<'s> Entered<'s> {
    #[inline]
    pub(crate) fn new(seat: &'s mut Option<Arc<Seat>>) -> Self {
        swap(seat);
        Self { other: seat }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        swap(self.other);
    }
}

/// On a thread that is ending nothing is swapped: the seat comes back as it went.
#[inline]
fn swap(seat: &mut Option<Arc<Seat>>) {
    // Where it fails, nothing has been taken yet.
    let _ = RUNNING.try_with(|running| *seat = running.replace(seat.take()));
}
