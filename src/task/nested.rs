//! Whether the task that is polled on this thread has waited for its own pool.
//!
//! A hint, cheap enough to be looked at whenever a handle is dropped.

use std::cell::Cell;

thread_local! {
    static NESTED: Cell<bool> = const { Cell::new(false) };
}

#[inline]
pub(crate) fn here() -> bool {
    NESTED.get()
}

/// Returns what it was before.
#[inline]
pub(crate) fn set_here(nested: bool) -> bool {
    NESTED.replace(nested)
}
