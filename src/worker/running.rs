//! Which worker is being polled on this thread, and so which task.

use std::cell::Cell;
use std::sync::Arc;

use super::WorkerShared;
use crate::sync::thread_local;

thread_local! {
    static RUNNING: Cell<Option<Arc<WorkerShared>>> = const { Cell::new(None) };
}

/// The worker of the task that is being polled on this thread.
pub(crate) fn running() -> Option<Arc<WorkerShared>> {
    let mut shared = None;
    swap(&mut shared);
    let found = shared.clone();
    swap(&mut shared);
    // What a task leaves behind, wakers and results, is not to be taken for the next one.
    found.filter(|shared| !shared.is_between())
}

/// Makes a worker the running one, until this is dropped. Workers may be polled inside of each other.
pub(crate) struct Entered<'s> {
    /// Which one is the running one otherwise.
    other: &'s mut Option<Arc<WorkerShared>>,
}

impl<'s> Entered<'s> {
    #[inline]
    pub(crate) fn new(shared: &'s mut Option<Arc<WorkerShared>>) -> Self {
        swap(shared);
        Self { other: shared }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        swap(self.other);
    }
}

/// On a thread that is ending nothing is swapped: the argument stays as it was.
#[inline]
fn swap(shared: &mut Option<Arc<WorkerShared>>) {
    // Where it fails, nothing has been taken yet.
    let _ = RUNNING.try_with(|running| *shared = running.replace(shared.take()));
}
