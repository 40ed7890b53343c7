//! A worker inside of a program that has more to do.

use std::time::{Duration, Instant};

use crate::support::{LEASE, POOL, builder, until, with_server};
use aiopool::AioPool;
use aiopool::fleet::{EngineError, Fail, Job, JobError, Nats, Registry, Run, TaskState, Worker};

/// Never ends.
const WAIT: Job<(), ()> = Job::new("wait");
/// Fails at the first attempt in this way, and returns the second one.
const FAIL_AS: Job<String, u32> = Job::new("fail-as");

/// How long a job asks to be let alone.
const AFTER: Duration = Duration::from_millis(300);

fn registry() -> Registry {
    Registry::new()
        .on(WAIT, async |_: Run, ()| std::future::pending().await)
        .on(FAIL_AS, async |run: Run, how: String| {
            let why = "no disk".to_owned();
            match (run.attempt, &*how) {
                (1, "fatal") => Err(Fail::Fatal(why)),
                (1, "retry") => Err(Fail::Retry { why, after: AFTER }),
                (1, _) => Ok("x".parse::<u32>()?),
                (attempt, _) => Ok(attempt),
            }
        })
}

#[test]
fn a_worker_creates_the_pool_and_runs_its_tasks_in_a_pool_of_the_program() {
    with_server(async |server| {
        let local = AioPool::new(2);
        let worker = Worker::builder(Nats::new(server.url())).pool(POOL);
        let worker = worker.name("here").size(4).lease(LEASE);
        let worker = worker.local_pool(local.clone()).connect(registry()).await;
        let worker = worker.expect("a worker");
        assert_eq!((worker.name(), worker.local_pool().size()), ("here", 2));
        let stopper = worker.stopper();
        let runs = tokio::spawn(worker.run());

        let pool = builder(&server).connect().await.expect("it is there");
        let handle = pool.spawn(WAIT, &()).await.expect("a task");
        until("it runs", async || local.active() == 1).await;
        let tasks = pool.tasks(10).await.expect("tasks");
        let [task] = &*tasks else {
            panic!("{tasks:?}");
        };
        assert_eq!((&*task.id, &*task.job), (handle.id(), "wait"));
        assert_eq!((task.state, task.attempt), (TaskState::Active, 1));
        assert_eq!(task.worker.as_deref(), Some("here"));
        assert!(task.running.is_some());

        // What is aborted in the program's pool goes back to the fleet, and comes again.
        local.cancel_all().await;
        until("it runs again", async || local.active() == 1).await;
        stopper.stop(Duration::ZERO);
        let report = runs.await.expect("no panic").expect("a report");
        assert_eq!((report.started, report.completed), (2, 0));
        pool.close();
        let late = pool.spawn_n(WAIT, &()).await.map(drop);
        assert_eq!(late, Err(EngineError::Closed));
    });
}

#[test]
fn a_job_says_itself_whether_and_when_it_is_tried_again() {
    with_server(async |server| {
        let worker = Worker::builder(Nats::new(server.url())).pool(POOL).size(4);
        let worker = worker.connect(registry()).await.expect("a worker");
        let stopper = worker.stopper();
        let runs = tokio::spawn(worker.run());
        let pool = builder(&server).connect().await.expect("it is there");
        let exec = async |how: &str| {
            let how = how.to_owned();
            let task = pool.task(FAIL_AS, &how).retry([Duration::ZERO; 2]);
            task.exec().await
        };
        assert_eq!(exec("error").await, Ok(2));
        let fatal = JobError::Failed("no disk".into());
        assert_eq!(exec("fatal").await, Err(fatal));
        let begun = Instant::now();
        assert_eq!(exec("retry").await, Ok(2));
        assert!(begun.elapsed() >= AFTER, "{:?}", begun.elapsed());
        stopper.stop(Duration::ZERO);
        runs.await.expect("no panic").expect("a report");
    });
}
