//! `JoinSet` of `bounded_join_set`.

use std::collections::HashSet;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bounded_join_set::JoinSet;
use peers::{Jobs, let_others_run};
use tokio::runtime::{Builder, Handle};
use tokio::task::{LocalSet, try_id};
use tokio::time::{sleep, timeout};

// 1, 3 and 7.
#[tokio::test]
async fn it_limits_how_many_run_at_once_and_they_go_on_by_themselves() {
    let (mut set, jobs) = (JoinSet::new(5), Jobs::default());
    for _ in 0..20 {
        set.spawn(jobs.clone().job()); // never waits
    }
    assert_eq!(set.len(), 20);
    let_others_run().await;
    assert_eq!((jobs.most(), jobs.ended()), (5, 20));
}

// 2.
#[tokio::test]
async fn each_future_is_a_task_of_the_runtime() {
    let mut set = JoinSet::new(2);
    (0..2).for_each(|_| _ = set.spawn(async { try_id().unwrap() }));
    let ids: HashSet<_> = set.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 2);
}

// 4.
#[tokio::test]
async fn futures_that_are_not_send_run_by_spawn_local() {
    let local = LocalSet::new();
    let number = local.run_until(async {
        let (mut set, number) = (JoinSet::new(1), Rc::new(7));
        set.spawn_local(async move { *number });
        set.join_next().await.unwrap().unwrap()
    });
    assert_eq!(number.await, 7);
}

// 6.
#[test]
fn it_needs_tokios_runtime() {
    let mut set = JoinSet::new(1);
    let spawned = catch_unwind(AssertUnwindSafe(|| _ = set.spawn(async {})));
    assert!(spawned.is_err());
}

// 8.
#[tokio::test]
async fn a_job_that_waits_is_a_task_of_the_runtime() {
    let mut set = JoinSet::new(2);
    let before = Handle::current().metrics().num_alive_tasks();
    (0..1000).for_each(|_| _ = set.spawn(pending::<()>()));
    let alive = Handle::current().metrics().num_alive_tasks() - before;
    assert_eq!(alive, 1000);
}

// 10.
#[tokio::test]
async fn jobs_start_as_the_runtime_polls_them() {
    // A runtime that is not driven yet, as one whose threads are busy.
    let busy = Builder::new_current_thread().build().unwrap();
    let mut set = JoinSet::new(1);
    set.spawn_on(async { "first" }, busy.handle());
    set.spawn(async { "second" });
    let next = set.join_next().await.unwrap();
    assert_eq!(next.unwrap(), "second");
    busy.shutdown_background();
}

// 13.
#[tokio::test(start_paused = true)]
async fn a_limit_of_zero_waits_for_ever() {
    let mut set = JoinSet::new(0);
    set.spawn(async {});
    let hour = Duration::from_secs(3600);
    assert!(timeout(hour, set.join_next()).await.is_err());
}

// 15.
#[tokio::test(start_paused = true)]
async fn results_come_in_the_order_of_the_ends() {
    let mut set = JoinSet::new(3);
    for millis in [20, 10, 1] {
        set.spawn(async move {
            sleep(Duration::from_millis(millis)).await;
            millis
        });
    }
    assert_eq!(set.join_all().await, [1, 10, 20]);
}

// 16, and the list of "Around it".
#[tokio::test]
async fn a_result_that_nobody_reads_is_kept_and_the_set_tells_counts() {
    let mut set = JoinSet::new(2);
    let value = Arc::new(());
    for _ in 0..3 {
        let value = value.clone();
        set.spawn(async move { value });
    }
    assert_eq!((set.num_queued(), set.num_completed()), (3, 0));
    let_others_run().await;
    assert_eq!((set.len(), Arc::strong_count(&value)), (3, 4));
    assert_eq!(
        (set.num_active(), set.num_queued(), set.num_completed()),
        (0, 0, 3)
    );
}

// 17.
#[tokio::test]
async fn a_panic_is_an_error_of_its_job() {
    let mut set = JoinSet::new(1);
    set.spawn(async { panic!("on purpose") });
    assert!(set.join_next().await.unwrap().unwrap_err().is_panic());
}

/// Spawns jobs that never end. Returns what counts those that are left.
fn endless(set: &mut JoinSet<()>) -> Arc<()> {
    let value = Arc::new(());
    for _ in 0..3 {
        let value = value.clone();
        set.spawn(async move {
            pending::<()>().await;
            drop(value);
        });
    }
    value
}

// 18.
#[tokio::test]
async fn dropping_it_aborts_all() {
    let mut set = JoinSet::new(2);
    let value = endless(&mut set);
    let_others_run().await;
    drop(set);
    let_others_run().await;
    assert_eq!(Arc::strong_count(&value), 1);
}

// 19.
#[tokio::test]
async fn shutdown_waits_for_the_futures_to_be_dropped() {
    let mut set = JoinSet::new(2);
    let value = endless(&mut set);
    let_others_run().await;
    set.shutdown().await;
    assert_eq!(Arc::strong_count(&value), 1);
}
