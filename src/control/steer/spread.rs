use std::time::Duration;

use super::super::protocol::TimeSpread;

/// Collects any number of times, and tells their percentiles.
///
/// The times are counted in classes, so that the memory is bounded and a time costs a few steps. A class has times of which
/// the longest is at most one part in [`PARTS`] longer than the shortest.
pub(super) struct Spread {
    count: usize,
    /// Number of times that are known.
    known: usize,
    longest: Option<Duration>,
    /// Number of times in each class, up to the last class with any.
    classes: Vec<usize>,
}

/// Number of classes from a time to twice that time.
const PARTS: u64 = 1 << PART_BITS;
const PART_BITS: u32 = 5;

impl Spread {
    pub(super) fn new() -> Self {
        Self {
            count: 0,
            known: 0,
            longest: None,
            classes: Vec::new(),
        }
    }

    /// Adds the time of a task, if it is known.
    pub(super) fn add(&mut self, time: Option<Duration>) {
        self.count += 1;
        let Some(time) = time else { return };
        self.known += 1;
        self.longest = self.longest.max(Some(time));
        let class = class(nanoseconds(time));
        if class >= self.classes.len() {
            self.classes.resize(class + 1, 0);
        }
        self.classes[class] += 1;
    }

    pub(super) fn summary(&self) -> TimeSpread {
        TimeSpread {
            count: self.count,
            p50: self.percentile(50),
            p90: self.percentile(90),
            p99: self.percentile(99),
            longest: self.longest,
        }
    }

    /// Returns a time that so many of 100 times do not exceed.
    fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.known as u128 * percent as u128).div_ceil(100);
        let mut below = 0;
        let reaches = |count: &usize| {
            below += *count as u128;
            below >= rank
        };
        let class = self.classes.iter().position(reaches)?;
        self.longest.min(Some(Duration::from_nanos(last_of(class))))
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns the class of a number: small ones are classes of their own.
fn class(number: u64) -> usize {
    let doublings = (number | (PARTS - 1)).ilog2() + 1 - PART_BITS;
    // The leading bits, which are fewer than PARTS only in the first classes.
    let part = number >> doublings.saturating_sub(1);
    let before = u64::from(doublings.saturating_sub(1)) * PARTS;
    (before + part) as usize
}

/// Returns the largest number of a class.
fn last_of(class: usize) -> u64 {
    let class = class as u64;
    let shift = (class / PARTS).saturating_sub(1);
    let part = class - shift * PARTS;
    (((u128::from(part) + 1) << shift) - 1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_gapless_in_order_and_narrow() {
        let mut first = 0;
        for at in 0.. {
            let last = last_of(at);
            assert_eq!((class(first), class(last)), (at, at), "{first} to {last}");
            assert!(last - first <= first / PARTS, "{first} to {last}");
            let Some(next) = last.checked_add(1) else {
                assert_eq!(at, class(u64::MAX));
                return;
            };
            first = next;
        }
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let mut state = 1_u64;
        for count in [1_usize, 2, 3, 10, 99, 100, 101, 5_000] {
            let mut roll = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 20) % 1_000_000_000
            };
            let mut times: Vec<_> = (0..count).map(|_| Duration::from_nanos(roll())).collect();
            let mut spread = Spread::new();
            times.iter().for_each(|time| spread.add(Some(*time)));
            times.sort_unstable();
            let summary = spread.summary();
            for (percent, told) in [(50, summary.p50), (90, summary.p90), (99, summary.p99)] {
                let exact = times[(count * percent).div_ceil(100) - 1];
                let told = told.unwrap();
                assert!(
                    exact <= told && told <= exact.mul_f64(1.04),
                    "{percent} % of {count}: {told:?}, exactly {exact:?}"
                );
            }
            assert_eq!(summary.longest, times.last().copied());
        }
    }

    #[test]
    fn unknown_times_are_counted_and_have_no_percentile() {
        let mut spread = Spread::new();
        assert_eq!(spread.summary(), TimeSpread::default());
        spread.add(None);
        let unknown = TimeSpread {
            count: 1,
            ..TimeSpread::default()
        };
        assert_eq!(spread.summary(), unknown);
        spread.add(Some(Duration::MAX));
        assert_eq!(spread.summary().count, 2);
    }
}
