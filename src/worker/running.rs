//! The worker that is being polled on this thread, and so the task that it runs.

use std::cell::Cell;
use std::sync::Arc;

use super::WorkerShared;
use crate::sync::thread_local;

thread_local! {
    static RUNNING: Cell<Option<Arc<WorkerShared>>> = const { Cell::new(None) };
}

/// Returns the worker whose task is being polled on this thread.
pub(crate) fn running() -> Option<Arc<WorkerShared>> {
    let mut shared = None;
    swap(&mut shared);
    let found = shared.clone();
    swap(&mut shared);
    // Between two tasks, the worker runs wakers and destructors that the last task left. Their code does not belong to
    // the next task.
    found.filter(|shared| !shared.is_between())
}

/// Makes a worker the running one of this thread until the guard is dropped. Workers may be polled inside of each
/// other.
pub(crate) struct Entered<'s> {
    /// The worker that this guard has replaced, to be put back.
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

/// Swaps the argument with the running worker. On a thread that is ending, the argument stays as it was.
#[inline]
fn swap(shared: &mut Option<Arc<WorkerShared>>) {
    // If the thread-local is gone, `try_with` does not call the closure: nothing has been taken yet.
    let _ = RUNNING.try_with(|running| *shared = running.replace(shared.take()));
}
