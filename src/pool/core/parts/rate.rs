use std::time::Duration;

/// The maximum number of starts in an interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) starts: u32,
    pub(crate) per: Duration,
}

impl Rate {
    /// Returns the rate at which starts are as far apart as this rate allows on average. It keeps this rate too: so many
    /// starts need the whole interval.
    pub(crate) fn spread(self) -> Self {
        let mut apart = self.per / self.starts;
        if apart * self.starts < self.per {
            apart += Duration::from_nanos(1);
        }
        Self {
            starts: 1,
            per: apart,
        }
    }

    pub(crate) fn spread_if(self, spreads: bool) -> Self {
        if spreads { self.spread() } else { self }
    }

    /// Returns `true` if no start is allowed in any time, or any number in no time.
    pub(crate) fn is_senseless(self) -> bool {
        self.starts == 0 || self.per.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_rate_keeps_the_rate_that_it_spreads() {
        for starts in [1, 2, 3, 7, 20, 1000, u32::MAX] {
            for nanos in [1, 10, 1_000_000_007, u64::MAX] {
                let per = Duration::from_nanos(nanos);
                let spread = Rate { starts, per }.spread();
                assert_eq!(spread.starts, 1);
                assert!(spread.per.as_nanos() * u128::from(starts) >= per.as_nanos());
                let earlier = spread.per.as_nanos() - 1;
                assert!(earlier * u128::from(starts) < per.as_nanos());
            }
        }
        let per = Duration::MAX;
        assert_eq!(Rate { starts: 1, per }.spread().per, per);
    }
}
