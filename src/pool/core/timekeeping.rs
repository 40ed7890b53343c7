//! What the pool does with the times that it waits for: it gives starts back, ends holds and waits, and runs its timer.

use std::task::Waker;
use std::time::Instant;

use crate::budget::{Budget, Pace};
use crate::gate::NodeId;
use crate::pool::core::Core;
use crate::pool::core::parts::clock::{Next, is_brisk};
use crate::pool::core::parts::record::Moment;
use crate::pool::core::parts::runtime::Runtime;
use crate::pool::core::parts::window::Stamp;
use crate::pool::core::state::State;
use crate::pool::core::timer::Timer;
use crate::sync::MutexGuard;
use crate::task::PoolRef;
use crate::unwind::{caught, discard};
use crate::wakes::wake;
use crate::worker::Worker;

/// Maximum number of tasks that end in one poll because they have waited too long.
const WAITS_IN_A_POLL: u32 = 64;

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
        self.settings.is_timed().then(|| Moment::of(raw))
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
        mut state: MutexGuard<'a, State>,
    ) -> (MutexGuard<'a, State>, bool) {
        // First: a group that has just spent its last start may have others that are free again.
        state.await_starts();
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
