use crate::task::End;

/// Counts since the pool was made. They never go back.
///
/// When the pool is idle, `submitted` is the sum of the five ends: `completed`,
/// `panicked`, `cancelled`, `timed_out` and `rejected`.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Tasks given to the pool. A `try_spawn` that gave its future back is not among them.
    pub submitted: u64,
    /// Tasks that have begun to run.
    pub started: u64,
    /// Tasks that ended with a value.
    pub completed: u64,
    /// Tasks that panicked.
    pub panicked: u64,
    /// Tasks that were stopped, waiting or active.
    pub cancelled: u64,
    /// Tasks whose time was over.
    pub timed_out: u64,
    /// Tasks that never ran: refused, or without a runtime.
    pub rejected: u64,
}

impl Stats {
    pub(super) fn count(&mut self, end: End) {
        let ends = match end {
            End::Completed => &mut self.completed,
            End::Panicked => &mut self.panicked,
            End::Cancelled => &mut self.cancelled,
            End::TimedOut => &mut self.timed_out,
            End::Rejected => &mut self.rejected,
            End::Nothing => return,
        };
        *ends += 1;
    }
}
