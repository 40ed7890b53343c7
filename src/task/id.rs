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
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TaskId(u64);

impl TaskId {
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
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Slot(pub(crate) u32);

/// Identifies what has a slot: a task, by its number, or something that is no task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct EntryId(u64);

impl EntryId {
    /// The first number that no task gets.
    const END: u64 = 1 << 63;

    /// Nothing: the slot is free.
    pub(crate) const NOTHING: Self = Self(u64::MAX);

    /// User code that runs elsewhere, and that nothing has to find by its id.
    pub(crate) const ELSEWHERE: Self = Self(Self::END);

    /// The source of a feed, told apart from others by `number`, which is at least 1.
    pub(crate) fn source(number: u64) -> Self {
        Self(Self::END + number)
    }

    /// Returns `true` if this is a task.
    #[inline]
    pub(crate) fn is_task(self) -> bool {
        self.0 < Self::END
    }

    /// Returns the number of the task, if this is one.
    #[inline]
    pub(crate) fn task(self) -> Option<TaskId> {
        self.is_task().then_some(TaskId(self.0))
    }
}

impl From<TaskId> for EntryId {
    /// The id of a task. A number that no task gets is the id of nothing.
    #[inline]
    fn from(TaskId(number): TaskId) -> Self {
        if number < Self::END {
            Self(number)
        } else {
            Self::NOTHING
        }
    }
}

/// The number of a runtime, while the runtime lives. It tells apart the runtimes that a pool serves.
pub(crate) type RuntimeId = NonZeroU64;

impl Slot {
    /// The slot of a task that has none yet.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);
}
