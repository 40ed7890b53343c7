//! The times that a pool waits for, as data. At most one [`Timer`] looks after them.

use std::task::Waker;
use std::time::{Duration, Instant};

use crate::budget::{Budget, Pace};
use crate::gate::NodeId;
use crate::lock::Lock;
use crate::pool::core::Core;
use crate::pool::core::parts::deadlines::{Deadlines, Filed};
use crate::pool::core::parts::record::Moment;
use crate::pool::core::parts::runtime::Runtime;
use crate::pool::core::rate::Rate;
use crate::pool::core::state::State;
use crate::pool::core::timer::Timer;
use crate::pool::core::window::{Stamp, Window};
use crate::sync::MutexGuard;
use crate::task::{PoolRef, Slot, TaskId};
use crate::unwind::{caught, discard};
use crate::wakes::wake;
use crate::worker::Worker;

/// The times that a pool waits for. The clock's lock may be taken under the pool's lock, but not the other way round.
pub(crate) struct Clock {
    times: Lock<Times>,
}

#[derive(Default)]
struct Times {
    /// The deadlines of the tasks that may wait only for a limited time.
    waits: Deadlines<(Slot, TaskId)>,
    /// `None` in a pool without a rate.
    window: Option<Window>,
    /// `true` if tasks or callers of `throttle` wait for the rate.
    starved: bool,
    /// When the first hold ends, if tasks wait.
    hold_end: Option<Instant>,
    /// When the first interval of a group ends that something waits for.
    group_due: Option<Instant>,
    /// `true` if the lateness of the timers matters for that interval.
    is_group_brisk: bool,
    /// How far the timers are ahead of the clock, if the clock stands still.
    ahead: Duration,
    /// How late the timers are otherwise.
    lateness: Duration,
    timer: Running,
}

/// The pool's timer, as far as the clock knows it.
#[derive(Default)]
struct Running {
    is_up: bool,
    waker: Option<Waker>,
    /// `None` if the timer only waits to be woken.
    until: Option<Instant>,
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
    /// `true` if something waits for the next start. The [timer is told](Core::tell_timer) of this one then.
    pub(crate) is_starved: bool,
}

/// Maximum number of tasks that end in one poll because they have waited too long.
const WAITS_IN_A_POLL: u32 = 64;

/// The lateness of a runtime's timers matters for a rate with a shorter interval than this.
const BRISK: Duration = Duration::from_millis(50);

/// The starts of several groups come back at least so far apart, on average, or the timers of the runtime are exact enough
/// for them: to be more exact for all, the timer would take more than a quarter of a core.
const CLOSEST: Duration = Duration::from_micros(600);

