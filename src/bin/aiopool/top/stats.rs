//! The counts of the pool.

use std::time::Duration;

use aiopool::AioPool;
use aiopool::control::protocol::StatsLine;

use super::count::bounded;
use super::history::Sample;

/// The current counts of the pool.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stats {
    /// `None` if the pool is unbounded.
    pub(super) size: Option<u64>,
    pub(super) active: u64,
    pub(super) waiting: u64,
    pub(super) paused: bool,
    pub(super) locked: bool,
    pub(super) full: bool,
    pub(super) started: u64,
    pub(super) completed: u64,
    pub(super) panicked: u64,
    pub(super) cancelled: u64,
    pub(super) timed_out: u64,
    pub(super) rejected: u64,
    pub(super) refused: u64,
}

impl Stats {
    /// Returns how many tasks have ended after their start.
    pub(super) fn ended(&self) -> u64 {
        self.completed + self.panicked + self.cancelled + self.timed_out
    }

    pub(super) fn sample(&self, at: Duration) -> Sample {
        Sample {
            at,
            active: self.active,
            waiting: self.waiting,
            started: self.started,
            ended: self.ended(),
        }
    }
}

impl From<&StatsLine> for Stats {
    fn from(stats: &StatsLine) -> Self {
        let pool = &stats.pool;
        Self {
            size: (pool.size != AioPool::UNBOUNDED).then_some(pool.size as u64),
            active: bounded(pool.active as u64),
            waiting: bounded(pool.waiting as u64),
            paused: pool.paused,
            locked: pool.locked,
            full: stats.full,
            started: bounded(stats.started),
            completed: bounded(stats.completed),
            panicked: bounded(stats.panicked),
            cancelled: bounded(stats.cancelled),
            timed_out: bounded(stats.timed_out),
            rejected: bounded(stats.rejected),
            refused: bounded(stats.refused),
        }
    }
}
