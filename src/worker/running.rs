//! Which worker is being polled on this thread, and so which task.

use std::cell::Cell;
use std::sync::Arc;

use super::Seat;
use crate::task::nested;

thread_local! {
    static RUNNING: Cell<Option<Arc<Seat>>> = const { Cell::new(None) };
}

/// The seat of the task that is being polled on this thread.
pub(crate) fn running() -> Option<Arc<Seat>> {
    let seat = swap(None);
    swap(seat.clone());
    // What a task leaves behind, wakers and results, is not to be taken for the next one.
    seat.filter(|seat| !seat.is_between())
}

/// Makes a seat the running one, until this is dropped. Workers may be polled inside of each other.
pub(crate) struct Entered<'s> {
    seat: &'s mut Option<Arc<Seat>>,
    outer: Option<Arc<Seat>>,
    outer_nested: bool,
}

impl<'s> Entered<'s> {
    #[inline]
    pub(crate) fn new(seat: &'s mut Option<Arc<Seat>>) -> Self {
        let is_nested = seat.as_ref().is_some_and(|seat| seat.is_nested());
        let outer_nested = nested::set_here(is_nested);
        let outer = swap(seat.take());
        Self {
            seat,
            outer,
            outer_nested,
        }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.seat = swap(self.outer.take());
        nested::set_here(self.outer_nested);
    }
}

/// On a thread that is ending nothing is swapped: the seat comes back as it went.
#[inline]
fn swap(seat: Option<Arc<Seat>>) -> Option<Arc<Seat>> {
    let mut seat = Some(seat);
    let swapped = RUNNING.try_with(|running| running.replace(seat.take().flatten()));
    match swapped {
        Ok(outer) => outer,
        Err(_) => seat.flatten(),
    }
}
