//! The counts over time, and the rates and means that follow from them.

use std::collections::VecDeque;
use std::time::Duration;

/// Maximum number of samples: about as many as a wide terminal has columns.
const REMEMBERED: usize = 500;
/// Number of the latest samples that rates and means are computed from.
const WINDOW: usize = 30;

/// The latest samples, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    samples: VecDeque<Sample>,
}

/// The counts at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) at: Duration,
    pub(super) active: u64,
    pub(super) waiting: u64,
    pub(super) started: u64,
    pub(super) ended: u64,
}

impl History {
    /// Adds the newest sample, and removes the oldest if there are too many.
    pub(super) fn push(&mut self, sample: Sample) {
        self.samples.push_back(sample);
        if self.samples.len() > REMEMBERED {
            self.samples.pop_front();
        }
    }

    /// Returns the newest sample.
    pub(super) fn latest(&self) -> Option<&Sample> {
        self.samples.back()
    }

    /// Returns how many tasks have ended per second lately. `None` as long as this is unknown.
    pub(super) fn throughput(&self) -> Option<f64> {
        self.rate(|sample| sample.ended)
    }

    /// Returns how long tasks wait on average, by Little's law: the number of waiting tasks, divided by the number of
    /// tasks that start per second.
    pub(super) fn mean_wait(&self) -> Option<Duration> {
        self.mean(|sample| sample.waiting, self.rate(|sample| sample.started)?)
    }

    /// Returns how long tasks run on average, by Little's law: the number of active tasks, divided by the number of
    /// tasks that end per second.
    pub(super) fn mean_run(&self) -> Option<Duration> {
        self.mean(|sample| sample.active, self.throughput()?)
    }

    /// Returns one value of each sample, oldest first.
    pub(super) fn values(&self, value: impl Fn(&Sample) -> u64) -> Vec<u64> {
        self.samples.iter().map(value).collect()
    }

    /// Returns how many tasks per second ended between each two samples, oldest first.
    pub(super) fn ends(&self) -> Vec<u64> {
        let later = self.samples.iter().skip(1);
        let pairs = self.samples.iter().zip(later);
        pairs
            .map(|(one, two)| per_second(*one, *two, |sample| sample.ended).round() as u64)
            .collect()
    }

    /// Returns the latest samples, as far as they belong to the same pool: a counter that went back belongs to another
    /// pool.
    fn window(&self) -> impl ExactSizeIterator<Item = &Sample> {
        let first = self.samples.len().saturating_sub(WINDOW);
        let is_another = |at: &usize| self.samples[*at].started < self.samples[*at - 1].started;
        let another = (first + 1..self.samples.len()).rev().find(is_another);
        self.samples.range(another.unwrap_or(first)..)
    }

    fn rate(&self, count: impl Fn(&Sample) -> u64) -> Option<f64> {
        let (first, last) = (self.window().next()?, self.latest()?);
        (last.at > first.at).then(|| per_second(*first, *last, count))
    }

    fn mean(&self, count: impl Fn(&Sample) -> u64, rate: f64) -> Option<Duration> {
        let there = self.window().map(count).sum::<u64>() as f64 / self.window().len() as f64;
        Duration::try_from_secs_f64(there / rate).ok()
    }
}

fn per_second(first: Sample, last: Sample, count: impl Fn(&Sample) -> u64) -> f64 {
    // A counter that went back belongs to another pool.
    let counted = count(&last).saturating_sub(count(&first)) as f64;
    let seconds = last.at.saturating_sub(first.at).as_secs_f64();
    if seconds > 0.0 {
        counted / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{History, Sample};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn sample(at: u64, active: u64, waiting: u64, started: u64, ended: u64) -> Sample {
        Sample {
            at: seconds(at),
            active,
            waiting,
            started,
            ended,
        }
    }

    #[test]
    fn rates_and_means_are_those_of_the_counts() {
        let mut history = History::default();
        history.push(sample(0, 4, 20, 4, 0));
        assert_eq!(
            (history.throughput(), history.mean_run()),
            (None, None),
            "one sample is no rate"
        );
        history.push(sample(2, 4, 16, 8, 4));
        assert_eq!(history.throughput(), Some(2.0));
        assert_eq!(
            history.mean_run(),
            Some(seconds(2)),
            "4 run, 2 end each second"
        );
        assert_eq!(
            history.mean_wait(),
            Some(seconds(9)),
            "18 wait, 2 start each second"
        );
        assert_eq!(history.ends(), [2]);
    }

    #[test]
    fn where_nothing_ends_there_is_no_mean() {
        let mut history = History::default();
        for at in 0..3 {
            history.push(sample(at, 4, 0, 4, 0));
        }
        assert_eq!(
            (history.throughput(), history.mean_run()),
            (Some(0.0), None)
        );
    }

    #[test]
    fn only_the_latest_samples_make_a_rate_and_only_so_many_are_kept() {
        let mut history = History::default();
        for at in 0..600 {
            let ended = if at < 500 {
                at * 100
            } else {
                50_000 + (at - 500)
            };
            history.push(sample(at, 1, 0, 0, ended));
        }
        assert_eq!(history.throughput(), Some(1.0));
        assert_eq!(history.samples.len(), 500);
    }
}
