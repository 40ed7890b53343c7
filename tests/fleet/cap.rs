//! Never more tasks run than the size says.

use std::fs;
use std::time::Duration;

use crate::support::clock::{self, MS};
use crate::support::jobs::{FAIL, SLEEP};
use crate::support::log::{concurrency, most_at_a_start, starts};
use crate::support::namespace::Namespace;
use crate::support::proxy::Proxy;
use crate::support::raw::Raw;
use crate::support::worker::{Options, runs_of};
use crate::support::{
    LEASE, Server, WorkerProcess, builder, pool, until, until_running, with_server, workers,
};
use aiopool::fleet::JobError;
use rustix::process::Signal;
use tokio::time::sleep;

#[test]
fn never_more_tasks_run_than_the_size_says_and_all_permits_are_used() {
    with_server(async |server| {
        // With the lease that is the default: on a busy machine, a short one may be lost.
        let pool = builder(&server).size(20).connect().await.expect("a pool");
        let workers = workers(&server, 3, 16);
        let outcomes = pool.map(SLEEP, vec![20_u64; 1000]).await;
        assert!(outcomes.iter().all(Result::is_ok));
        let runs = runs_of(&workers);
        let often = starts(&runs);
        let twice: Vec<_> = runs.iter().filter(|run| often[&run.id] > 1).collect();
        let workers = pool.workers().await;
        assert!(twice.is_empty(), "{twice:#?} {workers:?}");
        assert_eq!((runs.len(), concurrency(&runs, 20)), (1000, (20, 0)));
    });
}

#[test]
fn a_killed_worker_loses_no_task_and_frees_no_permit_too_early() {
    with_server(async |server| {
        let pool = pool(&server, 12).await;
        let mut workers = workers(&server, 3, 8);
        let handles = pool.map_n(SLEEP, vec![50_u64; 400]).await.expect("tasks");
        until_running(&workers, 12).await;
        workers[1].kill();
        for handle in handles {
            handle.await.expect("a result");
        }
        let runs = runs_of(&workers);
        assert_eq!(starts(&runs).len(), 400);
        // The permits of the killed worker are held by the server until its leases end: no more than that is known.
        assert_eq!(concurrency(&runs, 12).1, 0);
    });
}

#[test]
fn a_worker_that_was_stopped_for_longer_than_its_lease_does_not_go_on() {
    with_server(async |server| {
        let pool = pool(&server, 6).await;
        let mut workers = workers(&server, 2, 6);
        let handles = pool.map_n(SLEEP, vec![1500_u64; 18]).await.expect("tasks");
        until_running(&workers, 6).await;
        workers[0].freeze();
        sleep(LEASE * 2).await;
        workers[0].thaw();
        for handle in handles {
            handle.await.expect("a result");
        }
        let (most, above) = concurrency(&runs_of(&workers), 6);
        // One poll: the time that the process needs to notice.
        assert!(above < 100 * MS, "{most} of 6, {above} ns");
    });
}

/// Cuts one of two workers off, for three leases, and returns the most tasks at a time of 6.
async fn cut_off(server: &Server, one: WorkerProcess, cut: impl Fn(bool)) -> (usize, u64) {
    let pool = pool(server, 6).await;
    let workers = [one, WorkerProcess::start(server, "w1", 6)];
    until("both workers are there", async || {
        pool.workers().await.is_ok_and(|workers| workers.len() == 2)
    })
    .await;
    let handles = pool.map_n(SLEEP, vec![1000_u64; 30]).await.expect("tasks");
    until_running(&workers, 6).await;
    cut(true);
    sleep(LEASE * 3).await;
    cut(false);
    let mut outcomes = 0;
    for handle in handles {
        handle.await.expect("a result");
        outcomes += 1;
    }
    assert_eq!(outcomes, 30);
    let runs = runs_of(&workers);
    assert!(runs.iter().any(|run| run.worker == "w0"));
    concurrency(&runs, 6)
}

