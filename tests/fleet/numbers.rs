//! What a server forgets that is killed while a stream of tasks is empty, or just after it has removed messages.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::jobs::{FAIL, SLEEP};
use crate::support::log::starts;
use crate::support::raw::Raw;
use crate::support::worker::runs_of;
use crate::support::{
    Server, WorkerProcess, builder, pool, until, until_no_permit_is_used, until_running,
    with_server, workers,
};
use aiopool::fleet::{FleetPool, JobError};
use rustix::process::Signal;
use tokio::time::sleep;

const WORK: &str = "AIOP_tests_W";
const DELAYED: &str = "AIOP_tests_D";
const OUTCOMES: &str = "AIOP_tests_R";

fn messages_of(directory: &Path, stream: &str) -> PathBuf {
    directory.join(format!("jetstream/$G/streams/{stream}/msgs"))
}

/// Kills the server, and starts it as one that does not know any more which numbers it has given in these streams, which are
/// empty. Their consumers know.
async fn forget_numbers(server: &mut Server, streams: &[&str]) {
    for stream in streams {
        assert_eq!(state(server, stream)["messages"], 0);
    }
    // The server writes several times a second.
    sleep(Duration::from_secs(1)).await;
    server.restart_with(Signal::KILL, |directory| {
        for stream in streams {
            let messages = messages_of(directory, stream);
            fs::remove_dir_all(&messages).expect("a directory removed");
            fs::create_dir(&messages).expect("a directory");
        }
    });
    for stream in streams {
        assert_eq!(state(server, stream)["last_seq"], 0);
    }
}

fn state(server: &Server, stream: &str) -> serde_json::Value {
    let info = Raw::connect(server).request(&format!("$JS.API.STREAM.INFO.{stream}"), "");
    info["state"].clone()
}

/// Runs so many tasks to their end.
async fn run(pool: &FleetPool, tasks: usize) {
    let outcomes = pool.map(SLEEP, vec![1_u64; tasks]).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    until_no_permit_is_used(pool).await;
}

/// Runs so many tasks, of which each runs once.
async fn run_once(pool: &FleetPool, tasks: usize, workers: &[WorkerProcess]) {
    let before = runs_of(workers).len();
    run(pool, tasks).await;
    pool.join().await.expect("an end");
    let runs = runs_of(workers);
    assert_eq!(
        (runs.len(), starts(&runs).len()),
        (before + tasks, before + tasks)
    );
}

/// Returns a pool that has run so many tasks, whose server does not know that, and that has no worker.
async fn without_workers(server: &mut Server, max_tasks: usize, tasks: usize) -> FleetPool {
    let pool = builder(server).size(4).max_tasks(max_tasks).connect().await;
    let pool = pool.expect("a pool");
    let mut first = WorkerProcess::start(server, "first", 4);
    run(&pool, tasks).await;
    first.stop_at_once();
    first.wait();
    forget_numbers(server, &[WORK]).await;
    pool
}

#[test]
fn a_task_that_gets_the_number_of_an_earlier_one_from_a_killed_server_is_not_lost() {
    with_server(async |mut server| {
        let pool = pool(&server, 4).await;
        let workers = workers(&server, 2, 4);
        run(&pool, 50).await;
        forget_numbers(&mut server, &[WORK]).await;
        run_once(&pool, 20, &workers).await;
        run_once(&pool, 100, &workers).await;
    });
}

#[test]
fn a_task_with_the_number_of_an_earlier_one_is_not_lost_when_later_ones_have_new_numbers() {
    with_server(async |mut server| {
        let pool = without_workers(&mut server, 30, 20).await;
        let tasks = vec![1_u64; 29];
        let handles = pool.map_n(SLEEP, tasks).await.expect("tasks");
        let workers = workers(&server, 2, 4);
        for handle in handles {
            handle.await.expect("a result");
        }
        pool.join().await.expect("an end");
        let runs = runs_of(&workers);
        assert_eq!((runs.len(), starts(&runs).len()), (29, 29));
        assert_eq!(state(&server, WORK)["messages"], 0);
    });
}

#[test]
fn an_outcome_that_gets_the_number_of_an_earlier_one_is_not_lost() {
    with_server(async |mut server| {
        let builder = builder(&server).size(4);
        let pool = builder.keep_results(Duration::from_secs(2)).connect().await;
        let pool = pool.expect("a pool");
        let _workers = workers(&server, 1, 4);
        run(&pool, 20).await;
        until("no outcome is kept", async || {
            state(&server, OUTCOMES)["messages"] == 0
        })
        .await;
        forget_numbers(&mut server, &[OUTCOMES]).await;
        run(&pool, 5).await;
    });
}

