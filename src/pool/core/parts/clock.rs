//! The times that a pool waits for, as data. At most one [`Timer`](crate::pool::core::timer::Timer) looks after them.

use std::task::Waker;
use std::time::{Duration, Instant};

use crate::lock::Lock;
use crate::pool::core::parts::deadlines::{Deadlines, Filed};
use crate::pool::core::parts::rate::Rate;
use crate::pool::core::parts::window::{Stamp, Window};
use crate::task::{Slot, TaskId};
use crate::unwind::discard;

/// The times that a pool waits for. The clock's lock may be taken under the pool's lock, but not the other way round.
pub(crate) struct Clock {
    pub(crate) times: Lock<Times>,
}

#[derive(Default)]
pub(crate) struct Times {
    /// The deadlines of the tasks that may wait only for a limited time.
    pub(crate) waits: Deadlines<(Slot, TaskId)>,
    /// `None` in a pool without a rate.
    pub(crate) window: Option<Window>,
    /// `true` if tasks or callers of `throttle` wait for the rate.
    pub(crate) starved: bool,
    /// When the first hold ends, if tasks wait.
    pub(crate) hold_end: Option<Instant>,
    /// When the first interval of a group ends that something waits for.
    pub(crate) group_due: Option<Instant>,
    /// `true` if the lateness of the timers matters for that interval.
    pub(crate) is_group_brisk: bool,
    /// How far the timers are ahead of the clock, if the clock stands still.
    pub(crate) ahead: Duration,
    /// How late the timers are otherwise.
    pub(crate) lateness: Duration,
    pub(crate) timer: Running,
}

/// The pool's timer, as far as the clock knows it.
#[derive(Default)]
pub(crate) struct Running {
    pub(crate) is_up: bool,
    pub(crate) waker: Option<Waker>,
    /// `None` if the timer only waits to be woken.
    pub(crate) until: Option<Instant>,
}

/// What the timer does next.
pub(crate) enum Next {
    /// The timer ends.
    Nothing,
    /// The timer continues at once: there is more to do than one poll should take.
    More,
    /// The timer waits to be woken, or until this time.
    Wait(Option<Instant>),
}

/// A start, as far as the rate of the pool counts it.
pub(crate) struct PoolStart {
    /// The time by the timers of the pool.
    pub(crate) now: Instant,
    pub(crate) stamp: Option<Stamp>,
    /// `true` if something waits for the next start. The [timer is told](crate::pool::core::Core::tell_timer) of this one then.
    pub(crate) is_starved: bool,
}

/// The lateness of a runtime's timers matters for a rate with a shorter interval than this.
const BRISK: Duration = Duration::from_millis(50);

/// The starts of several groups come back at least so far apart, on average, or the timers of the runtime are exact enough
/// for them: to be more exact for all, the timer would take more than a quarter of a core.
const CLOSEST: Duration = Duration::from_micros(600);

/// Returns `true` if the lateness of a runtime's timers matters for a rate with this interval, where so many rates wait for
/// the timer.
pub(crate) fn is_brisk(per: Duration, rates: u32) -> bool {
    per < BRISK && (rates == 1 || per >= CLOSEST.saturating_mul(rates))
}

/// The most that a timer is late, on a runtime that is not busy.
pub(crate) const LATEST: Duration = Duration::from_millis(2);

/// The most that such a timer is early.
const EARLIEST: Duration = Duration::from_millis(5);

/// The resolution of the coarsest timers.
const TICK: Duration = Duration::from_millis(1);

