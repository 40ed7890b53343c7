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
    /// The number that belongs to no task.
    pub(crate) const NONE: Self = Self(u64::MAX);

    /// The number of queue entries that are no tasks and need not be distinguished.
    pub(crate) const UNNUMBERED: Self = Self(Self::END);

    /// The first number that no task gets.
    const END: u64 = 1 << 63;

    /// Returns a number for something that is no task but must be distinguished from others.
    pub(crate) fn unnumbered(distinct: u64) -> Self {
        Self(Self::END + distinct)
    }

    /// Returns `true` if this is the number of a task.
    #[inline]
    pub(crate) fn is_task(self) -> bool {
        self.0 < Self::END
    }

    /// Returns the number as an integer.
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

/// The state of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TaskState {
    /// The task has no permit. It is in the queue and has not been polled, or it has lent its permit while it waits for
    /// its own pool.
    Waiting,
    /// The task holds a permit.
    Active,
    /// The task has ended, in whatever way, and its future has been dropped.
    Finished,
}

/// The index of a live task in its pool's register. It is given to another task once this one has ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Slot(pub(crate) u32);

/// The number of a runtime, while the runtime lives. It tells apart the runtimes that a pool serves.
pub(crate) type RuntimeId = NonZeroU64;

impl Slot {
    /// The slot of a task that has none yet.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);
}
