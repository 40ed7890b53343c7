//! Cancelling: fences, which workers compare with each task that they get or run.
//!
//! A fence covers the tasks with its key that were accepted before it: those whose origin is at most `upto`. It reaches
//! waiting, running, redelivered and not yet started tasks in the same way, and tasks that are submitted later are not
//! covered.

use std::collections::HashMap;

use super::wire::{Fence, FenceKey};

/// What a fence is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FencedTask<'t> {
    pub(crate) id: &'t str,
    pub(crate) group: &'t str,
    pub(crate) batch: Option<&'t str>,
    pub(crate) origin: u64,
}

/// The fences that a worker knows.
#[derive(Debug, Default)]
pub(crate) struct Fences {
    highest: HashMap<FenceKey, u64>,
    stored: Vec<StoredFence>,
}

/// A fence's message in the control stream, for as long as it is needed.
#[derive(Debug)]
struct StoredFence {
    sequence: u64,
    fence: Fence,
}

impl Fences {
    /// Adds the fence of the message `sequence`.
    pub(crate) fn add(&mut self, fence: Fence, sequence: u64) {
        self.raise(fence.clone());
        self.stored.push(StoredFence { sequence, fence });
    }

    fn raise(&mut self, Fence { key, upto }: Fence) {
        let highest = self.highest.entry(key).or_default();
        *highest = upto.max(*highest);
    }

    /// Returns `true` if the task is cancelled.
    pub(crate) fn cover(&self, task: FencedTask<'_>) -> bool {
        if self.highest.is_empty() {
            return false;
        }
        let upto = |key: FenceKey| self.highest.get(&key).copied().unwrap_or(0);
        let covers = |key| upto(key) >= task.origin;
        covers(FenceKey::All)
            || covers(FenceKey::Id(task.id.to_owned()))
            || covers(FenceKey::Group(task.group.to_owned()))
            || task
                .batch
                .is_some_and(|batch| covers(FenceKey::Batch(batch.to_owned())))
    }

    /// Forgets the fences that cover nothing, as no task with an origin below `floor` is left. Returns their messages.
    pub(crate) fn forget_below(&mut self, floor: u64) -> Vec<u64> {
        self.forget(|stored| stored.fence.upto < floor)
    }

    /// Forgets the fences up to the message `sequence` that cover more than the `last` task, if that was the last one after they
    /// were stored. The server has forgotten the numbers that they are about. Returns their messages.
    pub(crate) fn forget_above(&mut self, last: u64, sequence: u64) -> Vec<u64> {
        self.forget(|stored| stored.sequence <= sequence && stored.fence.upto > last)
    }

    fn forget(&mut self, mut forgets: impl FnMut(&StoredFence) -> bool) -> Vec<u64> {
        let (gone, kept) = std::mem::take(&mut self.stored)
            .into_iter()
            .partition::<Vec<_>, _>(|stored| forgets(stored));
        self.stored = kept;
        if !gone.is_empty() {
            self.highest.clear();
            let fences: Vec<Fence> = self.stored.iter().map(|it| it.fence.clone()).collect();
            fences.into_iter().for_each(|fence| self.raise(fence));
        }
        gone.into_iter().map(|stored| stored.sequence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(key: FenceKey, upto: u64) -> Fence {
        Fence { key, upto }
    }

    fn task(id: &'static str, group: &'static str, origin: u64) -> FencedTask<'static> {
        FencedTask {
            id,
            group,
            batch: Some("b"),
            origin,
        }
    }

    #[test]
    fn a_fence_covers_its_tasks_up_to_its_sequence_and_no_others() {
        for (key, other) in [
            (FenceKey::All, None),
            (FenceKey::Group("g".into()), Some(task("i", "h", 1))),
            (FenceKey::Id("i".into()), Some(task("j", "g", 1))),
            (
                FenceKey::Batch("b".into()),
                Some(FencedTask {
                    batch: None,
                    ..task("i", "g", 1)
                }),
            ),
        ] {
            let mut fences = Fences::default();
            fences.add(fence(key, 5), 1);
            assert!(fences.cover(task("i", "g", 5)));
            assert!(!fences.cover(task("i", "g", 6)));
            assert!(!other.is_some_and(|other| fences.cover(other)));
        }
    }

    #[test]
    fn an_older_fence_that_arrives_later_takes_nothing_back() {
        let mut fences = Fences::default();
        fences.add(fence(FenceKey::All, 9), 1);
        fences.add(fence(FenceKey::All, 5), 2);
        assert!(fences.cover(task("i", "g", 9)));
    }

    #[test]
    fn a_fence_is_kept_as_long_as_a_task_that_it_covers() {
        let mut fences = Fences::default();
        fences.add(fence(FenceKey::All, 5), 7);
        fences.add(fence(FenceKey::Id("i".into()), 8), 8);
        assert!(fences.forget_below(5).is_empty());
        assert_eq!(fences.forget_below(6), vec![7]);
        assert!(fences.cover(task("i", "g", 8)));
        assert_eq!(fences.forget_below(9), vec![8]);
        assert!(fences.stored.is_empty() && fences.highest.is_empty());
    }

    #[test]
    fn a_fence_about_numbers_that_the_server_has_forgotten_covers_no_task_that_gets_them_again() {
        let mut fences = Fences::default();
        fences.add(fence(FenceKey::All, 100), 7);
        fences.add(fence(FenceKey::Group("g".into()), 3), 8);
        fences.add(fence(FenceKey::All, 6), 9);
        // 5 was the last task after the second one was stored.
        assert_eq!(fences.forget_above(5, 8), vec![7]);
        assert!(fences.cover(task("i", "g", 3)) && fences.cover(task("i", "h", 6)));
        assert!(!fences.cover(task("i", "g", 7)));
    }
}
