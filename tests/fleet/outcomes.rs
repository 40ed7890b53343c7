//! Each task has exactly one outcome, and it says what has happened.

use std::ops::Range;
use std::time::Duration;

use crate::support::client::ClientProcess;
use crate::support::jobs::{
    BYTES, COUNT, CRASH, FAIL, Named, PANIC, SLEEP, SLEEP_BY_NAME, UNKNOWN,
};
use crate::support::log::starts;
use crate::support::raw::Raw;
use crate::support::worker::{Options, runs_of};
use crate::support::{
    LEASE, WorkerProcess, builder, pool, until, until_no_permit_is_used, until_running,
    with_server, workers,
};
use aiopool::fleet::{EngineError, JobError, TaskState};
use futures::future::join_all;
use futures::stream;
use tokio::time::{sleep, timeout};

/// Another worker, which was thought to be lost, has stored its outcome while this one runs the task once more.
#[test]
fn the_first_outcome_that_is_stored_stays() {
    with_server(async |server| {
        let pool = pool(&server, 1).await;
        let handle = pool.spawn_n(SLEEP, &1).await.expect("a task");
        let (owner, id) = (pool.group_name().to_owned(), handle.id().to_owned());
        let subject = format!("aiop.tests.r.{owner}.{id}.1");
        let mut raw = Raw::connect(&server);
        raw.publish(&subject, &[("Aiop-Outcome", "done")], b"\"first\"");
        assert_eq!(handle.await.as_deref(), Ok("first"));
        let _workers = workers(&server, 1, 1);
        pool.join().await.expect("an end");
        let last = format!("{{\"last_by_subj\":\"{subject}\"}}");
        let stored = raw.request("$JS.API.STREAM.MSG.GET.AIOP_tests_R", &last);
        assert_eq!(stored["message"]["seq"], 1, "{stored}");
    });
}

#[test]
fn a_task_without_a_result_says_why() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let _workers = workers(&server, 1, 4);
        let failed = JobError::Failed("attempt 1".into());
        assert_eq!(pool.exec(FAIL, &1).await, Err(failed));
        let panicked = JobError::Panicked("on purpose".into());
        assert_eq!(pool.exec(PANIC, &()).await, Err(panicked));
        let unknown = JobError::Unknown {
            job: "unknown".into(),
        };
        assert_eq!(pool.exec(UNKNOWN, &()).await, Err(unknown));
        let of_another_type = pool.exec(SLEEP_BY_NAME, &Named { milliseconds: 1 }).await;
        assert!(matches!(of_another_type, Err(JobError::Decode(_))));
        let late = pool
            .task(SLEEP, &10_000)
            .deadline(Duration::from_millis(100));
        assert_eq!(late.exec().await, Err(JobError::Expired));
    });
}

#[test]
fn what_is_too_large_is_a_typed_error_on_both_ways() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let _workers = workers(&server, 1, 4);
        let large = pool.exec(BYTES, &2_000_000).await;
        assert!(matches!(
            large,
            Err(JobError::TooLarge {
                bytes: 2_000_000..,
                ..
            })
        ));
        let text: aiopool::fleet::Job<String, String> = aiopool::fleet::Job::new("sleep");
        let large = pool.spawn_n(text, &"x".repeat(2_000_000)).await.map(drop);
        assert!(matches!(
            large,
            Err(EngineError::TooLarge {
                bytes: 2_000_000..,
                ..
            })
        ));
        assert_eq!(
            pool.exec(BYTES, &900_000).await.map(|text| text.len()),
            Ok(900_000)
        );
    });
}

