use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::clock::{LATEST, Next};
use super::core::Core;
use super::runtime::Runtime;
use super::sleeper::{Ring, ring_at};
use crate::task::{PoolRef, Sleep};
use crate::unwind::{caught, discard};

/// Keeps the time of a pool: for all of its tasks that wait until some time, or for the rate.
///
/// It is one task of the runtime, begun when something is to be timed, and ended when nothing is any more.
pub(super) struct Timer {
    /// `None` once there is nothing to time: tasks wait until then, and perhaps nobody else keeps their pool.
    core: Option<Arc<Core>>,
    nap: Option<Nap>,
    was_polled: bool,
    /// Where else to try if this runtime refuses it: `None` if it is the first try.
    untried: Option<Vec<Runtime>>,
}

/// A wait for some time.
struct Nap {
    until: Instant,
    /// By a clock that does not stand still.
    begun: Instant,
    /// `None` for the last stretch, which is too short for the runtime's timers.
    sleep: Option<Slept>,
    /// For the last stretch.
    ring: Option<Ring>,
}

struct Slept {
    sleep: Sleep,
    begun: Instant,
    /// By a clock that does not stand still.
    truly_begun: Instant,
    length: Duration,
}

/// Nothing wakes more exactly than this: what is left then, the timer yields to the runtime again and again.
const EXACT: Duration = Duration::from_micros(150);

impl Timer {
    pub(super) fn of(core: &Arc<Core>, untried: Option<Vec<Runtime>>) -> Self {
        Self {
            core: Some(core.clone()),
            nap: None,
            was_polled: false,
            untried,
        }
    }

    fn wait(&mut self, core: &Core, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if self.nap.as_ref().is_none_or(|nap| nap.until != until) {
            self.nap = Some(Nap {
                until,
                begun: Instant::now(),
                sleep: None,
                ring: None,
            });
        }
        let Some(nap) = &mut self.nap else {
            return Poll::Pending;
        };
        let raw = core.raw_now();
        let (remaining, reach) = core.clock.remaining(raw, until);
        if remaining.is_zero() {
            return Poll::Ready(());
        }
        let is_near = !reach.is_zero() && remaining <= reach + EXACT;
        if is_near && nap.begun.elapsed() < remaining + 2 * LATEST {
            nap.sleep = None;
            nap.doze(remaining, cx);
            return Poll::Pending;
        }
        let length = match is_near {
            true => remaining,
            false => remaining - reach,
        };
        nap.sleep.get_or_insert_with(|| Slept {
            sleep: core.sleep(length),
            begun: raw,
            truly_begun: Instant::now(),
            length,
        });
        self.poll_sleep(core, cx)
    }

    /// Polls the sleep, if there is one, and compares it with the clock when it has ended.
    fn poll_sleep(&mut self, core: &Core, cx: &mut Context<'_>) -> Poll<()> {
        let Some(nap) = &mut self.nap else {
            return Poll::Pending;
        };
        let Some(slept) = &mut nap.sleep else {
            return Poll::Pending;
        };
        ready!(slept.sleep.as_mut().poll(cx));
        let (begun, length) = (slept.begun, slept.length);
        let truly_took = slept.truly_begun.elapsed();
        (nap.begun, nap.sleep) = (Instant::now(), None);
        core.clock.learn(begun, length, core.raw_now(), truly_took);
        Poll::Ready(())
    }

    fn look(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(core) = self.core.clone() else {
            return Poll::Ready(());
        };
        let _ = self.poll_sleep(&core, cx);
        // Once more after a sleep that has just ended.
        for _ in 0..2 {
            let until = match core.tick(cx.waker().clone()) {
                Next::Nothing => return Poll::Ready(()),
                Next::More => break,
                Next::Wait(until) => until,
            };
            let is_over = match until {
                Some(until) => self.wait(&core, until, cx).is_ready(),
                None => {
                    self.nap = None;
                    false
                }
            };
            if !is_over {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Nap {
    /// Waits for a part of the last stretch.
    fn doze(&mut self, remaining: Duration, cx: &mut Context<'_>) {
        if remaining <= EXACT {
            return cx.waker().wake_by_ref();
        }
        let ring = self.ring.as_ref();
        if !ring.is_some_and(|ring| ring.is_due_for(cx.waker())) {
            let at = Instant::now() + (remaining - EXACT);
            self.ring = Some(ring_at(at, cx.waker()));
        }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.was_polled = true;
        let polled = caught(|| self.look(cx)).unwrap_or_else(|payload| {
            // A runtime whose timers panic keeps no time.
            discard(payload);
            self.was_polled = false;
            self.lose();
            Poll::Ready(())
        });
        if polled.is_ready() {
            self.core = None;
        }
        polled
    }
}

impl Timer {
    /// Tells the pool that its time is kept no longer, unless there is none to keep.
    fn lose(&mut self) {
        if let Some(core) = self.core.take() {
            core.lose_timer(self.was_polled, self.untried.take());
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.lose();
    }
}
