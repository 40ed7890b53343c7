use super::Started;
use crate::{AbortHandle, AioPool, FnSpawner};

/// A pool whose tasks are never polled.
pub(super) fn stuck() -> AioPool {
    AioPool::with_spawner(1, FnSpawner(std::mem::forget))
}

pub(super) fn ids(tasks: &[AbortHandle]) -> Vec<u64> {
    tasks.iter().map(|task| task.id().get()).collect()
}

#[test]
fn tasks_are_in_order_of_submission_even_if_they_are_added_in_another() {
    let pool = stuck();
    let tasks = (0..4).map(|_| pool.spawn_n(async {}).abort_handle());
    let tasks: Vec<_> = tasks.collect();
    let mut started = Started::default();
    for index in [1, 0, 3, 2] {
        assert!(started.add(tasks[index].clone()).is_empty());
    }
    assert_eq!(ids(&started.tasks), [0, 1, 2, 3]);
}
