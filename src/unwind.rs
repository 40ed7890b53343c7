//! The one place where panics are caught.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carried.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs foreign code; a panic in it becomes a value.
///
/// Unwind safety is the caller's to keep: what the closure touched is dropped
/// or finished afterwards, never used on.
pub(crate) fn caught<R>(foreign: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(foreign))
}

/// Runs foreign code whose panic concerns nobody, such as the destructor of a
/// value that nobody reads, or a waker.
pub(crate) fn shielded(foreign: impl FnOnce()) {
    if let Err(payload) = caught(foreign) {
        // Its destructor is foreign too, and would run outside of any guard.
        std::mem::forget(payload);
    }
}

/// Drops a value of foreign make.
pub(crate) fn discard<T>(value: T) {
    if std::mem::needs_drop::<T>() {
        shielded(|| drop(value));
    }
}

/// The text of a panic, where it was raised with one.
pub(crate) fn message(payload: &Payload) -> Option<&str> {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
