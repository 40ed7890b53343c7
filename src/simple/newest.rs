use super::SimpleTaskPool;
use crate::task::{AbortHandle, TaskId};

impl<F> SimpleTaskPool<F> {
    /// Returns up to `most` of the tasks that were submitted before another one, or of all tasks, the newest first. Tasks
    /// that have ended may be among them.
    pub(crate) fn newest(&self, before: Option<TaskId>, most: usize) -> Vec<AbortHandle> {
        let started = self.tasks.lock();
        let older = started.before(before);
        older.iter().rev().take(most).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::SimpleTaskPool;
    use crate::simple::tests::{ids, stuck};

    #[test]
    fn the_newest_come_in_parts_and_none_is_left_out() {
        let copies = SimpleTaskPool::new(stuck(), || async {});
        copies.start(5);
        let part = copies.newest(None, 2);
        assert_eq!(ids(&part), [4, 3]);
        let part = copies.newest(Some(3.into()), 2);
        assert_eq!(ids(&part), [2, 1]);
        copies.start(1);
        let part = copies.newest(Some(1.into()), 2);
        assert_eq!(ids(&part), [0]);
        assert_eq!(ids(&copies.newest(Some(0.into()), 2)), [0; 0]);
    }
}
