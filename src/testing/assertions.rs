use crate::pool::{AioPool, Stats};
use crate::task::{JoinHandle, TaskState};

/// Maximum number of tasks that a message names.
const NAMED: usize = 5;

/// Checks that a pool or group is at rest and that its counters are right: no task is active or waiting, and each task
/// that was submitted has ended in one of the five ways that [`Stats`] counts.
///
/// # Panics
///
/// Panics if it is not so. The message has the counters, and the first tasks that are left.
///
/// # Examples
///
/// ```
/// use aiopool::testing::{ManualSpawner, assert_idle};
///
/// let (spawner, pool) = ManualSpawner::pool(2);
/// pool.map_n(0..10, |n| async move { assert!(n != 3, "on purpose") });
/// spawner.run();
/// assert_idle(&pool);
/// assert_eq!(pool.stats().panicked, 1);
/// ```
///
/// ```should_panic
/// use aiopool::testing::{ManualSpawner, assert_idle};
///
/// let (spawner, pool) = ManualSpawner::pool(2);
/// pool.spawn_n(std::future::pending::<()>());
/// spawner.run();
/// assert_idle(&pool);                              // panics: one is active
/// ```
#[track_caller]
pub fn assert_idle(pool: &AioPool) {
    let (active, waiting, stats) = (pool.active(), pool.waiting(), pool.stats());
    assert!(
        (active, waiting) == (0, 0),
        "{} is not idle: {active} active and {waiting} waiting; {}",
        pool.name(),
        first_tasks(pool)
    );
    assert_all_counted(pool.name(), &stats);
}

#[track_caller]
fn assert_all_counted(pool: &str, stats: &Stats) {
    let (submitted, ended) = (stats.submitted, ends(stats));
    assert!(
        submitted == ended,
        "{pool} has lost count: {submitted} tasks were submitted, and {ended} have ended; {stats:?}"
    );
}

fn ends(stats: &Stats) -> u64 {
    let ran = stats.completed + stats.panicked;
    ran + stats.cancelled + stats.timed_out + stats.rejected
}

/// Names the first tasks of a pool, with their states.
fn first_tasks(pool: &AioPool) -> String {
    let tasks = pool.find_tasks(NAMED, |_| true);
    if tasks.is_empty() {
        return "none of them is a task: they run in place, or are feeds".to_owned();
    }
    let named = tasks
        .iter()
        .map(|task| format!("{} is {:?}", task.name, task.state));
    named.collect::<Vec<_>>().join(", ")
}

/// Checks that the tasks of these handles have ended, in whatever way.
///
/// # Panics
///
/// Panics if one has not. The message has the first of them, and its state.
///
/// # Examples
///
/// ```
/// use aiopool::testing::{ManualSpawner, assert_settled};
///
/// let (spawner, pool) = ManualSpawner::pool(1);
/// let handles = pool.map_n(0..3, |_| std::future::pending::<()>());
/// spawner.run();
/// spawner.shut_down();                             // the runtime ends, and so do its tasks
/// assert_settled(&handles);
/// ```
#[track_caller]
pub fn assert_settled<'h, T: 'h>(handles: impl IntoIterator<Item = &'h JoinHandle<T>>) {
    let mut handles = handles.into_iter().enumerate();
    let unsettled = handles.find(|(_, handle)| handle.state() != TaskState::Finished);
    if let Some((index, handle)) = unsettled {
        let (name, state) = (handle.name(), handle.state());
        panic!("handle {index}, of task {name}, has not settled: the task is {state:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_end_counts_as_an_end() {
        let stats = Stats {
            submitted: 31,
            completed: 16,
            panicked: 8,
            cancelled: 4,
            timed_out: 2,
            rejected: 1,
            ..Stats::default()
        };
        assert_all_counted("a pool", &stats);
    }

    #[test]
    #[should_panic(expected = "a pool has lost count: 2 tasks were submitted, and 1 have ended")]
    fn a_task_that_has_not_ended_is_seen_in_the_counters() {
        let stats = Stats {
            submitted: 2,
            completed: 1,
            ..Stats::default()
        };
        assert_all_counted("a pool", &stats);
    }
}
