use crate::adaptive::AdaptiveStats;
use crate::task::End;

/// Counts since the pool was made. They never decrease.
///
/// When the pool is idle, `submitted` is the sum of the five counts of ends: `completed`, `panicked`, `cancelled`,
/// `timed_out` and `rejected`.
#[derive(Debug, Clone, Copy, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stats {
    /// Number of tasks that were submitted. A `try_spawn` that returned its future is counted in
    /// [`refused`](Self::refused) only.
    pub submitted: u64,
    /// Number of tasks that have begun to run.
    pub started: u64,
    /// Number of tasks that ended with a value.
    pub completed: u64,
    /// Number of tasks that panicked.
    pub panicked: u64,
    /// Number of tasks that were cancelled while they were waiting or active.
    pub cancelled: u64,
    /// Number of tasks that timed out, while they were waiting or active.
    pub timed_out: u64,
    /// Number of tasks that never ran, because the pool refused them, or because they had no runtime.
    pub rejected: u64,
    /// Number of calls of `try_spawn` that returned their future. These are no tasks: the sum above leaves them out.
    pub refused: u64,
    /// Number of further tries of tasks that had failed and were [tried again](crate::TaskBuilder::retry). The first try
    /// of a task does not count.
    pub retries: u64,
    /// What an [adaptive](crate::Builder::adaptive) pool has measured. `None` for other pools, and for groups.
    pub adaptive: Option<AdaptiveStats>,
}

impl Stats {
    pub(crate) fn count(&mut self, end: End) {
        let ends = match end {
            End::Completed => &mut self.completed,
            End::Panicked => &mut self.panicked,
            End::Cancelled => &mut self.cancelled,
            End::TimedOut => &mut self.timed_out,
            End::Rejected => &mut self.rejected,
        };
        *ends += 1;
    }
}
