use super::chunks::Chunks;
use super::register::{Content, Entry, NOBODY};
use crate::task::{Slot, TaskId};

/// Names one sweep of a gate. It is never given twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SweepId(pub(super) u64);

/// The lines of tasks that were taken out of the queue in one step.
///
/// Each task keeps its line until it has ended, so that it is not taken for finished before.
#[derive(Debug)]
pub(crate) struct Swept<W, A> {
    pub(super) id: SweepId,
    lines: Chunks<Entry<W, A>>,
    /// The first line that has not been looked at.
    next: usize,
    /// Number of tasks that have not ended.
    left: usize,
}

impl<W, A> Swept<W, A> {
    pub(super) fn new(id: SweepId, lines: Chunks<Entry<W, A>>, left: usize) -> Self {
        let next = 0;
        Self {
            id,
            lines,
            next,
            left,
        }
    }

    /// Looks at the next `most` lines, and takes out what waits there. Returns `false` after the last line.
    pub(super) fn take(&mut self, most: usize, taken: &mut Vec<(Slot, TaskId, W)>) -> bool {
        let first = self.next;
        self.next = self.lines.len().min(first + most);
        for at in first..self.next {
            let line = self.lines.at(at);
            match std::mem::replace(&mut line.content, Content::Active(None)) {
                Content::Waiting(task) => taken.push((Slot(at as u32), line.id, task)),
                Content::Active(_) => {}
            }
        }
        first < self.next
    }

    /// Notes that the task in this line has ended. Returns whether it was the last.
    pub(super) fn end(&mut self, slot: Slot) -> bool {
        self.lines.at(slot.0 as usize).id = NOBODY;
        self.left -= 1;
        self.left == 0
    }

    /// Returns whether the task is among those that have not ended.
    pub(super) fn holds(&self, slot: Slot, id: TaskId) -> bool {
        let line = self.lines.get(slot.0 as usize);
        line.is_some_and(|line| line.id == id)
    }
}
