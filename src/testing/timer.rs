use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::clock::{Clock, TimerKey};

/// A timer that ends when the clock of its [`ManualSpawner`](super::ManualSpawner) has been moved far enough. Returned by
/// [`ManualSpawner::timer`](super::ManualSpawner::timer).
///
/// The time begins when the timer is made. Dropping it has no further effect.
#[must_use = "it does nothing unless it is awaited"]
pub struct Timer {
    clock: Arc<Clock>,
    /// `None` if it never ends.
    key: Option<TimerKey>,
}

impl Timer {
    pub(super) fn new(clock: Arc<Clock>, key: Option<TimerKey>) -> Self {
        Self { clock, key }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.key {
            Some(key) if self.clock.watch(key, cx.waker()) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.forget(key);
        }
    }
}
