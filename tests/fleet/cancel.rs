//! Cancelling reaches a task wherever it is.

use std::time::Duration;

use crate::support::jobs::{FAIL, SLEEP};
use crate::support::proxy::Proxy;
use crate::support::raw::Raw;
use crate::support::worker::{Options, runs_of};
use crate::support::{
    WorkerProcess, pool, until, until_no_permit_is_used, until_running, with_server, workers,
};
use aiopool::fleet::JobError;
use tokio::time::{sleep, timeout};

#[test]
fn a_group_is_cancelled_running_and_waiting_and_no_other() {
    with_server(async |server| {
        let pool = pool(&server, 8).await;
        let (one, other) = (pool.group("one").unwrap(), pool.group("other").unwrap());
        let workers = workers(&server, 2, 8);
        let cancelled = one.map_n(SLEEP, vec![60_000_u64; 60]).await.expect("tasks");
        let kept = other.map_n(SLEEP, vec![20_u64; 20]).await.expect("tasks");
        until_running(&workers, 8).await;
        pool.cancel_group("one").await.expect("a fence");
        for handle in cancelled {
            assert_eq!(handle.await, Err(JobError::Cancelled));
        }
        for handle in kept {
            handle.await.expect("a result");
        }
        // What is submitted later is not concerned.
        one.exec(SLEEP, &1).await.expect("a result");
        until_no_permit_is_used(&pool).await;
    });
}

#[test]
fn one_task_and_all_tasks_are_cancelled_by_any_client() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        let other = crate::support::builder(&server)
            .connect()
            .await
            .expect("a pool");
        let workers = workers(&server, 1, 2);
        let handles = pool.map_n(SLEEP, vec![60_000_u64; 5]).await.expect("tasks");
        until_running(&workers, 2).await;
        let ids: Vec<String> = handles
            .iter()
            .map(|handle| handle.id().to_owned())
            .collect();
        let mut handles = handles.into_iter();
        // A running one, and a waiting one, which has its outcome when its turn comes.
        other.cancel(ids[0].clone()).await.expect("a fence");
        other.cancel(ids[3].clone()).await.expect("a fence");
        assert_eq!(
            handles.next().expect("a task").await,
            Err(JobError::Cancelled)
        );
        other.cancel_all().await.expect("a fence");
        for handle in handles {
            assert_eq!(handle.await, Err(JobError::Cancelled));
        }
        pool.exec(SLEEP, &1).await.expect("a result");
    });
}

#[test]
fn tasks_that_no_worker_has_yet_are_cancelled_by_a_worker_that_starts_later() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let handles = pool
            .map_n(SLEEP, vec![60_000_u64; 30])
            .await
            .expect("tasks");
        pool.cancel_all().await.expect("a fence");
        let later = pool.spawn_n(SLEEP, &1).await.expect("a task");
        let workers = workers(&server, 1, 4);
        for handle in handles {
            assert_eq!(handle.await, Err(JobError::Cancelled));
        }
        later.await.expect("a result");
        assert_eq!(runs_of(&workers).len(), 1, "none was started");
    });
}

#[test]
fn a_task_whose_worker_was_killed_stays_cancelled() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        let mut first = [WorkerProcess::start(&server, "w0", 2)];
        let handles = pool.map_n(SLEEP, vec![60_000_u64; 2]).await.expect("tasks");
        until_running(&first, 2).await;
        first[0].kill();
        pool.cancel_all().await.expect("a fence");
        let second = [WorkerProcess::start(&server, "w1", 2)];
        for handle in handles {
            assert_eq!(handle.await, Err(JobError::Cancelled));
        }
        assert!(runs_of(&second).is_empty());
    });
}

#[test]
fn a_task_between_two_tries_is_cancelled() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        let _workers = workers(&server, 1, 2);
        let failing = pool.task(FAIL, &9).retry([Duration::from_secs(3600)]);
        let failing = failing.spawn_n().await.expect("a task");
        until("it waits for its next try", async || {
            pool.stats().await.is_ok_and(|stats| stats.delayed == 1)
        })
        .await;
        let cancelled = timeout(Duration::from_secs(15), failing.cancel()).await;
        assert_eq!(cancelled.expect("an outcome"), Err(JobError::Cancelled));
        pool.join().await.expect("an end");
    });
}

