//! What is to be woken and dropped once nothing is locked.

use std::any::Any;
use std::sync::Arc;
use std::task::Waker;

use crate::nesting;
use crate::unwind::{discard, shielded};

/// Wakers collected under a lock, to be woken after it.
///
/// Mostly there is one, or none: one fits without an allocation.
#[derive(Default)]
#[must_use = "somebody waits to be woken"]
pub(crate) struct Wakes {
    first: Option<Waker>,
    more: Option<Box<More>>,
}

/// What few of them have: one allocation, and nothing to look at for all others.
#[derive(Default)]
struct More {
    wakers: Vec<Waker>,
    /// Values that hold foreign ones, whose destructors are not to run under a lock.
    unused: Vec<Arc<dyn Any + Send + Sync>>,
}

/// Wakes one, if there is one. A waker that panics does so to itself.
#[inline]
pub(crate) fn wake(waker: Option<Waker>) {
    if waker.is_some() {
        let wakes = Wakes {
            first: waker,
            more: None,
        };
        wakes.wake();
    }
}

impl Wakes {
    #[inline]
    pub(crate) fn add(&mut self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.more().wakers.push(waker),
        }
    }

    #[cold]
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Keeps a value until nothing is locked, and drops it then.
    pub(crate) fn drop_later(&mut self, value: Arc<dyn Any + Send + Sync>) {
        self.more().unused.push(value);
    }

    /// Wakes them all. One that panics does not keep the others asleep.
    #[inline(always)]
    pub(crate) fn wake(self) {
        if self.first.is_some() || self.more.is_some() {
            self.wake_nested();
        }
    }

    #[inline(never)]
    fn wake_nested(self) {
        match nesting::enter() {
            Some(_within) => self.wake_here(),
            None => nesting::postpone(move || self.wake_here()),
        }
    }

    #[inline]
    fn wake_here(self) {
        if let Some(waker) = self.first {
            shielded(|| waker.wake());
        }
        if let Some(more) = self.more {
            more.wake_here();
        }
    }
}

impl More {
    #[cold]
    fn wake_here(self) {
        let wakers = self.wakers.into_iter();
        wakers.for_each(|waker| shielded(|| waker.wake()));
        self.unused.into_iter().for_each(discard);
    }
}
