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
}

impl Pause {
    pub(super) fn new(length: Duration) -> Self {
        let sleep = None;
        Self { length, sleep }
    }

    /// Returns `true` if no pause goes on. Then the next one has begun, if there is a timer.
    pub(super) fn is_over(&mut self, core: &Core, cx: &mut Context<'_>) -> bool {
        if self.goes_on(cx) {
            return false;
        }
        let ended = std::mem::replace(&mut self.sleep, begin(core, self.length));
        discard(ended);
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

    fn goes_on(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(sleep) = &mut self.sleep else {
            return false;
        };
        let polled = caught(|| sleep.as_mut().poll(cx));
        match polled {
            Ok(polled) => polled.is_pending(),
            Err(payload) => {
                discard(payload);
                false
            }
        }
    }
}

fn begin(core: &Core, length: Duration) -> Option<Sleep> {
    if length.is_zero() {
        return None;
    }
    let spawner = core.known_spawner()?;
    caught(|| spawner.sleep(length)).unwrap_or_else(|payload| {
        discard(payload);
        None
    })
}
