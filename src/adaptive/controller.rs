use std::time::Duration;

use super::{Adaptive, AdaptiveStats, Rule};

/// Chooses the size of a pool from the ends of its tasks. It has no clock and no lock.
///
/// It works in rounds. In a round about as many tasks end as run at once, so that all of them have run under the size
/// that the round began with. A failure ends the round early.
///
/// ```text
///              a round is over                           a failure
///  counting ──────────────────▶ the rule changes the size ◀──────── the size shrinks by the backoff
///     ▲                                     │
///     └─────────── tasks that began under another size are skipped
/// ```
#[derive(Debug)]
pub(crate) struct Controller {
    settings: Adaptive,
    /// The size, with a fraction, so that small steps add up.
    size: f64,
    round: Round,
    /// Number of ends in which failures do not count: those of tasks that ran when a failure had already shrunk the size.
    ignored: usize,
    /// The mean time of a task that its server has nothing else to do beside.
    baseline: Option<f64>,
    /// The size to go back to, during a round that measures the baseline.
    before_probe: Option<f64>,
    rounds: u64,
    decreases: u64,
    latency: Option<f64>,
}

/// What a round has counted.
#[derive(Debug, Default)]
struct Round {
    /// Number of ends to come of tasks that began under another size.
    skipped: usize,
    ends: usize,
    seconds: f64,
    /// The most tasks that were active at the end of one.
    most_active: usize,
}

/// The end of a task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) took: Duration,
    pub(crate) is_failure: bool,
    /// Number of active tasks, with this one.
    pub(crate) active: usize,
}

/// Minimum number of ends in a round, so that one slow task does not decide alone.
const ENDS: usize = 8;

/// Number of rounds after which the gradient measures its baseline again, with half of the size.
const ROUNDS_UNTIL_PROBE: u64 = 30;

/// The most by which the gradient shrinks the size in one round.
const STEEPEST: f64 = 0.5;

impl Controller {
    pub(crate) fn new(settings: Adaptive, size: usize) -> Self {
        let mut controller = Self {
            settings,
            size: 0.0,
            round: Round::default(),
            ignored: 0,
            baseline: None,
            before_probe: None,
            rounds: 0,
            decreases: 0,
            latency: None,
        };
        controller.set(size as f64);
        controller
    }

    pub(crate) fn size(&self) -> usize {
        // A float is converted to the nearest number that is there, so that no size overflows.
        let size = self.size.round() as usize;
        size.clamp(self.settings.least, self.settings.most)
    }

    /// Goes on from a size that the user has chosen.
    pub(crate) fn resize(&mut self, size: usize) {
        self.set(size as f64);
        self.begin_round(0);
    }

    pub(crate) fn stats(&self) -> AdaptiveStats {
        AdaptiveStats {
            baseline: self.baseline.map(Duration::from_secs_f64),
            latency: self.latency.map(Duration::from_secs_f64),
            rounds: self.rounds,
            decreases: self.decreases,
        }
    }

    /// Counts the end of a task. Returns the new size, if that has changed.
    pub(crate) fn count(&mut self, sample: Sample) -> Option<usize> {
        let before = self.size();
        if sample.is_failure && self.ignored == 0 {
            self.shrink(sample.active);
        } else {
            self.ignored = self.ignored.saturating_sub(1);
            self.add(sample);
        }
        Some(self.size()).filter(|size| *size != before)
    }

    /// Shrinks the size after a failure. The tasks that run now cannot know, so that their failures do not count.
    fn shrink(&mut self, active: usize) {
        self.before_probe = None;
        self.ignored = active;
        self.decreases += 1;
        self.set(self.size * self.settings.backoff);
        self.begin_round(active);
    }

    fn add(&mut self, sample: Sample) {
        if self.round.skipped > 0 {
            self.round.skipped -= 1;
        } else if !sample.is_failure {
            self.round.ends += 1;
            self.round.seconds += sample.took.as_secs_f64();
            self.round.most_active = self.round.most_active.max(sample.active);
            if self.round.ends >= self.size().max(ENDS) {
                self.end_round(sample.active);
            }
        }
    }