#[test]
fn a_worker_behind_a_stalled_connection_stops_before_others_get_its_tasks() {
    with_server(async |server| {
        let proxy = Proxy::start(server.port()).await;
        let options = Options {
            url: proxy.url(),
            slots: 6,
            max_attempts: 5,
            wrapper: &[],
        };
        let one = WorkerProcess::start_with(&server, "w0", &options);
        assert_eq!(
            cut_off(&server, one, |cut| proxy.set_frozen(cut)).await,
            (6, 0)
        );
    });
}

#[test]
fn a_worker_in_a_network_that_is_cut_off_stops_before_others_get_its_tasks() {
    let Some(server) = Server::start_open() else {
        return with_server(async |_| {});
    };
    let Some(namespace) = Namespace::new(1) else {
        println!("skipped: network namespaces are not allowed here");
        return;
    };
    crate::support::runtime().block_on(async {
        let options = Options {
            url: format!("nats://{}:{}", namespace.host(), server.port()),
            slots: 6,
            max_attempts: 5,
            wrapper: &namespace.wrapper(),
        };
        let one = WorkerProcess::start_with(&server, "w0", &options);
        let cut = |cut: bool| match cut {
            true => namespace.cut(),
            false => namespace.mend(),
        };
        assert_eq!(cut_off(&server, one, cut).await, (6, 0));
    });
}

/// Restarts the server `after` so long, while tasks run and wait.
async fn restarted(mut server: Server, signal: Signal, after: Duration) -> (usize, u64) {
    let pool = pool(&server, 10).await;
    let workers = workers(&server, 2, 10);
    let handles = pool.map_n(SLEEP, vec![300_u64; 150]).await.expect("tasks");
    until_running(&workers, 10).await;
    sleep(after).await;
    server.restart(signal);
    let mut outcomes = 0;
    for handle in handles {
        handle.await.expect("a result");
        outcomes += 1;
    }
    let runs = runs_of(&workers);
    assert_eq!((outcomes, starts(&runs).len()), (150, 150));
    concurrency(&runs, 10)
}

#[test]
fn a_server_that_is_restarted_loses_no_task_and_forgets_no_permit() {
    with_server(async |server| {
        let soon = Duration::from_millis(500);
        assert_eq!(restarted(server, Signal::TERM, soon).await.1, 0);
    });
}

#[test]
fn a_restarted_server_counts_a_lease_from_the_start_of_a_task_and_not_from_its_submission() {
    with_server(async |server| {
        // What runs now has waited for longer than a lease. 300 ms later, what runs is other tasks.
        let late = LEASE + Duration::from_millis(450);
        assert_eq!(restarted(server, Signal::TERM, late).await.1, 0);
    });
}

#[test]
fn a_server_that_is_killed_loses_no_task() {
    with_server(async |server| {
        // The docs name the exception: for a moment, as many more as were in flight.
        let soon = Duration::from_millis(500);
        assert!(restarted(server, Signal::KILL, soon).await.0 <= 20);
    });
}

#[test]
fn a_server_that_is_killed_right_after_it_has_delivered_costs_permits_for_a_moment_only() {
    with_server(async |mut server| {
        let pool = pool(&server, 4).await;
        let workers = workers(&server, 3, 4);
        until("the workers are there", async || {
            let there = pool.workers().await;
            there.is_ok_and(|there| there.len() == 3)
        })
        .await;
        let handles = pool.map_n(SLEEP, vec![5000_u64; 8]).await.expect("tasks");
        until_running(&workers, 4).await;
        server.restart(Signal::KILL);
        for handle in handles {
            handle.await.expect("a result");
        }
        // Until all workers are connected again, which takes them up to a second.
        let (most, above) = concurrency(&runs_of(&workers), 4);
        assert!(most <= 8 && above < 2000 * MS, "{most} of 4, {above} ns");
    });
}

