//! Limits how long one poll may go on.
//!
//! A runtime handles its timers and sockets only between polls. So code that runs many steps in one poll stops
//! after a number of steps, or after a short time, whichever is first.

use std::time::{Duration, Instant};

use crate::sync::MODELLED;

/// Counts the steps of one poll, and reads the clock now and then.
pub(crate) struct Budget {
    steps: u32,
    most: u32,
    /// The number of steps after which the clock is read next.
    next_look: u32,
    /// When the poll began. If steps are short, it is `None` until the clock is read for the first time.
    begun: Option<Instant>,
}

/// How long the steps of a poll were. The next poll begins with this value.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Pace {
    /// Several steps fit into a poll. Most polls have one step, and do not read the clock.
    #[default]
    Short,
    /// The clock is read before the first step, so that a long step is the only one in its poll.
    Long,
}

/// Time after which no further step begins.
const TIME: Duration = Duration::from_micros(16);

/// Maximum number of steps between two reads of the clock. If steps become long, at most this many go unnoticed.
const STRIDE: u32 = 8;

impl Budget {
    /// Creates a budget of `most` steps, for a poll that begins now.
    #[inline]
    pub(crate) fn new(most: u32, pace: Pace) -> Self {
        Self {
            steps: 0,
            most,
            next_look: 1,
            begun: (pace == Pace::Long).then(Instant::now),
        }
    }

    /// Creates a budget that only counts steps, and never reads the clock.
    pub(crate) fn untimed(most: u32) -> Self {
        Self {
            next_look: most,
            ..Self::new(most, Pace::Short)
        }
    }

    /// Counts a step. Returns `true` if another step may follow, and updates `pace` if the clock was read.
    #[inline]
    pub(crate) fn spend(&mut self, pace: &mut Pace) -> bool {
        self.steps += 1;
        if self.steps >= self.most {
            return false;
        }
        if self.steps >= self.next_look {
            *pace = self.look();
        }
        *pace == Pace::Short
    }

    fn look(&mut self) -> Pace {
        // While steps are short, the clock is read less and less often.
        self.next_look += self.next_look.min(STRIDE);
        let begun = self.begun.get_or_insert_with(Instant::now);
        if MODELLED || begun.elapsed() < TIME {
            Pace::Short
        } else {
            Pace::Long
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// Takes steps of this duration, and returns how many were in the poll. The real clock does not influence it.
    fn steps(pace: &mut Pace, most: u32, time: Duration) -> u32 {
        let (mut budget, mut took) = (Budget::new(most, *pace), Duration::ZERO);
        let mut step = || {
            if let Some(begun) = &mut budget.begun {
                took += time;
                *begun = if took < TIME {
                    Instant::now() + HOUR
                } else {
                    Instant::now() - TIME
                };
            }
            budget.spend(pace)
        };
        (1..).find(|_| !step()).unwrap()
    }

    #[test]
    fn a_poll_has_so_many_steps_if_they_take_no_time() {
        for most in [1, 2, 64] {
            assert_eq!(steps(&mut Pace::Short, most, Duration::ZERO), most);
        }
    }

    #[test]
    fn a_long_step_is_alone_in_its_poll_until_they_are_short_again() {
        let mut pace = Pace::Short;
        assert_eq!(steps(&mut pace, 64, TIME), 2);
        assert_eq!(steps(&mut pace, 64, TIME), 1);
        assert_eq!(steps(&mut pace, 64, TIME), 1);
        assert_eq!(steps(&mut pace, 64, Duration::ZERO), 64);
        assert_eq!(pace, Pace::Short);
    }

    #[test]
    fn a_budget_without_clock_counts_steps_alone() {
        let (mut budget, mut pace) = (Budget::untimed(40), Pace::Short);
        budget.begun = Some(Instant::now() - HOUR);
        assert_eq!((1..).find(|_| !budget.spend(&mut pace)), Some(40));
    }

    #[test]
    fn a_poll_is_over_soon_after_its_time() {
        for per_poll in [2, 4, 10, 30] {
            let ran = steps(&mut Pace::Long, 64, TIME / per_poll);
            assert!(
                (per_poll..=per_poll + STRIDE).contains(&ran),
                "{ran} of {per_poll}"
            );
        }
    }
}
