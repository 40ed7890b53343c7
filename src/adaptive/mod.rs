//! A size that follows what the tasks of a pool run into.

mod controller;

use std::ops::RangeInclusive;
use std::time::Duration;

pub(crate) use self::controller::{Controller, Sample};

/// How the size of a pool follows what its tasks run into, between two bounds. See
/// [`Builder::adaptive`](crate::Builder::adaptive).
///
/// | | sees | grows | shrinks |
/// |---|---|---|---|
/// | [`gradient`](Self::gradient) | how long tasks take, and failures | by half of the square root of the size | as tasks take longer than they would alone |
/// | [`aimd`](Self::aimd) | failures alone | by 1 | by the [backoff](Self::backoff), at a failure |
///
/// It changes the size once for each round: as many ends of tasks as run at once. A failure is a task that panics,
/// times out while it runs, or [reports](crate::Current::report_overload) that its server is overloaded; one failure
/// shrinks the size at once, and the tasks that run at that moment do not shrink it again. A permit that was not in use
/// makes no more of them.
///
/// # Examples
///
/// A simulated server that does 50 tasks at once, 25 from the 20th to the 40th second, and 50 again; more than that
/// share its time. A column is a second, a row 10 permits of a pool with `Adaptive::gradient(1..=1000)`:
///
/// ```text
/// 50  ███████████████████                     ███████████████████
/// 40  ███████████████████                    ████████████████████
/// 30 ████████████████████████████████████████████████████████████
/// 20 ████████████████████████████████████████████████████████████
/// 10 ████████████████████████████████████████████████████████████
/// ```
#[derive(Clone, Debug)]
pub struct Adaptive {
    least: usize,
    most: usize,
    rule: Rule,
    backoff: f64,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// Additive increase, multiplicative decrease.
    Aimd,
    Gradient {
        tolerance: f64,
    },
}

/// What an adaptive pool has measured. See [`Stats::adaptive`](crate::Stats::adaptive).
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AdaptiveStats {
    /// How long a task takes when its server has little to do. `None` before the first round, and for
    /// [`Adaptive::aimd`].
    pub baseline: Option<Duration>,
    /// How long a task took in the last round, on average. `None` before the first round.
    pub latency: Option<Duration>,
    /// Number of rounds so far.
    pub rounds: u64,
    /// How often the size has shrunk.
    pub decreases: u64,
}

impl Adaptive {
    /// Follows the time that tasks take: the size is such that a task takes hardly longer than it would alone.
    ///
    /// It suits tasks that are alike, and that call one server. From time to time, in one round of 30, it halves the
    /// size to measure how long a task takes alone.
    pub fn gradient(bounds: RangeInclusive<usize>) -> Self {
        Self::new(bounds, Rule::Gradient { tolerance: 1.0 })
    }

    /// Follows failures alone (additive increase, multiplicative decrease): the size grows until a task fails.
    ///
    /// It suits a server that refuses what is too much, and tasks of very different lengths.
    pub fn aimd(bounds: RangeInclusive<usize>) -> Self {
        Self::new(bounds, Rule::Aimd)
    }

    fn new(bounds: RangeInclusive<usize>, rule: Rule) -> Self {
        let (least, most) = bounds.into_inner();
        Self {
            least,
            most,
            rule,
            backoff: 0.9,
        }
    }

    /// Sets how many times longer than alone a task may take before [`gradient`](Self::gradient) shrinks the size. The
    /// default is 1. [`aimd`](Self::aimd) does not use it.
    ///
    /// # Panics
    ///
    /// Panics if the factor is less than 1, or is no number.
    #[track_caller]
    pub fn tolerance(mut self, factor: f64) -> Self {
        assert!(
            factor >= 1.0 && factor.is_finite(),
            "the tolerance of an adaptive size is at least 1"
        );
        if let Rule::Gradient { tolerance } = &mut self.rule {
            *tolerance = factor;
        }
        self
    }

    /// Sets the part of the size that is left after a failure. The default is 0.9.
    ///
    /// # Panics
    ///
    /// Panics if the factor is not between 0 and 1.
    #[track_caller]
    pub fn backoff(mut self, factor: f64) -> Self {
        assert!(
            factor > 0.0 && factor < 1.0,
            "the backoff of an adaptive size is between 0 and 1"
        );
        self.backoff = factor;
        self
    }

    /// Returns `true` if there is a size within the bounds.
    pub(crate) fn has_size(&self) -> bool {
        0 < self.least && self.least <= self.most
    }
}
