use std::task::Context;
use std::time::Duration;

use crate::pool::Core;
use crate::task::Sleep;
use crate::unwind::{caught, discard};

/// The time between two items of a stream, by the timer of the pool's runtime.
///
/// Whatever the timer does, no stream hangs or fails: if there is no timer, or it panics, or has no effect, there is no
/// pause.
pub(super) struct Pause {
    pub(super) length: Duration,
    sleep: Option<Sleep>,
    /// `true` once a timer has panicked. It is not tried again, since each panic may be reported.
    has_panicked: bool,
}

impl Pause {
    pub(super) fn new(length: Duration) -> Self {
        Self {
            length,
            sleep: None,
            has_panicked: false,
        }
    }

    /// Returns `true` if no pause goes on. Then the next one has begun, if there is a timer.
    pub(super) fn is_over(&mut self, core: &Core, cx: &mut Context<'_>) -> bool {
        if self.goes_on(cx) {
            return false;
        }
        self.stop();
        self.sleep = self.begin(core);
        // A timer that is ready at once would keep the stream busy.
        if !self.goes_on(cx) {
            self.stop();
        }
        true
    }

    /// Returns `true` if a pause goes on, whose end wakes the stream.
    pub(super) fn is_on(&self) -> bool {
        self.sleep.is_some()
    }

    pub(super) fn stop(&mut self) {
        discard(self.sleep.take());
    }

    fn begin(&mut self, core: &Core) -> Option<Sleep> {
        if self.length.is_zero() || self.has_panicked {
            return None;
        }
        let spawner = core.known_spawner()?;
        let length = self.length;
        self.caught(|| spawner.sleep(length)).flatten()
    }

    fn goes_on(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(mut sleep) = self.sleep.take() else {
            return false;
        };
        let polled = self.caught(|| sleep.as_mut().poll(cx));
        self.sleep = Some(sleep);
        polled.is_some_and(|polled| polled.is_pending())
    }

    fn caught<R>(&mut self, use_timer: impl FnOnce() -> R) -> Option<R> {
        let done = caught(use_timer);
        self.has_panicked |= done.is_err();
        done.map_err(discard).ok()
    }
}
