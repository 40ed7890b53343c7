//! What the pool records of tasks, beside the gate.

use std::sync::Arc;

use crate::pool::core::parts::record::{Moment, TaskRecord, Times};
use crate::pool::core::parts::runtime::{NotedRuntimes, Runtime};
use crate::slot_map::SlotMap;
use crate::task::{Slot, TaskLabel};
use crate::wakes::Wakes;

/// The records of the tasks that have more than a future.
///
/// Each part of a record has a map of its own, so that a task takes memory for the parts that it has.
#[derive(Default)]
pub(crate) struct Records {
    labels: SlotMap<Arc<TaskLabel>>,
    times: SlotMap<Times>,
    /// The runtimes that are not the main one.
    runtimes: SlotMap<Runtime>,
    noted: NotedRuntimes,
}

impl Records {
    /// Returns `true` if no task has a record.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.times.is_empty() && self.runtimes.is_empty()
    }

    /// Returns the label of a task that has a name or a tag of its own.
    pub(crate) fn label(&self, slot: Slot) -> Option<&Arc<TaskLabel>> {
        self.labels.get(slot)
    }

    pub(crate) fn times(&self, slot: Slot) -> Option<Times> {
        self.times.get(slot).copied()
    }

    /// Returns the runtime of a task that is not of the main one.
    #[inline]
    pub(crate) fn runtime(&self, slot: Slot) -> Option<&Runtime> {
        self.runtimes.get(slot)
    }

    /// Returns each runtime that is noted for a task once.
    pub(crate) fn runtimes(&self) -> impl Iterator<Item = &Runtime> {
        self.noted.iter()
    }

    /// Notes that a task is about to be polled for the first time.
    pub(crate) fn start(&mut self, slot: Slot, now: Moment) {
        if let Some(times) = self.times.get_mut(slot) {
            times.start(now);
        }
    }

    // `keep` and `forget` are not inlined: few tasks have a record, and the others do not pay for it.

    #[inline(never)]
    pub(crate) fn keep(&mut self, slot: Slot, record: TaskRecord) {
        if let Some(label) = record.label {
            self.labels.insert(slot, label);
        }
        if let Some(times) = record.times {
            self.times.insert(slot, times);
        }
        if let Some(runtime) = record.runtime {
            self.noted.add(&runtime);
            // The task of a feed takes over the feed's slot and runtime: the note of the feed is removed.
            if let Some(before) = self.runtimes.insert(slot, runtime) {
                self.noted.remove(&before);
            }
        }
    }

    #[inline(never)]
    pub(crate) fn forget(&mut self, slot: Slot, wakes: &mut Wakes) {
        if !self.labels.is_empty() {
            // The user's value in a tag is dropped after unlocking.
            let label = self.labels.remove(slot);
            if let Some(label) = label.filter(|label| label.tag().is_some()) {
                wakes.drop_later(label);
            }
        }
        if !self.times.is_empty() {
            self.times.remove(slot);
        }
        if let Some(runtime) = self.runtimes.remove(slot) {
            let unnoted = self.noted.remove(&runtime);
            // A runtime holds a spawner, which may be user code: it is dropped after unlocking.
            wakes.drop_later(Arc::new((runtime, unnoted)));
        }
    }

    #[cfg(all(test, feature = "tokio", not(any(aiopool_loom, aiopool_shuttle))))]
    pub(crate) fn has_no_runtimes(&self) -> bool {
        self.noted.is_empty()
    }
}
