//! Which worker is being polled on this thread, and so which task.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::Seat;
use crate::task::nested;

thread_local! {
    /// Its worker takes it back at the end of each poll: no thread ends with it, and so it needs no destructor,
    /// which would make every look at it dearer.
    static RUNNING: Cell<Marked> = const { Cell::new(ManuallyDrop::new(None)) };
}

type Marked = ManuallyDrop<Option<Arc<Seat>>>;

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
    outer: Marked,
    outer_nested: bool,
}

impl<'s> Entered<'s> {
    #[inline]
    pub(crate) fn new(seat: &'s mut Option<Arc<Seat>>) -> Self {
        let is_nested = seat.as_ref().is_some_and(|seat| seat.is_nested());
        let outer_nested = nested::set_here(is_nested);
        let outer = ManuallyDrop::new(swap(seat.take()));
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

#[inline]
fn swap(seat: Option<Arc<Seat>>) -> Option<Arc<Seat>> {
    ManuallyDrop::into_inner(RUNNING.replace(ManuallyDrop::new(seat)))
}
