//! Catches panics of user code. Only `pool::scope` and `control` catch panics elsewhere: those of futures they await.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The payload of a panic.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs user code, and returns its panic as an error.
///
/// The caller is responsible for unwind safety: it drops or finishes what the closure touched, and does not use it
/// any further.
pub(crate) fn caught<R>(foreign: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(foreign))
}

/// Runs user code and ignores its panic, for a waker, or for the destructor of a value that is not needed.
pub(crate) fn shielded(foreign: impl FnOnce()) {
    if let Err(payload) = caught(foreign) {
        free(payload);
    }
}

/// Maximum number of payloads that are dropped in a row, where the destructor of each panics with the next.
const PAYLOADS: usize = 8;

/// Drops the payload of a panic. Its destructor is user code as well, and may panic with another payload.
#[cold]
fn free(payload: Payload) {
    let mut left = Some(payload);
    for _ in 0..PAYLOADS {
        let Some(payload) = left else { return };
        left = caught(|| drop(payload)).err();
    }
    // A leak is better than an endless loop.
    std::mem::forget(left);
}

/// Drops a value whose destructor may be user code, and ignores its panic.
pub(crate) fn discard<T>(value: T) {
    if std::mem::needs_drop::<T>() {
        shielded(|| drop(value));
    }
}

/// Returns the message of a panic, if it has one.
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

    /// A payload that panics with another payload when it is dropped, this many times.
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