#[test]
fn a_failing_task_is_tried_again_and_holds_no_permit_between_two_tries() {
    with_server(async |server| {
        let pool = pool(&server, 1).await;
        let _workers = workers(&server, 1, 4);
        let delays = [100, 1500].map(Duration::from_millis);
        let failing = pool.task(FAIL, &2).retry(delays).spawn_n().await;
        let failing = failing.expect("a task");
        until("it waits for its third try", async || {
            let tasks = pool.tasks(10).await.expect("tasks");
            let delayed = |task: &aiopool::fleet::TaskInfo| {
                task.state == TaskState::Delayed && task.id == failing.id()
            };
            tasks.iter().any(|task| delayed(task) && task.attempt == 3)
        })
        .await;
        // The only permit is free.
        timeout(Duration::from_secs(1), pool.exec(SLEEP, &1))
            .await
            .expect("a permit")
            .expect("a result");
        until_no_permit_is_used(&pool).await;
        assert_eq!(failing.await, Ok(3));
        let last = pool.task(FAIL, &9).retry([Duration::ZERO]).exec().await;
        assert_eq!(last, Err(JobError::Failed("attempt 2".into())));
        pool.join().await.expect("an end");
    });
}

#[test]
fn what_a_stream_yields_is_mapped_in_its_order_and_the_first_failure_ends_a_try() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let _workers = workers(&server, 1, 4);
        let texts = ["xxx", "xx", "x"].map(str::to_owned);
        let mapped = pool.map_stream(BYTES, stream::iter([3, 2, 1])).await;
        assert_eq!(mapped, texts.clone().map(Ok));
        let mapped = pool.try_map_stream(BYTES, stream::iter([3, 2, 1])).await;
        assert_eq!(mapped, Ok(texts.to_vec()));
        let failed = pool.try_map_stream(FAIL, stream::iter([0, 1, 0])).await;
        assert_eq!(failed, Err(JobError::Failed("attempt 1".into())));
    });
}

#[test]
fn a_handle_gives_its_tasks_the_options_that_it_was_made_with_and_the_other_handles_none() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let _workers = workers(&server, 1, 4);
        let patient = pool.retrying([Duration::ZERO]);
        assert_eq!(patient.exec(FAIL, &1).await, Ok(2));
        let hasty = pool.with_deadline(Duration::from_millis(100));
        assert_eq!(hasty.exec(SLEEP, &10_000).await, Err(JobError::Expired));
        let failed = pool.exec(FAIL, &1).await;
        assert_eq!(failed, Err(JobError::Failed("attempt 1".into())));
        assert_eq!(
            pool.group("g").map(|group| group.group_name().to_owned()),
            Ok("g".into())
        );
        assert_ne!(pool.group_name(), "g");
    });
}

#[test]
fn a_task_that_takes_its_worker_down_is_given_up_and_costs_no_other_task_its_life() {
    with_server(async |server| {
        let pool = pool(&server, 8).await;
        let options = Options {
            url: server.url(),
            slots: 8,
            max_attempts: 3,
            wrapper: &[],
        };
        let start = |n: usize| WorkerProcess::start_with(&server, &format!("w{n}"), &options);
        let mut workers = vec![start(0), start(1)];
        let bad = pool.map_n(CRASH, [(), ()]).await.expect("tasks");
        let innocent = pool.map_n(SLEEP, vec![200_u64; 40]).await.expect("tasks");
        let mut crashes = 0;
        let mut ends = Box::pin(async {
            let mut dead = Vec::new();
            for handle in bad {
                dead.push(handle.await);
            }
            for handle in innocent {
                handle.await.expect("a result");
            }
            dead
        });
        // Workers that have crashed are started again, as an init system does.
        let dead = loop {
            tokio::select! {
                dead = &mut ends => break dead,
                () = sleep(Duration::from_millis(50)) => {}
            }
            for n in 0..workers.len() {
                if workers[n].is_gone() && !workers[n].is_replaced() {
                    workers[n].replace();
                    crashes += 1;
                    workers.push(start(workers.len()));
                }
            }
        };
        drop(ends);
        assert_eq!(dead, [const { Err(JobError::Dead { attempts: 3 }) }; 2]);
        assert!((3..=6).contains(&crashes), "{crashes} crashes");
    });
}