/// A server before 2.10.20 that ends while it writes this file leaves an empty one.
#[test]
fn a_server_that_has_forgotten_what_it_has_delivered_costs_permits_for_a_moment_only() {
    with_server(async |mut server| {
        let pool = pool(&server, 4).await;
        let workers = workers(&server, 3, 4);
        let before = pool.map(SLEEP, vec![1_u64; 30]).await;
        let handles = pool.map_n(SLEEP, vec![5000_u64; 8]).await.expect("tasks");
        until_running(&workers, 4).await;
        sleep(Duration::from_millis(500)).await;
        server.restart_with(Signal::TERM, |directory| {
            let consumer = "jetstream/$G/streams/AIOP_tests_W/obs/workers/o.dat";
            fs::write(directory.join(consumer), []).expect("a file");
        });
        for handle in handles {
            handle.await.expect("a result");
        }
        assert!(before.iter().all(Result::is_ok));
        let (most, above) = concurrency(&runs_of(&workers), 4);
        assert!(most <= 8 && above < 2000 * MS, "{most} of 4, {above} ns");
    });
}

/// Kills the server, and starts it as one that has removed the message of a task that is over, and has not written down before
/// that the lease of it is over too. Meanwhile, the task ends.
///
/// The server does not see that by itself as long as there is an earlier message.
async fn forget_an_end(server: &mut Server, consumer: Consumer, end: impl Future<Output = ()>) {
    // The server writes several times a second.
    sleep(Duration::from_secs(1)).await;
    let file = format!(
        "jetstream/$G/streams/{}/obs/{}/o.dat",
        consumer.0, consumer.1
    );
    let before = fs::read(server.directory().join(&file)).expect("a file");
    end.await;
    until_leased(server, consumer, 1).await;
    server.restart_with(Signal::KILL, |directory| {
        fs::write(directory.join(file), before).expect("a file");
    });
    until_leased(server, consumer, 2).await;
}

/// The names of a stream and of its consumer.
type Consumer = (&'static str, &'static str);

