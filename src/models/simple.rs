//! Copies of one task, started and stopped by several threads.

use std::sync::Arc;

use super::{check, pool, settle};
use crate::sync::thread;
use crate::{SimpleTaskPool, TaskId};

#[test]
fn two_threads_take_turns_with_the_function_and_the_tasks_are_in_order() {
    check(|| {
        let copies = Arc::new(SimpleTaskPool::new(pool(1), || {
            std::future::pending::<()>()
        }));
        let other = copies.clone();
        let there = thread::spawn(move || other.start(1));
        let mut started = copies.start(1);
        started.extend(there.join().unwrap());
        started.sort_unstable();
        assert_eq!(copies.ids(), started);
        assert_eq!(copies.stop_all().len(), 2);
        settle(copies.pool());
    });
}

#[test]
fn a_task_that_starts_while_all_are_stopped_is_stopped_or_stays() {
    check(|| {
        let copies = Arc::new(SimpleTaskPool::new(pool(1), || {
            std::future::pending::<()>()
        }));
        let other = copies.clone();
        let there = thread::spawn(move || other.start(1));
        let stopped = copies.stop_all();
        let started = there.join().unwrap();
        // One that is asked to stop is not asked again.
        let rest: Vec<TaskId> = copies.stop_all();
        assert_eq!([stopped, rest].concat(), started);
        settle(copies.pool());
        assert_eq!(copies.running(), 0);
    });
}

#[test]
fn a_task_is_stopped_once_whoever_asks() {
    check(|| {
        let copies = Arc::new(SimpleTaskPool::new(pool(1), || {
            std::future::pending::<()>()
        }));
        let started = copies.start(1);
        let other = copies.clone();
        let there = thread::spawn(move || other.stop(1));
        let here = copies.stop(1);
        assert_eq!([here, there.join().unwrap()].concat(), started);
        settle(copies.pool());
    });
}
