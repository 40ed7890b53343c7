//! Whether tasks end, as long as tasks wait.

use std::time::Duration;

use super::stats::Stats;

/// Since when no task has ended although tasks wait, as far as the dashboard has seen.
#[derive(Debug, Default)]
pub(super) struct Progress {
    ended: u64,
    quiet_since: Option<Duration>,
}

impl Progress {
    /// Notes the counts at `now`.
    pub(super) fn note(&mut self, now: Duration, stats: &Stats) {
        let has_ended = stats.ended() != self.ended;
        self.ended = stats.ended();
        self.quiet_since = match self.quiet_since {
            // A paused pool starts nothing, whether tasks end or not.
            _ if stats.waiting == 0 || stats.paused => None,
            Some(since) if !has_ended => Some(since),
            _ => Some(now),
        };
    }

    /// Returns how long no task has ended, if tasks wait and the pool is not paused.
    pub(super) fn quiet(&self, now: Duration) -> Option<Duration> {
        self.quiet_since.map(|since| now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Notes these counts of waiting and ended tasks, one each second, and returns for how long it is quiet then.
    fn quiet(counts: &[(u64, u64)], paused_at: Option<u64>) -> Option<Duration> {
        let mut progress = Progress::default();
        for (second, &(waiting, completed)) in (0..).zip(counts) {
            let stats = Stats {
                waiting,
                completed,
                paused: paused_at == Some(second),
                ..Stats::default()
            };
            progress.note(seconds(second), &stats);
        }
        progress.quiet(seconds(counts.len() as u64 - 1))
    }

    #[test]
    fn it_is_quiet_since_the_last_end_while_tasks_wait() {
        assert_eq!(quiet(&[(1, 5), (1, 5), (2, 5)], None), Some(seconds(2)));
        assert_eq!(quiet(&[(1, 5), (1, 6), (1, 6)], None), Some(seconds(1)));
        assert_eq!(quiet(&[(1, 5), (0, 5), (0, 5)], None), None);
        assert_eq!(quiet(&[(0, 5), (0, 5), (1, 5)], None), Some(seconds(0)));
        assert_eq!(
            quiet(&[(1, 5), (1, 0)], None),
            Some(seconds(0)),
            "another pool"
        );
    }

    #[test]
    fn a_pause_is_no_quiet() {
        assert_eq!(quiet(&[(1, 5), (1, 5)], Some(1)), None);
        assert_eq!(quiet(&[(1, 5), (1, 5), (1, 5)], Some(1)), Some(seconds(0)));
    }
}
