//! Wakers and values to wake and drop after all locks are released.

use std::any::Any;
use std::sync::Arc;
use std::task::Waker;

use crate::nesting;
use crate::unwind::{discard, shielded};

/// Wakers that are collected under a lock, and woken after it is released.
///
/// Mostly there is one waker or none. One waker needs no allocation.
#[derive(Default)]
#[must_use = "somebody waits to be woken"]
pub(crate) struct Wakes {
    first: Option<Waker>,
    more: Option<Box<More>>,
}

/// What few instances need. It is one allocation, so that all others have only one field to check.
#[derive(Default)]
struct More {
    wakers: Vec<Waker>,
    /// Values that own user values, whose destructors must not run under a lock.
    unused: Vec<Arc<dyn Any + Send + Sync>>,
}

/// Wakes `waker`, if there is one. A panic of the waker is ignored.
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

    /// Stores a value until all locks are released. [`wake`](Self::wake) drops it.
    pub(crate) fn drop_later(&mut self, value: Arc<dyn Any + Send + Sync>) {
        self.more().unused.push(value);
    }

    /// Wakes all wakers. A waker that panics does not prevent the others from being woken.
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
