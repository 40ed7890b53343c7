use std::mem;

use crate::unwind::discard;

/// A list that drops its elements one by one, from the last on.
///
/// The destructor of one that panics keeps none of the others from being dropped. A panic there is
/// swallowed, so that two of them do not end the process.
pub(super) struct Shed<T>(Vec<T>);

impl<T> Shed<T> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn list(&mut self) -> &mut Vec<T> {
        &mut self.0
    }

    pub(super) fn push(&mut self, element: T) {
        self.0.push(element);
    }

    /// Takes the elements out, for somebody who minds them.
    pub(super) fn take(&mut self) -> Vec<T> {
        mem::take(&mut self.0)
    }
}

impl<T> Drop for Shed<T> {
    fn drop(&mut self) {
        while let Some(last) = self.0.pop() {
            discard(last);
        }
    }
}
