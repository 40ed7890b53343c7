use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fields::{read_seconds, write_seconds};
use super::listing::{GroupLine, TaskLine};

/// How long the tasks of a pool or group have waited and run until now: the reply to `times`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Times {
    /// Whether the pool keeps the times of its tasks: it was built with [`timed`](crate::Builder::timed) or an observer.
    /// Otherwise there are no times, and the tasks with the lowest numbers are listed as the longest.
    pub timed: bool,
    /// Whether something waits for nothing but permits: no pause, no hold and no rate keeps it back.
    pub lacks_permits: bool,
    /// Number of permits' holders that are no tasks, but code that runs [in place](crate::AioPool::run). No count of
    /// [`StatsLine`](super::StatsLine) tells when such code ends.
    pub in_place: usize,
    /// The times of the tasks that have not started: how long they have waited.
    pub waiting: TimeSpread,
    /// The times of the tasks that have started: how long they have run. Tasks that have lent their permits are among
    /// them.
    pub running: TimeSpread,
    /// The tasks that have waited longest, the longest first.
    pub longest_waiting: Vec<TaskLine>,
    /// The tasks that have run longest, the longest first.
    pub longest_running: Vec<TaskLine>,
}

/// Percentiles of times. They are `None` if there are none, or if the pool is not timed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TimeSpread {
    /// Number of tasks, whether their times are known or not.
    pub count: usize,
    /// Half of the times are no longer. Each percentile may be up to 4 % more than the exact one.
    #[serde(serialize_with = "write_seconds", deserialize_with = "read_seconds")]
    pub p50: Option<Duration>,
    /// 90 of 100 times are no longer.
    #[serde(serialize_with = "write_seconds", deserialize_with = "read_seconds")]
    pub p90: Option<Duration>,
    /// 99 of 100 times are no longer.
    #[serde(serialize_with = "write_seconds", deserialize_with = "read_seconds")]
    pub p99: Option<Duration>,
    /// The longest time, which is exact.
    #[serde(serialize_with = "write_seconds", deserialize_with = "read_seconds")]
    pub longest: Option<Duration>,
}

/// A group, as `tree` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TreeLine {
    /// Number of groups around it.
    pub depth: usize,
    /// The group.
    #[serde(flatten)]
    pub group: GroupLine,
}

/// The groups with the most tasks: the reply to `tree`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GroupTree {
    /// The groups. Each comes before the groups inside of it, and those inside of the same group are in order of the
    /// number of their tasks, active and waiting: the busiest first.
    pub groups: Vec<TreeLine>,
    /// Number of groups that are not listed.
    pub more: usize,
}