/// Returns `true` if the lateness of a runtime's timers matters for a rate with this interval, where so many rates wait for
/// the timer.
fn is_brisk(per: Duration, rates: u32) -> bool {
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

    fn has_work(&self) -> bool {
        let is_awaited = self.starved || self.hold_end.is_some() || self.group_due.is_some();
        is_awaited || !self.waits.is_empty()
    }

    /// Returns `true` if a timer has to begin, because there is a time to wait for. From then on the timer counts as
    /// running.
    ///
    /// Tasks may wait for the rate while no start is counted: those that there are were granted, and not used yet. A
    /// timer begins when the first of them is [counted](Core::count_first_poll).
    fn begin(&mut self) -> bool {
        let begins = self.next().is_some() && !self.timer.is_up;
        self.timer.is_up |= begins;
        begins
    }

    /// Returns the waker of the timer, if the timer has to look earlier than planned, or has nothing left to do.
    fn nudge(&mut self) -> Option<Waker> {
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

    fn next(&self) -> Option<Instant> {
        let wait = self.waits.first();
        let window = self.window.as_ref().filter(|_| self.starved);
        let start = window.and_then(Window::next);
        let times = [wait, start, self.hold_end, self.group_due];
        times.into_iter().flatten().min()
    }
}

impl State {
    /// Returns `true` if no start of the pool is left, if a group has spent its last one, or if the timer has to be looked
    /// at for another reason.
    #[inline]
    pub(crate) fn is_short(&self) -> bool {
        self.asks_time || self.gate.is_spent(NodeId::ROOT) || self.gate.has_spent()
    }

    fn is_starved(&self) -> bool {
        let is_awaited =
            self.gate.waiting(NodeId::ROOT) > 0 || self.throttles.is_awaited_at(NodeId::ROOT);
        self.gate.is_spent(NodeId::ROOT) && is_awaited
    }
}

/// The rate.
impl Core {
    /// Returns the time of the runtime's clock. It is that of the machine's clock if the runtime's panics, or if the pool
    /// has no runtime yet.
    pub(crate) fn raw_now(&self) -> Instant {
        let Some(spawner) = self.known_spawner() else {
            return Instant::now();
        };
        caught(|| spawner.now()).unwrap_or_else(|payload| {
            discard(payload);
            Instant::now()
        })
    }

    /// Returns the present moment by the runtime's clock, in a timed pool. No other pool needs it.
    ///
    /// The caller has not locked the pool, since the clock may be user code.
    #[inline]
    pub(crate) fn moment(&self) -> Option<Moment> {
        self.settings.is_timed().then(|| self.read_moment())
    }

    #[inline(never)]
    fn read_moment(&self) -> Moment {
        Moment::of(self.raw_now())
    }

    /// Returns this time of the runtime's clock as a moment, in a timed pool.
    pub(crate) fn moment_of(&self, raw: Instant) -> Option<Moment> {
        self.settings.timed.then(|| Moment::of(raw))
    }

    /// Returns the [present moment](Self::moment) for a task that is about to be submitted. This finds the runtime at the
    /// first call.
    #[inline]
    #[track_caller]
    pub(crate) fn moment_of_submission(&self) -> Option<Moment> {
        self.spawner();
        self.moment()
    }

    /// Returns the time that the timers of the pool go by.
    pub(crate) fn now(&self) -> Instant {
        let raw = self.raw_now();
        raw + self.clock.times.lock().ahead
    }

    /// Lets the timer look at a start that was counted, if something waits for the next one.
    pub(crate) fn tell_timer(&self, is_starved: bool) {
        if is_starved && self.keep_time() {
            self.dispatch(self.lock());
        }
    }

    /// Counts a start of the pool again, at the end of its first poll. Returns the time of that.
    pub(crate) fn recount_pool_start(&self, stamp: Option<Stamp>) -> Instant {
        let raw = self.raw_now();
        let mut times = self.clock.times.lock();
        let now = raw + times.ahead;
        if let (Some(window), Some(stamp)) = (&mut times.window, stamp) {
            window.recount(stamp, now);
        }
        now
    }

    /// Gives the gate the starts that have come back, ends the holds that are over, and takes care of the timer. Returns
    /// `true` if there were any.
    pub(crate) fn refill<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
    ) -> (MutexGuard<'a, State>, bool) {
        let (mut state, mut back) = self.refill_now(state);
        state.await_starts();
        let is_starved = state.is_starved();
        state.asks_time = is_starved || !state.holds.is_empty();
        let mut times = self.clock.times.lock();
        (times.starved, times.hold_end) = (is_starved, state.next_hold_end());
        times.group_due = state.rates.next();
        let next = state.rates.next_interval();
        times.is_group_brisk = next.is_some_and(|(per, groups)| is_brisk(per, groups));
        let (begins, waker) = (times.begin(), times.nudge());
        drop(times);
        if begins || waker.is_some() {
            drop(state);
            wake(waker);
            if begins {
                self.launch_timer();
            }
            let refilled = self.refill_now(self.lock());
            state = refilled.0;
            back |= refilled.1;
        }
        (state, back)
    }

    fn refill_now<'a>(&'a self, state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, bool) {
        let is_awaited = !state.holds.is_empty() || state.rates.next().is_some();
        if self.settings.rate.is_none() && !is_awaited {
            return (state, false);
        }
        // The runtime's clock may be user code: it is read with the pool unlocked.
        drop(state);
        let raw = self.raw_now();
        let mut state = self.lock();
        let mut times = self.clock.times.lock();
        let now = raw + times.ahead;
        let back = times.window.as_mut().map_or(0, |window| {
            window.expire(now);
            window.take_back()
        });
        drop(times);
        if back > 0 {
            state.add_starts(NodeId::ROOT, back);
        }
        let mut has_ended = state.end_holds(|until| until <= now);
        has_ended |= state.end_intervals(Some(now));
        (self.tidy(state), has_ended || back > 0)
    }
}

