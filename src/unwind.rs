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
        free(payload);
    }
}

/// Number of payloads that may come of each other's destructors.
const PAYLOADS: usize = 8;

/// Frees what a panic carried. Its destructor is foreign, too, and may panic with yet another.
#[cold]
fn free(payload: Payload) {
    let mut left = Some(payload);
    for _ in 0..PAYLOADS {
        let Some(payload) = left else { return };
        left = caught(|| drop(payload)).err();
    }
    std::mem::forget(left);
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

#[cfg(test)]
mod tests {
    use std::panic::panic_any;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;

    /// A payload that panics with another when it is dropped, so many times.
    struct Again(u32, Arc<AtomicU32>);

    impl Drop for Again {
        fn drop(&mut self) {
            self.1.fetch_add(1, Relaxed);
            if self.0 > 0 {
                panic_any(Again(self.0 - 1, self.1.clone()));
            }
        }
    }

    #[test]
    fn what_a_panic_carried_is_freed_even_if_that_panics() {
        for (panics, freed) in [(0, 1), (3, 4), (1000, PAYLOADS as u32)] {
            let dropped = Arc::new(AtomicU32::new(0));
            shielded(|| panic_any(Again(panics, dropped.clone())));
            assert_eq!(dropped.load(Relaxed), freed);
        }
    }
}
