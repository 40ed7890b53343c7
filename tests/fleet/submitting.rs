//! What becomes of many tasks that are submitted at once.

use std::time::{Duration, Instant};

use crate::support::jobs::SLEEP;
use crate::support::proxy::Proxy;
use crate::support::worker::runs_of;
use crate::support::{pool, until, with_server, workers};
use aiopool::fleet::{EngineError, FleetPool, Job, JobError, Nats};
use rustix::process::Signal;
use tokio::time::timeout;

#[test]
fn the_tasks_before_one_that_cannot_be_submitted_run_on() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        const TEXT: Job<String, String> = Job::new("sleep");
        let too_large = |place| match place {
            300 => "x".repeat(2_000_000),
            _ => "no number".to_owned(),
        };
        let refused = pool.map_n(TEXT, (0..400).map(too_large)).await.map(drop);
        assert!(
            matches!(refused, Err(EngineError::TooLarge { .. })),
            "{refused:?}"
        );
        assert_eq!(pool.stats().await.expect("figures").waiting, 300);
        let _workers = workers(&server, 1, 4);
        pool.join().await.expect("an end");
    });
}

#[test]
fn the_tasks_before_one_that_the_server_refuses_run_on() {
    with_server(async |server| {
        let pool = FleetPool::builder(Nats::new(server.url()))
            .pool("tests")
            .size(4);
        let pool = pool.max_tasks(100).connect().await.expect("a pool");
        // The future may move to another thread.
        let all = tokio::spawn({
            let pool = pool.clone();
            async move { pool.map_n(SLEEP, vec![1_u64; 1000]).await.map(drop) }
        });
        let refused = all.await.expect("no panic");
        assert_eq!(refused, Err(EngineError::Full));
        assert_eq!(pool.stats().await.expect("figures").waiting, 100);
        let workers = workers(&server, 1, 4);
        pool.join().await.expect("an end");
        assert_eq!(runs_of(&workers).len(), 100);
    });
}

#[test]
fn dropping_a_map_n_cancels_what_the_server_has_not_acknowledged() {
    with_server(async |server| {
        let proxy = Proxy::start(server.port()).await;
        let other = pool(&server, 4).await;
        let cut_off = FleetPool::builder(Nats::new(proxy.url())).pool("tests");
        let cut_off = cut_off.patience(Duration::MAX);
        let cut_off = cut_off.connect().await.expect("a pool");
        let kept = cut_off.map_n(SLEEP, vec![1_u64; 100]).await.expect("tasks");
        proxy.set_frozen(true);
        let many = cut_off.map_n(SLEEP, vec![60_000_u64; 1000]);
        let dropped = timeout(Duration::from_millis(300), many).await;
        assert!(dropped.is_err(), "nothing is acknowledged");
        proxy.set_frozen(false);
        until("what was under way has arrived", async || {
            other.stats().await.is_ok_and(|stats| stats.submitted > 600)
        })
        .await;
        let _workers = workers(&server, 1, 4);
        for handle in kept {
            handle.await.expect("a result");
        }
        // Each of the others would take a minute.
        let end = timeout(Duration::from_secs(30), other.join()).await;
        end.expect("all are cancelled").expect("an end");
        assert_eq!(other.stats().await.expect("figures").submitted, 100 + 512);
    });
}

#[test]
fn a_server_that_is_killed_meanwhile_gets_each_task_once() {
    with_server(async |mut server| {
        let pool = pool(&server, 8).await;
        let mut taken = 0;
        let mut restarted = false;
        let mut items = std::iter::repeat_n(1_u64, 3000).inspect(|_| taken += 1);
        let first = pool.map_n(SLEEP, items.by_ref().take(1500)).await;
        let rest = pool.map_n(
            SLEEP,
            items.inspect(|_| {
                if !std::mem::replace(&mut restarted, true) {
                    server.restart(Signal::KILL);
                }
            }),
        );
        let rest = rest.await.expect("tasks");
        let workers = workers(&server, 2, 8);
        for handle in first.expect("tasks").into_iter().chain(rest) {
            handle.await.expect("a result");
        }
        let mut runs: Vec<_> = runs_of(&workers).into_iter().map(|run| run.id).collect();
        runs.sort();
        runs.dedup();
        assert_eq!((taken, runs.len()), (3000, 3000));
    });
}

#[test]
fn a_client_gives_up_when_its_patience_is_over() {
    with_server(async |server| {
        let _pool = pool(&server, 4).await;
        let proxy = Proxy::start(server.port()).await;
        let cut_off = FleetPool::builder(Nats::new(proxy.url())).pool("tests");
        let cut_off = cut_off.patience(Duration::from_secs(1));
        let cut_off = cut_off.connect().await.expect("a pool");
        proxy.set_frozen(true);
        let begun = Instant::now();
        let (one, many) =
            tokio::join!(cut_off.spawn_n(SLEEP, &1), cut_off.map_n(SLEEP, [1_u64, 2]));
        assert_eq!(one.map(drop), Err(EngineError::Timeout));
        assert_eq!(many.map(drop), Err(EngineError::Timeout));
        let exec = cut_off.exec(SLEEP, &1).await;
        assert_eq!(exec, Err(JobError::Engine(EngineError::Timeout)));
        // Twice a second, and not what a server has for an answer.
        assert!(begun.elapsed() < Duration::from_secs(4));
    });
}