/// The timer.
impl Core {
    /// Makes the timer look at the times that have changed. Returns `true` if it had to be launched: the caller then
    /// dispatches, since tasks that ended inside of the launch may have left that to it.
    pub(crate) fn keep_time(&self) -> bool {
        let mut times = self.clock.times.lock();
        let (begins, waker) = (times.begin(), times.nudge());
        drop(times);
        wake(waker);
        if begins {
            self.launch_timer();
        }
        begins
    }

    fn launch_timer(&self) {
        self.launch(Worker::aside(Timer::of(&self.me(), None)));
    }

    /// Tries a timer on the next of the runtimes that the pool's tasks were submitted from. Returns `false` if none is
    /// left.
    fn relaunch_timer(&self, untried: Option<Vec<Runtime>>) -> bool {
        let mut untried = untried.unwrap_or_else(|| self.lock().runtimes());
        let Some(runtime) = untried.pop() else {
            return false;
        };
        if self.clock.times.lock().begin() {
            let timer = Timer::of(&self.me(), Some(untried));
            self.launch_on(Some(runtime), Worker::aside(timer));
        }
        true
    }

    /// Does what is due, and returns what the timer does next. From now on the clock holds the timer's waker.
    pub(crate) fn tick(&self, waker: Waker) -> Next {
        let raw = self.raw_now();
        let mut times = self.clock.times.lock();
        let now = raw + times.ahead;
        let stale = times.timer.waker.replace(waker);
        let has_back = times.window.as_mut().is_some_and(|window| {
            window.expire(now);
            window.has_back()
        });
        let is_held_too_long = times.hold_end.is_some_and(|end| end <= now);
        let is_group_due = times.group_due.is_some_and(|due| due <= now);
        let is_late = times.waits.first().is_some_and(|first| first <= now);
        drop(times);
        discard(stale);
        if has_back || is_held_too_long || is_group_due || is_late {
            let mut state = self.lock();
            state.asks_time |= is_group_due;
            self.dispatch_nested(state);
        }
        let more = is_late && self.expire_due(now);
        self.clock.plan(more)
    }

    /// Ends the waits whose time is over. Returns `true` if some are left.
    fn expire_due(&self, now: Instant) -> bool {
        let mut budget = Budget::new(WAITS_IN_A_POLL, Pace::Short);
        loop {
            let due = self.clock.times.lock().waits.take_due(now);
            match due {
                Some((slot, id)) => self.expire(slot, id),
                None => return false,
            }
            if !budget.spend(&mut Pace::Short) {
                return true;
            }
        }
    }

    /// Replaces a timer that the runtime has dropped. If the timer was never polled, another runtime is tried.
    pub(crate) fn lose_timer(&self, was_polled: bool, untried: Option<Vec<Runtime>>) {
        let mut times = self.clock.times.lock();
        let lost = std::mem::take(&mut times.timer);
        let begins = was_polled && times.begin();
        drop(times);
        discard(lost.waker);
        if begins {
            self.launch_timer();
        }
        if was_polled {
            self.dispatch_nested(self.lock());
        } else if !self.relaunch_timer(untried) {
            self.go_without();
        }
    }

    /// Goes on without a timer, since none can be had now. As long as something is active, a timer is tried again at
    /// each end; otherwise all waits, intervals and holds are over.
    fn go_without(&self) {
        let mut state = self.lock();
        state.asks_time = true;
        if state.gate.active(NodeId::ROOT) > 0 {
            return;
        }
        let mut times = self.clock.times.lock();
        let waits = std::mem::take(&mut times.waits);
        if let Some(window) = &mut times.window {
            window.clear();
        }
        drop(times);
        while state.end_holds(|_| true) || state.end_intervals(None) {
            state = self.give_way(state);
        }
        drop(state);
        for (slot, id) in waits.into_values() {
            self.expire(slot, id);
        }
        self.dispatch_nested(self.lock());
    }
}

impl Clock {
    fn plan(&self, more: bool) -> Next {
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