/// Waits until so many messages have a lease.
async fn until_leased(server: &Server, (stream, consumer): Consumer, messages: u64) {
    let mut raw = Raw::connect(server);
    until("so many messages have a lease", async || {
        let info = raw.request(&format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"), "");
        info["num_ack_pending"].as_u64() == Some(messages)
    })
    .await;
}

#[test]
fn a_task_that_is_over_keeps_no_permit_when_a_killed_server_has_forgotten_that() {
    with_server(async |mut server| {
        let pool = pool(&server, 2).await;
        let workers = workers(&server, 1, 2);
        let long = pool.spawn(SLEEP, &60_000).await.expect("a task");
        let short = pool.spawn(SLEEP, &2500).await.expect("a task");
        until_running(&workers, 2).await;
        let consumer = ("AIOP_tests_W", "workers");
        let end = async { short.await.map(drop).expect("a result") };
        forget_an_end(&mut server, consumer, end).await;
        let later = pool.map(SLEEP, vec![1_u64; 5]).await;
        assert!(later.iter().all(Result::is_ok), "{later:?}");
        until_leased(&server, consumer, 1).await;
        // The one that still runs.
        let work = Raw::connect(&server).request("$JS.API.STREAM.INFO.AIOP_tests_W", "");
        assert_eq!(work["state"]["messages"], 1);
        pool.cancel_all().await.expect("a fence");
        assert_eq!(long.await, Err(JobError::Cancelled));
        pool.join().await.expect("an end");
    });
}

#[test]
fn a_try_that_is_over_keeps_no_lease_when_a_killed_server_has_forgotten_that() {
    with_server(async |mut server| {
        let pool = pool(&server, 2).await;
        let _workers = workers(&server, 1, 2);
        let retrying = |seconds| {
            let delay = Duration::from_secs(seconds);
            pool.task(FAIL, &1).retry([delay]).spawn_n()
        };
        // An old server that is killed while a stream is empty forgets which numbers it has given.
        let running = pool.spawn(SLEEP, &20_000).await.expect("a task");
        let consumer = ("AIOP_tests_D", "timers");
        let long = retrying(25).await.expect("a task");
        until_leased(&server, consumer, 1).await;
        let short = retrying(3).await.expect("a task");
        until_leased(&server, consumer, 2).await;
        let end = async { assert_eq!(short.await, Ok(2)) };
        forget_an_end(&mut server, consumer, end).await;
        until_leased(&server, consumer, 1).await;
        // The one that still waits.
        let delayed = Raw::connect(&server).request("$JS.API.STREAM.INFO.AIOP_tests_D", "");
        assert_eq!(delayed["state"]["messages"], 1);
        running.await.expect("a result");
        assert_eq!(long.await, Ok(2));
        pool.join().await.expect("an end");
    });
}

/// Waits until a worker has asked the server for tasks and gets none.
async fn until_a_request_waits(server: &Server) {
    let mut raw = Raw::connect(server);
    until("a request waits", async || {
        let info = raw.request("$JS.API.CONSUMER.INFO.AIOP_tests_W.workers", "");
        info["num_waiting"].as_u64() > Some(0)
    })
    .await;
}

/// Servers before 2.10.14 deliver a task twice when they get another one back and the worker that waits is gone.
#[test]
fn two_workers_that_are_stopped_together_cost_no_permit() {
    with_server(async |server| {
        let pool = pool(&server, 8).await;
        let mut lengths = vec![3000_u64; 16];
        lengths[7] = 9000;
        let handles = pool.map_n(SLEEP, lengths).await.expect("tasks");
        let mut workers = vec![WorkerProcess::start(&server, "w0", 4)];
        until_running(&workers, 4).await;
        workers.push(WorkerProcess::start(&server, "w1", 4));
        until_running(&workers, 8).await;
        workers.push(WorkerProcess::start(&server, "w2", 4));
        until_a_request_waits(&server).await;
        workers[2].stop_at_once();
        workers[2].wait();
        workers[0].stop_at_once();
        workers[0].wait();
        workers.push(WorkerProcess::start(&server, "w3", 8));
        for handle in handles {
            handle.await.expect("a result");
        }
        assert_eq!(concurrency(&runs_of(&workers), 8), (8, 0));
    });
}

/// As above, with one worker that does both.
#[test]
fn a_worker_that_is_stopped_while_it_waits_for_more_costs_no_permit() {
    with_server(async |server| {
        let pool = pool(&server, 8).await;
        let handles = pool.map_n(SLEEP, vec![4000_u64; 12]).await.expect("tasks");
        let mut workers = vec![WorkerProcess::start(&server, "w0", 4)];
        until_running(&workers, 4).await;
        workers.push(WorkerProcess::start(&server, "w1", 6));
        until_running(&workers, 8).await;
        until_a_request_waits(&server).await;
        workers[1].stop_at_once();
        workers[1].wait();
        workers.push(WorkerProcess::start(&server, "w2", 8));
        for handle in handles {
            handle.await.expect("a result");
        }
        assert_eq!(concurrency(&runs_of(&workers), 8), (8, 0));
    });
}

/// The server has got a task back, and the worker does not learn that.
#[test]
fn a_task_is_given_back_once_whether_the_server_confirms_it_or_not() {
    with_server(async |server| {
        let lease = Duration::from_secs(16);
        let pool = builder(&server).size(2).lease(lease).connect().await;
        let pool = pool.expect("a pool");
        let proxy = Proxy::start(server.port()).await;
        let options = Options {
            url: proxy.url(),
            slots: 2,
            max_attempts: 5,
            wrapper: &[],
        };
        let mut workers = vec![WorkerProcess::start_with(&server, "w0", &options)];
        let handles = pool.map_n(SLEEP, vec![13_000_u64; 2]).await;
        until_running(&workers, 2).await;
        proxy.end_with("-NAK");
        workers[0].stop_at_once();
        for worker in ["w1", "w2"] {
            workers.push(WorkerProcess::start(&server, worker, 2));
            // If the connection ends between the two, the second one comes back with the end of its lease only.
            until_running(&workers[1..], 1).await;
        }
        for handle in handles.expect("tasks") {
            handle.await.expect("a result");
        }
        assert_eq!(concurrency(&runs_of(&workers), 2), (2, 0));
    });
}

#[test]
fn a_task_of_whose_arrival_the_server_knows_nothing_does_not_run_when_that_is_restarted() {
    with_server(async |mut server| {
        let pool = pool(&server, 2).await;
        let mut workers = vec![WorkerProcess::start(&server, "w0", 2)];
        let handles = pool.map_n(SLEEP, vec![1500_u64; 12]).await.expect("tasks");
        until(
            "the others have waited for longer than a lease",
            async || pool.stats().await.is_ok_and(|stats| stats.waiting <= 6),
        )
        .await;
        let proxy = Proxy::start(server.port()).await;
        let options = Options {
            url: proxy.url(),
            slots: 4,
            max_attempts: 5,
            wrapper: &[],
        };
        workers.push(WorkerProcess::start_with(&server, "w1", &options));
        until("the worker is there", async || {
            pool.workers().await.is_ok_and(|there| there.len() == 2)
        })
        .await;
        proxy.freeze_to_server(true);
        until("a task has gone to it", async || {
            let active = pool.stats().await.map(|stats| stats.active);
            let here = workers[0]
                .runs()
                .iter()
                .filter(|run| run.end == u64::MAX)
                .count();
            active == Ok(2) && here <= 1
        })
        .await;
        sleep(Duration::from_millis(100)).await;
        proxy.set_frozen(true);
        server.restart(Signal::TERM);
        sleep(LEASE).await;
        proxy.set_frozen(false);
        for handle in handles {
            handle.await.expect("a result");
        }
        assert_eq!(concurrency(&runs_of(&workers), 2), (2, 0));
    });
}

#[test]
fn a_new_size_holds_at_once_in_both_directions() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let workers = workers(&server, 2, 16);
        let handles = pool.map_n(SLEEP, vec![100_u64; 300]).await.expect("tasks");
        until_running(&workers, 4).await;
        pool.resize(20).await.expect("a new size");
        until_running(&workers, 20).await;
        pool.resize(3).await.expect("a new size");
        assert_eq!(pool.stats().await.expect("figures").size, 3);
        // What runs ends, and then there are three.
        sleep(Duration::from_millis(300)).await;
        let small = clock::now();
        sleep(Duration::from_millis(700)).await;
        let grown = clock::now();
        pool.resize(20).await.expect("a new size");
        for handle in handles {
            handle.await.expect("a result");
        }
        let runs = runs_of(&workers);
        assert_eq!(concurrency(&runs, 20), (20, 0));
        let while_small = runs
            .iter()
            .filter(|run| run.start > small && run.end < grown);
        let while_small: Vec<_> = while_small.cloned().collect();
        assert!(!while_small.is_empty());
        assert_eq!(concurrency(&while_small, 3).1, 0);
    });
}