#[test]
fn what_is_dropped_is_cancelled() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let workers = workers(&server, 1, 4);
        let exec = timeout(Duration::from_millis(500), pool.exec(SLEEP, &60_000)).await;
        assert!(exec.is_err());
        let mut outcomes = pool
            .itermap(SLEEP, std::iter::repeat_n(60_000_u64, 100))
            .buffer(10);
        assert!(
            timeout(Duration::from_millis(500), outcomes.next())
                .await
                .is_err()
        );
        until_running(&workers, 4).await;
        drop(outcomes);
        // Nothing is left: of 100 items, 10 were submitted.
        timeout(Duration::from_secs(10), pool.join())
            .await
            .expect("an end")
            .expect("an end");
        assert_eq!(pool.stats().await.expect("figures").submitted, 11);
        // The first failure stops the rest.
        let failing = pool.try_map(FAIL, [0_u32, 1, 0]).await;
        assert_eq!(failing, Err(JobError::Failed("attempt 1".into())));
    });
}

#[test]
fn a_paused_pool_starts_nothing_and_goes_on_where_it_was() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let workers = workers(&server, 2, 4);
        pool.exec(SLEEP, &1).await.expect("a result");
        pool.pause().await.expect("a pause");
        sleep(Duration::from_millis(300)).await;
        let handles = pool.map_n(SLEEP, vec![1_u64; 20]).await.expect("tasks");
        // Longer than a lease: what is held is kept.
        sleep(Duration::from_millis(3500)).await;
        assert_eq!(runs_of(&workers).len(), 1);
        assert!(pool.stats().await.expect("figures").is_paused);
        pool.resume().await.expect("an end of the pause");
        for handle in handles {
            handle.await.expect("a result");
        }
        assert_eq!(runs_of(&workers).len(), 21);
    });
}

#[test]
fn a_worker_that_comes_back_starts_nothing_that_was_cancelled_while_it_was_cut_off() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        let proxy = Proxy::start(server.port()).await;
        let options = Options {
            url: proxy.url(),
            slots: 2,
            max_attempts: 5,
            wrapper: &[],
        };
        let workers = [WorkerProcess::start_with(&server, "w0", &options)];
        pool.exec(SLEEP, &1).await.expect("a result");
        // The server does not notice, and sends what it has for the worker into the void.
        proxy.abandon();
        let handles = pool.map_n(SLEEP, vec![100_u64; 20]).await.expect("tasks");
        pool.cancel_all().await.expect("a fence");
        for handle in handles {
            assert_eq!(handle.await, Err(JobError::Cancelled));
        }
        assert_eq!(runs_of(&workers).len(), 1);
    });
}

/// As a server of a cluster does that is killed, while the worker is connected to another one.
#[test]
fn a_cancel_reaches_a_worker_whose_server_has_forgotten_that_it_waits_for_that() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        let workers = workers(&server, 1, 2);
        let task = pool.spawn(SLEEP, &60_000).await.expect("a task");
        until_running(&workers, 1).await;
        let mut raw = Raw::connect(&server);
        let names = raw.request("$JS.API.CONSUMER.NAMES.AIOP_tests_C", "");
        let names = names["consumers"].as_array().expect("names").clone();
        for name in names {
            let name = name.as_str().expect("a name");
            raw.request(&format!("$JS.API.CONSUMER.DELETE.AIOP_tests_C.{name}"), "");
        }
        let left = raw.request("$JS.API.CONSUMER.NAMES.AIOP_tests_C", "");
        assert_eq!(left["total"], 0);
        pool.cancel_all().await.expect("a fence");
        let outcome = timeout(Duration::from_secs(5), task).await;
        assert_eq!(outcome.expect("an outcome soon"), Err(JobError::Cancelled));
    });
}
