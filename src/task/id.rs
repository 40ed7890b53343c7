use std::fmt;
use std::num::NonZeroU64;

/// The number of a task: 0, 1, 2 … in the order in which tasks were submitted.
///
/// One count serves a pool and all its groups. A number is never given twice.
///
/// # Examples
///
/// ```
/// use aiopool::TaskId;
///
/// let id = TaskId::from(7);
/// assert_eq!(id.get(), 7);
/// assert_eq!(id.to_string(), "7");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TaskId(u64);

impl TaskId {
    /// The number of no task.
    pub(crate) const NONE: Self = Self(u64::MAX);

    /// The number of what stands in a queue, and is no task, nor to be told from others.
    pub(crate) const UNNUMBERED: Self = Self(Self::END);

    /// From here on no task is numbered.
    const END: u64 = 1 << 63;

    /// A number for what is no task, and to be told from others.
    pub(crate) fn unnumbered(distinct: u64) -> Self {
        Self(Self::END + distinct)
    }

    /// Whether it is the number of a task.
    #[inline]
    pub(crate) fn is_task(self) -> bool {
        self.0 < Self::END
    }

    /// Returns the bare number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for TaskId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a task has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TaskState {
    /// It has no permit: it stands in the queue and has not been polled, or it has lent its permit while it
    /// waits for its own pool.
    Waiting,
    /// It holds a permit.
    Active,
    /// It has ended, in whatever way, and its future has been dropped.
    Finished,
}

/// Where a live task stands in its pool's register. Given anew once it has ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Slot(pub(crate) u32);

/// The number of a runtime, as long as it lives: one of several that a pool serves.
pub(crate) type RuntimeId = NonZeroU64;

impl Slot {
    /// Before it has been given one.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);
}
