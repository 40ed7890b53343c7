use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Dispatcher, Worker};
use crate::task::Sleep;

/// Gives some starts back to a pool with a rate, when the interval after them is over.
///
/// Dropped by a runtime that ends, it gives them back at once: what waits is to learn of that.
pub(super) struct Refill {
    sleep: Sleep,
    starts: u32,
    dispatcher: Arc<dyn Dispatcher>,
}

impl Refill {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(cx)
    }
}

impl Drop for Refill {
    fn drop(&mut self) {
        self.dispatcher.refill(self.starts);
    }
}

impl Worker {
    /// Makes the timer for starts that were just made.
    pub(crate) fn refill(sleep: Sleep, starts: u32, dispatcher: Arc<dyn Dispatcher>) -> Self {
        Self::timing(Refill {
            sleep,
            starts,
            dispatcher,
        })
    }
}