#[test]
fn a_full_pool_loses_no_task_with_the_number_of_an_earlier_one() {
    with_server(async |mut server| {
        let pool = without_workers(&mut server, 15, 15).await;
        let tasks = vec![1_u64; 15];
        let handles = pool.map_n(SLEEP, tasks).await.expect("tasks");
        let _workers = workers(&server, 2, 4);
        for handle in handles {
            handle.await.expect("a result");
        }
        pool.join().await.expect("an end");
    });
}

#[test]
fn what_was_cancelled_before_a_killed_server_gives_numbers_again_cancels_no_later_task() {
    with_server(async |mut server| {
        let pool = pool(&server, 4).await;
        let _workers = workers(&server, 1, 4);
        run(&pool, 20).await;
        pool.cancel_all().await.expect("a fence");
        forget_numbers(&mut server, &[WORK]).await;
        until("it is forgotten what was cancelled", async || {
            state(&server, "AIOP_tests_C")["messages"] == 0
        })
        .await;
        run(&pool, 10).await;
        // As long as the tasks are there that it is about.
        let cancelled = pool.spawn(SLEEP, &60_000).await.expect("a task");
        pool.cancel_all().await.expect("a fence");
        assert_eq!(cancelled.await, Err(JobError::Cancelled));
    });
}

#[test]
fn a_task_between_two_tries_with_the_number_of_an_earlier_one_is_not_lost() {
    with_server(async |mut server| {
        let pool = pool(&server, 4).await;
        let _workers = workers(&server, 2, 4);
        let patient = pool.retrying([Duration::ZERO]);
        for outcome in patient.map(FAIL, vec![1_u32; 10]).await {
            assert_eq!(outcome, Ok(2));
        }
        pool.join().await.expect("an end");
        forget_numbers(&mut server, &[WORK, DELAYED]).await;
        for outcome in patient.map(FAIL, vec![1_u32; 5]).await {
            assert_eq!(outcome, Ok(2));
        }
        pool.join().await.expect("an end");
    });
}

#[test]
fn what_a_killed_server_keeps_of_tasks_that_are_over_is_removed_and_runs_no_more() {
    with_server(async |mut server| {
        let pool = builder(&server).size(4).max_tasks(10).connect().await;
        let pool = pool.expect("a pool");
        let handles = pool.map_n(SLEEP, vec![1_u64; 8]).await.expect("tasks");
        sleep(Duration::from_secs(1)).await;
        let messages = messages_of(server.directory(), WORK);
        let kept: Vec<_> = fs::read_dir(&messages)
            .expect("a directory")
            .map(|file| file.expect("a file").path())
            .map(|path| (path.clone(), fs::read(path).expect("a file")))
            .collect();
        let workers = workers(&server, 1, 4);
        for handle in handles {
            handle.await.expect("a result");
        }
        until_no_permit_is_used(&pool).await;
        // The server writes several times a second.
        sleep(Duration::from_secs(1)).await;
        server.restart_with(Signal::KILL, |_| {
            fs::remove_dir_all(&messages).expect("a directory removed");
            fs::create_dir(&messages).expect("a directory");
            for (path, bytes) in kept {
                fs::write(path, bytes).expect("a file");
            }
        });
        until("their messages are gone", async || {
            state(&server, WORK)["messages"] == 0
        })
        .await;
        run(&pool, 10).await;
        assert_eq!(runs_of(&workers).len(), 18);
    });
}

#[test]
fn a_task_is_not_taken_for_an_earlier_one_of_the_same_number_that_had_used_up_its_attempts() {
    with_server(async |server| {
        let pool = pool(&server, 1).await;
        // Of a task that had the number 1, at a server that was killed.
        let stored = Raw::connect(&server).publish("aiop.tests.n.1", &[], b"5");
        assert!(stored.contains("\"seq\":1"), "{stored}");
        let task = pool.spawn_n(SLEEP, &1000).await.expect("a task");
        let mut workers = workers(&server, 1, 1);
        until_running(&workers, 1).await;
        workers[0].kill();
        workers.push(WorkerProcess::start(&server, "w1", 1));
        assert_eq!(task.await, Ok("w1".to_owned()));
    });
}