#[test]
fn a_task_that_is_given_back_after_the_pool_became_smaller_waits_for_room() {
    with_server(async |server| {
        let pool = pool(&server, 4).await;
        let mut workers = workers(&server, 2, 2);
        let handles = pool.map_n(SLEEP, vec![3000_u64; 4]).await.expect("tasks");
        until_running(&workers, 4).await;
        workers.push(WorkerProcess::start(&server, "w2", 4));
        until_a_request_waits(&server).await;
        pool.resize(2).await.expect("a new size");
        let small = clock::now();
        workers[0].stop_at_once();
        for handle in handles {
            handle.await.expect("a result");
        }
        let runs = runs_of(&workers);
        assert_eq!((runs.len(), most_at_a_start(&runs, small)), (6, 2));
    });
}

#[test]
fn tasks_that_wait_in_a_paused_worker_start_within_the_size_that_was_set_meanwhile() {
    with_server(async |server| {
        let pool = pool(&server, 8).await;
        let workers = workers(&server, 1, 8);
        let mut handles = Vec::new();
        // The worker learns of the pause a moment later, and may start them before. Or it does not ask for tasks just then.
        until("tasks wait in the worker", async || {
            pool.resume().await.expect("a request");
            pool.join().await.expect("an end");
            until_a_request_waits(&server).await;
            pool.pause().await.expect("a request");
            handles.extend(pool.map_n(SLEEP, vec![500_u64; 8]).await.expect("tasks"));
            let workers = pool.workers().await.unwrap_or_default();
            workers.iter().any(|worker| worker.held >= 5)
        })
        .await;
        pool.resize(3).await.expect("a new size");
        let small = clock::now();
        pool.resume().await.expect("a request");
        for handle in handles {
            handle.await.expect("a result");
        }
        assert_eq!(most_at_a_start(&runs_of(&workers), small), 3);
    });
}
