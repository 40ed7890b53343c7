use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::pool::core::Core;
use crate::pool::core::parts::clock::{LATEST, Next};
use crate::pool::core::parts::runtime::Runtime;
use crate::pool::core::sleeper::{Ring, ring_at};
use crate::task::{PoolRef, Sleep};
use crate::unwind::{caught, discard};

/// The timer of a pool: for all tasks that may wait only until some time, and for all rates.
///
/// It is one task of the runtime. It starts when there is something to time, and ends when there is nothing any more.
pub(crate) struct Timer {
    /// `None` once there is nothing to time. Until then tasks wait in the pool, and the timer may be the last that
    /// keeps the pool alive.
    core: Option<Arc<Core>>,
    nap: Option<Nap>,
    was_polled: bool,
    /// The runtimes that are left to try if this one refuses the timer. `None` at the first try.
    untried: Option<Vec<Runtime>>,
}

/// A wait until some time. It uses the runtime's timer and, where that is not exact enough, the sleeper thread for the
/// last stretch.
struct Nap {
    until: Instant,
    /// By the real clock, which never stands still, unlike the paused clock of a runtime.
    begun: Instant,
    /// `None` in the last stretch, which is too short for the timers of a runtime.
    sleep: Option<Slept>,
    /// The alarm of the sleeper thread, in the last stretch.
    ring: Option<Ring>,
}

struct Slept {
    sleep: Sleep,
    begun: Instant,
    /// By the real clock, which never stands still.
    truly_begun: Instant,
    length: Duration,
}

/// No wake is more exact than this. During the rest of the time, the timer yields to the runtime again and again.
const EXACT: Duration = Duration::from_micros(150);

impl Timer {
    pub(crate) fn of(core: &Arc<Core>, untried: Option<Vec<Runtime>>) -> Self {
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
        // A last stretch that takes too long shows that the clock of the runtime stands still: then only a sleep of the
        // runtime ends it.
        let is_near = !reach.is_zero() && remaining <= reach + EXACT;
        if is_near && nap.begun.elapsed() < remaining + 2 * LATEST {
            nap.sleep = None;
            nap.doze(remaining, cx);
            return Poll::Pending;
        }
        let length = if is_near {
            remaining
        } else {
            remaining - reach
        };
        nap.sleep.get_or_insert_with(|| Slept {
            sleep: core.sleep(length),
            begun: raw,
            truly_begun: Instant::now(),
            length,
        });
        self.poll_sleep(core, cx)
    }

    /// Polls the sleep, if there is one. When it has ended, compares it with the clock.
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
        // Twice, because a sleep may have just ended.
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
    /// Waits for a part of the last stretch: by the sleeper thread, then by yielding.
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
            // A runtime whose timer panics counts as a runtime without one.
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
    /// Tells the pool that it has no timer any more, unless the timer ended because there was nothing to time.
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
