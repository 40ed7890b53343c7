use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::gate::Demand;
use crate::pool::core::parts::runtime::Runtime;
use crate::task::{TaskId, TaskInfo, TaskLabel, TaskState};

/// What the pool records of a task beyond its queue entry. Tasks for which there is nothing to record have none.
#[derive(Debug, Default)]
pub(crate) struct TaskRecord {
    /// The label of a task that has a name or a tag of its own.
    pub(crate) label: Option<Arc<TaskLabel>>,
    /// `None` in a pool that is not timed.
    pub(crate) times: Option<Times>,
    /// The runtime that the task starts on, if it is not the main one.
    pub(crate) runtime: Option<Runtime>,
}

/// The time when a task was submitted, and the time of its first poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    submitted: Moment,
    started: Option<Moment>,
}

/// A time in half the size of an [`Instant`], because many waiting tasks carry two of them.
///
/// It is in nanoseconds, and [`MIDDLE`](Self::MIDDLE) is the time of the first conversion. The paused clock of a runtime
/// may be behind that time, hence there are as many moments before it as after it: enough for 292 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(NonZeroU64);

impl Moment {
    const MIDDLE: NonZeroU64 = NonZeroU64::MIN.saturating_add(i64::MAX as u64);

    #[inline]
    pub(crate) fn of(time: Instant) -> Self {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        Self::from_first(*FIRST.get_or_init(Instant::now), time)
    }

    #[inline]
    fn from_first(first: Instant, time: Instant) -> Self {
        match time.checked_duration_since(first) {
            Some(after) => Self(Self::MIDDLE.saturating_add(nanoseconds(after))),
            None => Self::before_first(first.saturating_duration_since(time)),
        }
    }

    #[cold]
    fn before_first(before: Duration) -> Self {
        let moment = Self::MIDDLE.get().saturating_sub(nanoseconds(before));
        Self(NonZeroU64::new(moment).unwrap_or(NonZeroU64::MIN))
    }

    /// Returns how much later this moment is. That is no time if the clock went back, or if the two moments are of
    /// different clocks.
    fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}

impl TaskRecord {
    /// Returns the record of a task without options that is submitted from another runtime than the main one.
    pub(crate) fn of_runtime(runtime: Option<Runtime>) -> Option<Self> {
        runtime.map(|runtime| Self {
            runtime: Some(runtime),
            ..Self::default()
        })
    }

    /// Returns the record of a task without options that is submitted at this moment to a timed pool.
    pub(crate) fn of_moment(submitted: Moment) -> Self {
        Self {
            times: Some(Times::new(submitted)),
            ..Self::default()
        }
    }

    /// Returns `true` if there is nothing to record.
    pub(crate) fn is_empty(&self) -> bool {
        self.label.is_none() && self.times.is_none() && self.runtime.is_none()
    }
}

impl Times {
    /// Returns the times of a task that is submitted at this moment.
    pub(crate) fn new(submitted: Moment) -> Self {
        Self {
            submitted,
            started: None,
        }
    }

    /// Notes that the task is about to be polled for the first time.
    pub(crate) fn start(&mut self, now: Moment) {
        self.started = Some(now);
    }

    /// Notes that the task was polled as soon as it was there, as the item of a feed is.
    pub(crate) fn start_at_once(&mut self) {
        self.started = Some(self.submitted);
    }

    pub(crate) fn waited(self, now: Option<Moment>) -> Option<Duration> {
        Some(self.started.or(now)?.since(self.submitted))
    }

    pub(crate) fn running(self, now: Option<Moment>) -> Option<Duration> {
        Some(now?.since(self.started?))
    }
}

/// Describes a task for a listing or an observer, without its tag.
pub(crate) fn info(
    id: TaskId,
    name: String,
    group: Option<&str>,
    state: TaskState,
    demand: Demand,
    times: Option<Times>,
    now: Option<Moment>,
) -> TaskInfo {
    TaskInfo {
        id,
        name,
        group: group.map(str::to_owned),
        state,
        priority: demand.priority,
        weight: demand.weight,
        waited: times.and_then(|times| times.waited(now)),
        running: times.and_then(|times| times.running(now)),
        tag: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_half_as_large_as_an_instant_and_none_costs_nothing() {
        assert_eq!(size_of::<Option<Moment>>() * 2, size_of::<Instant>());
        assert_eq!(size_of::<Option<Times>>(), size_of::<Instant>());
    }

    #[test]
    fn moments_are_as_far_apart_as_their_times_also_before_the_first_one() {
        let first = Instant::now() + Duration::from_secs(1000);
        let moment = |at: i64| {
            let distance = Duration::from_nanos(at.unsigned_abs());
            let time = if at < 0 {
                first - distance
            } else {
                first + distance
            };
            Moment::from_first(first, time)
        };
        let times = [-1_000_000_007_i64, -2, -1, 0, 1, 2, 1_000_000_007];
        for from in times {
            for to in times {
                let apart = Duration::from_nanos((to - from).try_into().unwrap_or(0));
                assert_eq!(moment(to).since(moment(from)), apart, "from {from} to {to}");
            }
        }
    }

    #[test]
    fn a_time_that_is_too_far_away_is_the_last_moment() {
        let first = Instant::now();
        let Some(far) = first.checked_add(Duration::from_secs(1 << 40)) else {
            return;
        };
        assert_eq!(Moment::from_first(first, far).0, NonZeroU64::MAX);
        assert_eq!(Moment::from_first(far, first).0, NonZeroU64::MIN);
    }
}
