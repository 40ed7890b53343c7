//! What handles tell.

use std::pin::Pin;

use aiopool::{TaskId, TaskState};
use futures::executor::block_on;

use crate::support::{Hand, Probe, on_every_runtime, poll_once};

#[test]
fn a_task_is_named_after_its_pool_unless_it_has_a_name() {
    let hand = Hand::default();
    let pool = hand.builder().name("thumbs").size(1).build().unwrap();
    let unnamed = pool.spawn_n(async { panic!("oh") });
    let named = pool.task(async {}).name("cover").spawn_n();
    assert_eq!(
        (unnamed.name().as_ref(), named.name().as_ref()),
        ("thumbs-0", "cover")
    );
    named.abort_with("too late");
    hand.run();
    let error: aiopool::JoinError = block_on(unnamed).unwrap_err();
    assert_eq!(
        (error.task_name().as_ref(), error.task_id()),
        ("thumbs-0", TaskId::from(0))
    );
    assert_eq!(error.to_string(), "task thumbs-0 panicked: oh");
    assert_eq!(
        block_on(named).unwrap_err().to_string(),
        "task cover was cancelled: too late"
    );
}

#[test]
fn a_handle_follows_its_task() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    let first = pool.spawn_n(probe.task(()));
    let second = pool.spawn_n(async {});
    assert_eq!(
        (first.state(), second.state()),
        (TaskState::Active, TaskState::Waiting)
    );
    assert!(!first.is_finished());
    hand.run();
    probe.end();
    hand.run();
    assert_eq!(
        (first.state(), second.state()),
        (TaskState::Finished, TaskState::Finished)
    );
}

#[test]
fn try_join_gives_the_result_once() {
    let (hand, pool) = Hand::pool(1);
    let mut handle = pool.spawn_n(async { 3 });
    assert!(handle.try_join().is_none());
    hand.run();
    assert_eq!(handle.try_join().unwrap().unwrap(), 3);
    assert!(handle.try_join().is_none());
    assert!(handle.is_finished());
}

#[test]
#[should_panic(expected = "after it had given its result")]
fn polling_a_handle_after_its_end_panics() {
    let (hand, pool) = Hand::pool(1);
    let mut handle = pool.spawn_n(async {});
    hand.run();
    assert!(poll_once(Pin::new(&mut handle)).is_ready());
    drop(poll_once(Pin::new(&mut handle)));
}

#[test]
fn a_handle_may_move_between_tasks_while_it_waits() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let probe = Probe::new();
        let mut handle = pool.spawn_n(probe.task(5));
        assert!(poll_once(Pin::new(&mut handle)).is_pending());
        probe.started().await;
        probe.end();
        assert_eq!(handle.await.unwrap(), 5);
    });
}

#[test]
fn tasks_are_listed_by_number_with_what_is_known_of_them() {
    let hand = Hand::default();
    let pool = hand.builder().name("demo").size(2).build().unwrap();
    pool.spawn_n(Probe::new().task(()));
    pool.task(Probe::new().task(()))
        .name("heavy")
        .weight(2)
        .priority(-3)
        .spawn_n();
    pool.spawn_n(Probe::new().task(()));
    hand.run();
    let tasks = pool.tasks();
    let lines: Vec<_> = tasks
        .iter()
        .map(|task| (task.name.as_str(), task.state, task.weight, task.priority))
        .collect();
    assert_eq!(
        lines,
        [
            ("demo-0", TaskState::Active, 1, 0),
            ("heavy", TaskState::Waiting, 2, -3),
            ("demo-2", TaskState::Active, 1, 0)
        ]
    );
    assert!(
        tasks
            .iter()
            .all(|task| task.waited.is_none() && task.running.is_none() && task.group.is_none())
    );
}

#[test]
fn a_timed_pool_takes_the_time() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).timed(true).build().unwrap();
    pool.spawn_n(Probe::new().task(()));
    pool.spawn_n(Probe::new().task(()));
    hand.run();
    let tasks = pool.tasks();
    assert!(tasks[0].waited.is_some() && tasks[0].running.is_some());
    assert!(tasks[1].waited.is_some() && tasks[1].running.is_none());
}
