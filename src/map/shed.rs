use std::mem;

use crate::unwind::discard;

/// A list that drops its elements one by one, from the last to the first.
///
/// If the destructor of an element panics, the other elements are dropped nevertheless. The panic is discarded, so that
/// two such panics do not abort the process.
pub(super) struct Shed<T>(Vec<T>);

impl<T> Shed<T> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn list(&mut self) -> &mut Vec<T> {
        &mut self.0
    }

    pub(super) fn push(&mut self, element: T) {
        self.0.push(element);
    }

    /// Takes the elements out. The caller then drops them.
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