    fn begin_round(&mut self, active: usize) {
        self.round = Round {
            skipped: active,
            ..Round::default()
        };
    }

    fn end_round(&mut self, active: usize) {
        let latency = self.round.seconds / self.round.ends as f64;
        (self.latency, self.rounds) = (Some(latency), self.rounds + 1);
        let next = match self.settings.rule {
            Rule::Aimd => self.next_by_addition(),
            Rule::Gradient { tolerance } => self.next_by_gradient(latency, tolerance),
        };
        if next < self.size && self.before_probe.is_none() {
            self.decreases += 1;
        }
        self.set(next);
        self.begin_round(active);
    }

    /// One more permit for each round in which all were in use.
    fn next_by_addition(&self) -> f64 {
        if self.round.most_active >= self.size() {
            self.size + 1.0
        } else {
            self.size
        }
    }

    /// The size times how much faster an idle server is, and some room to grow.
    fn next_by_gradient(&mut self, latency: f64, tolerance: f64) -> f64 {
        if let Some(before) = self.before_probe.take() {
            self.baseline = Some(latency);
            return before;
        }
        let baseline = self.baseline.map_or(latency, |known| known.min(latency));
        self.baseline = Some(baseline);
        let gradient = if latency > 0.0 {
            (tolerance * baseline / latency).clamp(STEEPEST, 1.0)
        } else {
            1.0
        };
        let room = (self.size.sqrt() / 2.0).max(1.0);
        let next = self.size * gradient + room;
        // If half of the permits were free all the time, the times say nothing about a larger size.
        let is_used = self.round.most_active * 2 >= self.size();
        let next = if is_used { next } else { next.min(self.size) };
        if self.rounds % ROUNDS_UNTIL_PROBE == 0 {
            self.before_probe = Some(next);
            return next / 2.0;
        }
        next
    }