#[test]
fn a_task_reports_progress_to_its_handle() {
    with_server(async |server| {
        let pool = pool(&server, 1).await;
        let _workers = workers(&server, 1, 1);
        let running = pool.spawn(SLEEP, &300).await.expect("a task");
        let counting = pool.spawn_n(COUNT, &30).await.expect("a task");
        let mut progress = counting.progress::<u32>();
        let mut numbers = Vec::new();
        while let Some(number) = progress.next().await {
            numbers.push(number);
        }
        assert_eq!(numbers, (0..30).collect::<Vec<_>>());
        assert_eq!(counting.await, Ok(30));
        // A handle of another client reads from now on, to the end.
        let long = pool.spawn(COUNT, &500).await.expect("a task");
        let other = builder(&server).connect().await.expect("a pool");
        let attached = other.attach(COUNT, long.id()).expect("a handle");
        let mut progress = attached.progress::<u32>();
        let mut last = None;
        while let Some(number) = progress.next().await {
            last = Some(number);
        }
        assert!(last.is_some());
        assert_eq!((attached.await, long.await), (Ok(500), Ok(500)));
        running.await.expect("a result");
    });
}

#[test]
fn a_client_that_has_died_loses_no_outcome() {
    with_server(async |server| {
        let first = pool(&server, 2).await;
        let _workers = workers(&server, 1, 2);
        let task = first.task(SLEEP, &50).id("mine").spawn_n().await;
        drop((task.expect("a task"), first));
        sleep(Duration::from_millis(300)).await;
        let second = builder(&server).connect().await.expect("a pool");
        let handle = second.attach(SLEEP, "mine").expect("a handle");
        assert_eq!(handle.await, Ok("w0".to_owned()));
        let nobody = second.attach(SLEEP, "nobody").expect("a handle");
        assert_eq!(nobody.await, Err(JobError::NotFound));
        // One that has not ended is waited for.
        let long = second.task(SLEEP, &700).id("long").spawn_n().await;
        drop(long.expect("a task"));
        let third = builder(&server).connect().await.expect("a pool");
        let handle = third.attach(SLEEP, "long").expect("a handle");
        assert_eq!(handle.await, Ok("w0".to_owned()));
    });
}

#[test]
fn very_many_handles_may_be_attached_at_once() {
    with_server(async |server| {
        let pool = pool(&server, 50).await;
        let _workers = workers(&server, 1, 50);
        let submit = async |numbers: Range<u32>| {
            for n in numbers {
                let task = pool.task(SLEEP, &1).id(format!("task-{n}"));
                drop(task.spawn_n().await.expect("a task"));
            }
        };
        submit(0..300).await;
        pool.join().await.expect("an end");
        pool.pause().await.expect("a pause");
        submit(300..600).await;
        let other = builder(&server).connect().await.expect("a pool");
        let attach = |n| other.attach(SLEEP, format!("task-{n}")).expect("a handle");
        let over: Vec<_> = (0..300).map(attach).collect();
        let waiting: Vec<_> = (300..600).map(attach).collect();
        let all_ended = |outcomes: Vec<_>| outcomes.iter().all(|end| *end == Ok("w0".to_owned()));
        assert!(all_ended(join_all(over).await));
        // Consumers cost a server much, and a cluster more: there are those of the clients, and of tasks that wait.
        let mut raw = Raw::connect(&server);
        let results = raw.request("$JS.API.STREAM.INFO.AIOP_tests_R", "");
        let consumers = results["state"]["consumer_count"].as_u64();
        assert!(consumers.is_some_and(|count| count < 310), "{consumers:?}");
        pool.resume().await.expect("an end of the pause");
        assert!(all_ended(join_all(waiting).await));
    });
}