impl Clock {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        let times = Times {
            window: rate.map(Window::new),
            ..Times::default()
        };
        Self {
            times: Lock::new(times),
        }
    }

    /// Returns how far a time of the runtime's clock is from a deadline, and how late a timer for that deadline would
    /// be, where that matters.
    pub(crate) fn remaining(&self, raw: Instant, until: Instant) -> (Duration, Duration) {
        let times = self.times.lock();
        let starved = times.window.as_ref().filter(|_| times.starved);
        let is_pool_brisk = starved.is_some_and(|window| is_brisk(window.per(), 1));
        let late = if is_pool_brisk || times.is_group_brisk {
            times.lateness
        } else {
            Duration::ZERO
        };
        (until.saturating_duration_since(raw + times.ahead), late)
    }

    /// Files the time until which a task may wait. Returns `true` with it if the timer has to be told: it does not run,
    /// or knows of no time as early as this.
    pub(crate) fn file_wait(&self, until: Instant, slot: Slot, id: TaskId) -> (Filed, bool) {
        let mut times = self.times.lock();
        let is_first = times.waits.first().is_none_or(|first| until < first);
        let filed = times.waits.insert(until, (slot, id));
        (filed, is_first || !times.timer.is_up)
    }

    /// Ends the time that a task may wait. Returns the waker of the timer, if the timer has nothing left to do.
    #[must_use = "to be woken when no lock is held"]
    pub(crate) fn end_wait(&self, filed: Filed) -> Option<Waker> {
        let mut times = self.times.lock();
        times.waits.remove(filed);
        if times.has_work() {
            None
        } else {
            times.nudge()
        }
    }

    /// Returns `true` if the pool has a timer at the moment.
    pub(crate) fn has_timer(&self) -> bool {
        self.times.lock().timer.is_up
    }

    /// Counts a start in the rate of the pool, if it has one, at this time of the runtime's clock.
    pub(crate) fn count_start(&self, raw: Instant) -> PoolStart {
        let mut times = self.times.lock();
        let now = raw + times.ahead;
        PoolStart {
            now,
            stamp: times.window.as_mut().map(|window| window.count(now)),
            is_starved: times.starved,
        }
    }

    /// Compares a sleep that has ended with the clock.
    ///
    /// A sleep that has ended long before its time shows that the clock stands still: then the time is what the timers
    /// say. A sleep that truly took less than its length shows that the clock jumps to its timers: none of them is
    /// late.
    pub(crate) fn learn(
        &self,
        begun: Instant,
        length: Duration,
        raw: Instant,
        truly_took: Duration,
    ) {
        let took = raw.saturating_duration_since(begun);
        let mut times = self.times.lock();
        let is_early = took + EARLIEST < length && took < length / 2;
        if is_early || (took < length && !times.ahead.is_zero()) {
            times.leap(raw, length.max(TICK) - took);
        } else {
            let late = took.saturating_sub(length).min(LATEST);
            times.lateness = if truly_took < length {
                Duration::ZERO
            } else {
                late.max(times.lateness * 7 / 8)
            };
        }
    }
}

impl Times {
    /// Moves the time ahead of the clock by `to`, and up to a grain further if the next start comes back there: starts
    /// that were made while the timer began come back together with those that the timer was made for.
    fn leap(&mut self, raw: Instant, to: Duration) {
        let now = raw + self.ahead;
        let window = self.window.as_ref();
        let next = window.and_then(|window| Some((window.next()?, window.grain())));
        let next = next.map(|(next, grain)| (next.saturating_duration_since(now), grain));
        let with_next = next.filter(|(next, grain)| *next <= to + *grain);
        self.ahead += with_next.map_or(to, |(next, _)| to.max(next));
    }

    pub(crate) fn has_work(&self) -> bool {
        let is_awaited = self.starved || self.hold_end.is_some() || self.group_due.is_some();
        is_awaited || !self.waits.is_empty()
    }

    /// Returns `true` if a timer has to begin, because there is a time to wait for. From then on the timer counts as
    /// running.
    ///
    /// Tasks may wait for the rate while no start is counted: those that there are were granted, and not used yet. A
    /// timer begins when the first of them is [counted](crate::pool::core::Core::count_first_poll).
    pub(crate) fn begin(&mut self) -> bool {
        let begins = self.next().is_some() && !self.timer.is_up;
        self.timer.is_up |= begins;
        begins
    }

    /// Returns the waker of the timer, if the timer has to look earlier than planned, or has nothing left to do.
    pub(crate) fn nudge(&mut self) -> Option<Waker> {
        let next = self.next();
        let is_early = match (next, self.timer.until) {
            (Some(next), Some(until)) => next < until,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_early || !self.has_work() {
            self.timer.waker.take()
        } else {
            None
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        let wait = self.waits.first();
        let window = self.window.as_ref().filter(|_| self.starved);
        let start = window.and_then(Window::next);
        let times = [wait, start, self.hold_end, self.group_due];
        times.into_iter().flatten().min()
    }
}

impl Clock {
    pub(crate) fn plan(&self, more: bool) -> Next {
        let mut times = self.times.lock();
        if !times.has_work() {
            let timer = std::mem::take(&mut times.timer);
            drop(times);
            discard(timer.waker);
            return Next::Nothing;
        }
        if more {
            return Next::More;
        }
        let until = times.next();
        times.timer.until = until;
        Next::Wait(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timer_is_exact_for_short_intervals_of_few_groups() {
        let ms = Duration::from_millis;
        assert!(is_brisk(Duration::from_micros(1), 1) && is_brisk(ms(49), 1));
        assert!(!is_brisk(ms(50), 1) && !is_brisk(Duration::MAX, 1));
        assert!(is_brisk(ms(6), 10) && !is_brisk(ms(6), 11));
        assert!(!is_brisk(ms(49), u32::MAX));
    }
}