    fn set(&mut self, size: f64) {
        let Adaptive { least, most, .. } = self.settings;
        self.size = size.clamp(least as f64, most as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use super::*;

    /// A server that does so many tasks at once in 20 ms each, and lets more of them share its time.
    #[derive(Clone, Copy)]
    struct Server {
        best: usize,
        /// Whether it refuses tasks when it has too many.
        refuses: bool,
    }

    /// A simulated pool in which tasks always wait, with the size at each millisecond.
    struct Run {
        controller: Controller,
        active: BinaryHeap<Reverse<(u64, u64, bool)>>,
        micros: u64,
        random: u64,
        sizes: Vec<usize>,
    }

    impl Run {
        fn new(settings: Adaptive) -> Self {
            Self {
                controller: Controller::new(settings, 10),
                active: BinaryHeap::new(),
                micros: 0,
                random: 1,
                sizes: Vec::new(),
            }
        }

        fn random(&mut self) -> u64 {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            self.random >> 20
        }

        fn start(&mut self, server: Server) {
            let load = (self.active.len() + 1) as f64 / server.best as f64;
            let noise = 0.8 + (self.random() % 400) as f64 / 1000.0;
            let took = (20_000.0 * noise * load.max(1.0)) as u64;
            let refused = (self.random() % 1000) as f64 <= (load - 1.0) * 1000.0;
            let fails = server.refuses && refused;
            self.active.push(Reverse((self.micros + took, took, fails)));
        }

        /// Lets the pool work for so long. Returns the mean of the sizes in the second half of the time.
        fn work(&mut self, server: Server, seconds: u64) -> f64 {
            let from = self.sizes.len();
            let until = self.micros + seconds * 1_000_000;
            while self.micros < until {
                while self.active.len() < self.controller.size() {
                    self.start(server);
                }
                let Some(Reverse((end, took, is_failure))) = self.active.pop() else {
                    unreachable!("the size is never 0");
                };
                self.micros = end;
                let active = self.active.len() + 1;
                assert!(active <= 1000, "the bounds hold");
                self.controller.count(Sample {
                    took: Duration::from_micros(took),
                    is_failure,
                    active,
                });
                let size = self.controller.size();
                self.sizes.resize((end / 1000) as usize, size);
            }
            let late = &self.sizes[(from + self.sizes.len()) / 2..];
            late.iter().sum::<usize>() as f64 / late.len() as f64
        }
    }

    fn is_near(size: f64, best: usize) -> bool {
        (size - best as f64).abs() <= (best as f64 * 0.2).max(1.2)
    }

    #[test]
    fn it_settles_near_the_best_size_and_recovers_with_its_server() {
        for (settings, refuses) in [
            (Adaptive::gradient(1..=1000), false),
            (Adaptive::aimd(1..=1000), true),
        ] {
            for best in [4, 10, 20, 50, 100, 200] {
                let mut run = Run::new(settings.clone());
                let well = Server { best, refuses };
                let ill = Server {
                    best: best / 2,
                    refuses,
                };
                for (server, phase) in [(well, "well"), (ill, "ill"), (well, "well again")] {
                    let size = run.work(server, 60);
                    assert!(
                        is_near(size, server.best),
                        "{settings:?}, {phase}: {size}, best {}",
                        server.best
                    );
                }
            }
        }
    }

    #[test]
    fn the_picture_in_the_docs_is_that_of_a_run() {
        let mut run = Run::new(Adaptive::gradient(1..=1000));
        let server = |best| Server {
            best,
            refuses: false,
        };
        for best in [50, 25, 50] {
            run.work(server(best), 20);
        }
        let seconds: Vec<usize> = run
            .sizes
            .chunks_exact(1000)
            .map(|sizes| sizes.iter().sum::<usize>() / sizes.len())
            .collect();
        for row in (10..=50).rev().step_by(10) {
            let bar = |size: &usize| if *size + 5 >= row { '█' } else { ' ' };
            let bars: String = seconds.iter().map(bar).collect();
            let line = format!("/// {row} {}\n", bars.trim_end());
            assert!(include_str!("mod.rs").contains(&line), "{line}");
        }
    }

    #[test]
    fn many_failures_at_once_shrink_it_once() {
        let mut controller = Controller::new(Adaptive::aimd(1..=100), 100);
        let fail = |active| Sample {
            took: Duration::from_millis(1),
            is_failure: true,
            active,
        };
        assert_eq!(controller.count(fail(100)), Some(90));
        for active in (1..100).rev() {
            assert_eq!(controller.count(fail(active)), None);
        }
        assert_eq!(controller.stats().decreases, 1);
    }

    #[test]
    fn permits_that_nobody_uses_do_not_become_more() {
        for settings in [Adaptive::aimd(1..=100), Adaptive::gradient(1..=100)] {
            let mut controller = Controller::new(settings, 10);
            for _ in 0..10_000 {
                let sample = Sample {
                    took: Duration::from_millis(1),
                    is_failure: false,
                    active: 2,
                };
                controller.count(sample);
                assert!(controller.size() <= 10);
            }
        }
    }

    #[test]
    fn it_stays_within_its_bounds_whatever_it_is_told() {
        for settings in [Adaptive::aimd(3..=7), Adaptive::gradient(3..=7)] {
            let mut run = Run::new(settings);
            for step in 0..100_000 {
                let is_failure = run.random() % 50 == 0;
                let took = Duration::from_nanos(run.random() % (1 << (step % 40)));
                let active = run.random() as usize % 10;
                run.controller.count(Sample {
                    took,
                    is_failure,
                    active,
                });
                assert!((3..=7).contains(&run.controller.size()));
            }
            run.controller.resize(100);
            assert_eq!(run.controller.size(), 7);
        }
    }
}