#[test]
fn a_client_that_is_killed_loses_no_outcome_of_what_it_had_submitted() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let workers = workers(&server, 1, 4);
        let mut client = ClientProcess::start(&server, 10_000);
        until("some tasks have ended", async || {
            runs_of(&workers).len() >= 40
        })
        .await;
        client.kill();
        let submitted = pool.stats().await.expect("figures").submitted;
        assert!((40..10_000).contains(&submitted), "{submitted}");
        // The first ones have ended, the last ones wait: each of them has its outcome.
        for n in 0..submitted {
            let handle = pool.attach(SLEEP, format!("task-{n}")).expect("a handle");
            assert_eq!(handle.await, Ok("w0".to_owned()), "task-{n} of {submitted}");
        }
        pool.join().await.expect("an end");
        assert_eq!(pool.stats().await.expect("figures").finished, submitted);
    });
}

#[test]
fn a_task_that_is_submitted_again_under_its_id_runs_once() {
    with_server(async |server| {
        let one = pool(&server, 2).await;
        let other = builder(&server).connect().await.expect("a pool");
        let workers = workers(&server, 1, 2);
        let first = one
            .task(SLEEP, &100)
            .id("once")
            .spawn_n()
            .await
            .expect("a task");
        let again = one
            .task(SLEEP, &100)
            .id("once")
            .spawn_n()
            .await
            .expect("a task");
        let elsewhere = other
            .task(SLEEP, &100)
            .id("once")
            .spawn_n()
            .await
            .expect("a task");
        for handle in [first, again, elsewhere] {
            assert_eq!(handle.await, Ok("w0".to_owned()));
        }
        let late = other
            .task(SLEEP, &100)
            .id("once")
            .spawn_n()
            .await
            .expect("a task");
        assert_eq!(late.await, Ok("w0".to_owned()));
        assert_eq!(starts(&runs_of(&workers)).get("once"), Some(&1));
    });
}

#[test]
fn a_worker_that_is_stopped_ends_what_it_can_and_gives_the_rest_back_at_once() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let mut first = [WorkerProcess::start(&server, "w0", 4)];
        let short = pool.map_n(SLEEP, [700_u64, 700]).await.expect("tasks");
        let long = pool.map_n(SLEEP, [4000_u64, 4000]).await.expect("tasks");
        until_running(&first, 4).await;
        first[0].stop();
        let second = [WorkerProcess::start(&server, "w1", 4)];
        let began = std::time::Instant::now();
        for handle in short {
            assert_eq!(handle.await, Ok("w0".to_owned()));
        }
        first[0].wait();
        until_running(&second, 2).await;
        // The grace is a second. Without giving back, the lease would have to end as well.
        assert!(
            began.elapsed() < Duration::from_secs(1) + LEASE,
            "{:?}",
            began.elapsed()
        );
        for handle in long {
            assert_eq!(handle.await, Ok("w1".to_owned()));
        }
    });
}

#[test]
fn tasks_start_in_the_order_of_their_submission() {
    with_server(async |server| {
        let pool = pool(&server, 1).await;
        let handles = pool.map_n(SLEEP, vec![1_u64; 100]).await.expect("tasks");
        let ids: Vec<String> = handles
            .iter()
            .map(|handle| handle.id().to_owned())
            .collect();
        let workers = workers(&server, 2, 4);
        pool.join().await.expect("an end");
        let mut runs = runs_of(&workers);
        runs.sort_by_key(|run| run.start);
        let started: Vec<String> = runs.into_iter().map(|run| run.id).collect();
        assert_eq!(started, ids);
    });
}

#[test]
fn spawn_waits_until_a_worker_has_started_the_task() {
    with_server(async |server| {
        let pool = pool(&server, 2).await;
        let early = timeout(Duration::from_millis(300), pool.spawn(SLEEP, &1)).await;
        assert!(early.is_err(), "nobody runs it");
        let workers = workers(&server, 1, 4);
        let began = std::time::Instant::now();
        for _ in 0..6 {
            pool.spawn(SLEEP, &300).await.expect("a task");
        }
        assert!(
            began.elapsed() >= Duration::from_millis(600),
            "{:?}",
            began.elapsed()
        );
        pool.join().await.expect("an end");
        // The one whose `spawn` was dropped is cancelled.
        assert_eq!(runs_of(&workers).len(), 6);
    });
}
