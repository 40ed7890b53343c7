//! `TaskTracker` of tokio-util.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Barrier};

use peers::{Jobs, let_others_run, poll_once};
use tokio::task::{LocalSet, try_id};
use tokio_util::task::TaskTracker;

// 1.
#[tokio::test]
async fn it_limits_nothing() {
    let (tracker, jobs) = (TaskTracker::new(), Jobs::default());
    for _ in 0..100 {
        tracker.spawn(jobs.clone().job());
    }
    tracker.close();
    tracker.wait().await;
    assert_eq!(jobs.most(), 100);
}

// 2.
#[tokio::test]
async fn each_future_is_a_task_of_the_runtime() {
    let tracker = TaskTracker::new();
    let (one, two) = (
        tracker.spawn(async { try_id() }),
        tracker.spawn(async { try_id() }),
    );
    let ids = HashSet::from([one.await.unwrap().unwrap(), two.await.unwrap().unwrap()]);
    assert_eq!(ids.len(), 2);
}

// 3.
#[tokio::test]
async fn they_go_on_while_the_caller_does_something_else() {
    let (tracker, jobs) = (TaskTracker::new(), Jobs::default());
    tracker.spawn(jobs.clone().job());
    let_others_run().await;
    assert_eq!(jobs.ended(), 1);
}

// 4, note 2. What does not compile is in `lib.rs`.
#[tokio::test]
async fn a_tracked_future_may_borrow_and_is_polled_where_it_is_awaited() {
    let (tracker, words) = (TaskTracker::new(), vec!["borrowed".to_owned()]);
    let mut tracked = pin!(tracker.track_future(async { (words.len(), try_id()) }));
    let_others_run().await;
    assert_eq!(tracker.len(), 1);
    assert_eq!(tracked.as_mut().await, (1, try_id()));
}

// 4.
#[tokio::test]
async fn futures_that_are_not_send_run_by_spawn_local() {
    let local = LocalSet::new();
    let task = local.run_until(async {
        let number = Rc::new(7);
        TaskTracker::new().spawn_local(async move { *number }).await
    });
    assert_eq!(task.await.unwrap(), 7);
}

// 5.
#[tokio::test]
async fn blocking_work_is_not_limited() {
    let tracker = TaskTracker::new();
    let all = Arc::new(Barrier::new(20));
    for _ in 0..20 {
        let all = all.clone();
        // Each waits until all of them run.
        tracker.spawn_blocking(move || _ = all.wait());
    }
    tracker.close();
    tracker.wait().await;
}

// 6.
#[test]
fn it_needs_tokios_runtime() {
    let tracker = TaskTracker::new();
    let spawned = catch_unwind(AssertUnwindSafe(|| _ = tracker.spawn(async {})));
    assert!(spawned.is_err());
}

// 16.
#[tokio::test]
async fn a_result_that_nobody_reads_is_not_kept() {
    let tracker = TaskTracker::new();
    let value = Arc::new(());
    for _ in 0..10 {
        let value = value.clone();
        tracker.spawn(async move { value });
    }
    let_others_run().await;
    assert_eq!((tracker.len(), Arc::strong_count(&value)), (0, 1));
}

// 17.
#[tokio::test]
async fn a_panic_is_an_error_of_its_task() {
    let tracker = TaskTracker::new();
    let task = tracker.spawn(async { panic!("on purpose") });
    assert!(task.await.unwrap_err().is_panic());
}

// 18.
#[tokio::test]
async fn they_run_on_when_it_is_dropped() {
    let (tracker, jobs) = (TaskTracker::new(), Jobs::default());
    tracker.spawn(jobs.clone().job());
    drop(tracker);
    let_others_run().await;
    assert_eq!(jobs.ended(), 1);
}

// 20.
#[tokio::test]
async fn several_may_submit_and_wait_at_once() {
    let (tracker, jobs) = (TaskTracker::new(), Jobs::default());
    let clone = tracker.clone();
    tracker.spawn(jobs.clone().job());
    clone.spawn(jobs.clone().job());
    tracker.close();
    let (mut one, mut two) = (pin!(tracker.wait()), pin!(clone.wait()));
    assert!(poll_once(one.as_mut()).is_pending() && poll_once(two.as_mut()).is_pending());
    one.await;
    two.await;
    assert_eq!(jobs.ended(), 2);
}
