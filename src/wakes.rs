//! Whom to wake once nothing is locked.

use std::task::Waker;

use crate::unwind::shielded;

/// Wakers collected under a lock, to be woken after it.
///
/// Mostly there is one, or none: one fits without an allocation.
#[derive(Default)]
#[must_use = "somebody waits to be woken"]
pub(crate) struct Wakes {
    first: Option<Waker>,
    more: Vec<Waker>,
}

/// Wakes one, if there is one. A waker that panics does so to itself.
#[inline]
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        shielded(|| waker.wake());
    }
}

impl Wakes {
    #[inline]
    pub(crate) fn add(&mut self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.more.push(waker),
        }
    }

    /// Wakes them all. One that panics does not keep the others asleep.
    #[inline]
    pub(crate) fn wake(self) {
        if self.first.is_some() {
            wake(self.first);
            self.more.into_iter().for_each(|waker| wake(Some(waker)));
        }
    }
}
