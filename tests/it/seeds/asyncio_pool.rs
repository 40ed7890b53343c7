//! The behaviour that the tests of asyncio-pool show.
//!
//! Its `test_timeout_cancel` tries a semaphore of asyncio and no pool, so there is nothing to port.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use aiopool::{AioPool, JoinError, JoinHandle, ReturnWhen, current};
use futures::StreamExt;
use futures::future::join_all;
use tokio::time::sleep;

use super::{SECOND, after, now, values};
use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once};

/// test_base.py: test_concurrency
#[test]
fn five_of_twenty_run_at_every_moment_and_all_results_are_right() {
    on_tokio(async {
        let pool = AioPool::new(5);
        let running = Arc::new(AtomicUsize::new(0));
        let handles = pool.map_n(0..20, |n| {
            let running = running.clone();
            async move {
                running.fetch_add(1, SeqCst);
                sleep(SECOND * (1 + n % 3)).await;
                running.fetch_sub(1, SeqCst);
                n
            }
        });
        // Between the milliseconds at which tasks end.
        sleep(SECOND / 200).await;
        while !pool.is_empty() {
            let running = running.load(SeqCst);
            assert!(running == 5 || running < 5 && pool.waiting() == 0);
            sleep(SECOND / 100).await;
        }
        assert_eq!(values(join_all(handles).await), Vec::from_iter(0..20));
    });
}

/// test_base.py: test_outer_join
#[test]
fn many_who_join_at_once_are_all_released_when_all_is_done() {
    on_every_runtime(|pools| async move {
        let (pool, outside) = (pools.size(5), pools.size(10));
        let probes = Probe::several(14);
        let jobs: Vec<_> = probes
            .iter()
            .map(|probe| pool.spawn_n(probe.task(())))
            .collect();
        let joiners = outside.apply(10, || {
            let pool = pool.clone();
            async move {
                pool.join().await;
                pool.stats().completed
            }
        });
        let mut join = pin!(pool.join());
        assert_pending!(join);
        probes.iter().for_each(Probe::end);
        join.await;
        assert!(jobs.iter().all(JoinHandle::is_finished));
        assert_eq!(values(join_all(joiners).await), [14; 10]);
    });
}

/// test_base.py: test_cancel
///
/// Theirs has a job that catches the cancellation and returns a value. Here an
/// abort drops a future without grace, so all four of the rest end cancelled. One with grace comes next.
#[test]
fn cancel_stops_one_that_runs_and_one_that_waits_and_then_the_rest() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(5);
        let probes = Probe::several(7);
        let mut handles: Vec<_> = probes
            .iter()
            .map(|probe| pool.spawn_n(probe.task(1)))
            .collect();
        join_all(probes[..5].iter().map(Probe::started)).await;
        let (waiting, running) = (handles.remove(5), handles.remove(0));
        let report = pool.cancel([running, waiting]).await;
        assert_eq!(report.cancelled, 2);
        for result in report.results {
            assert!(result.unwrap_err().is_cancelled());
        }
        assert!(probes[0].is_dropped() && !probes[5].has_started());

        probes[1].end();
        assert_eq!(handles.remove(0).await.unwrap(), 1, "it was left alone");
        assert_eq!(pool.cancel_all().await, 4);
        for handle in handles {
            assert!(handle.await.unwrap_err().is_cancelled());
        }
        assert!(poll_once(pin!(pool.join())).is_ready());
    });
}

/// test_base.py: test_cancel, the job that catches it
#[test]
fn a_job_with_grace_may_answer_a_cancellation_with_a_value() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let answers = async {
            current().unwrap().aborted().await;
            1
        };
        let answers = pool.task(answers).grace(SECOND).spawn().await;
        let others = pool.apply(3, std::future::pending::<u32>);
        sleep(SECOND).await;
        assert_eq!(pool.cancel_all().await, 3);
        assert_eq!(answers.await.unwrap(), 1);
        for other in others {
            assert!(other.await.unwrap_err().is_cancelled());
        }
    });
}

/// test_base.py: test_internal_join
///
/// Theirs never returns. Here it waits for all but the jobs that join.
#[test]
fn jobs_may_join_their_own_pool() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        pool.pause();
        let joiners = pool.apply(2, || {
            let inside = pool.clone();
            async move {
                inside.join().await;
                inside.stats().completed
            }
        });
        drop(pool.map_n(0..5, job));
        pool.resume();
        let seen = values(join_all(joiners).await);
        assert!(seen.iter().all(|completed| *completed >= 5), "{seen:?}");
        pool.join().await;
        assert_eq!(pool.stats().completed, 7);
    });
}

/// test_spawn.py: test_spawns_behaviour
#[test]
fn spawn_waits_for_permits_and_spawn_n_does_not() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(5);
    let mut spawning = pin!(async {
        for probe in &probes {
            pool.spawn(probe.task(())).await;
        }
    });
    assert_pending!(spawning);
    hand.run();
    let started = |probes: &[Probe]| probes.iter().filter(|probe| probe.has_started()).count();
    assert_eq!((started(&probes), pool.waiting()), (2, 1));
    probes.iter().for_each(Probe::end);
    while poll_once(spawning.as_mut()).is_pending() {
        hand.run();
    }
    assert!(started(&probes) >= 3, "those before the last have run");

    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(5);
    let handles: Vec<_> = probes
        .iter()
        .map(|probe| pool.spawn_n(probe.task(())))
        .collect();
    assert_eq!((started(&probes), handles.len()), (0, 5));
    probes.iter().for_each(Probe::end);
    hand.run();
    assert_eq!(pool.stats().completed, 5);
}

/// test_spawn.py: test_spawn_crash
#[test]
fn a_job_that_crashes_fails_its_own_handle_and_nothing_else() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let divide = |by: u32| async move { 10 / by };
        let crashed = pool.spawn(divide(0)).await;
        let fine = pool.map_n([1, 2, 5], divide);
        let error = crashed.await.unwrap_err();
        assert!(error.panic_message().unwrap().contains("divide by zero"));
        assert_eq!(values(join_all(fine).await), [10, 5, 2]);
        assert_eq!(pool.exec(divide(10)).await.unwrap(), 1);
    });
}

/// test_spawn.py: test_spawn_and_exec
#[test]
fn exec_returns_its_own_value_while_other_jobs_run() {
    on_tokio(async {
        let pool = AioPool::new(7);
        let log = Arc::new(Mutex::new(Vec::new()));
        let job = |n: u32| {
            let log = log.clone();
            async move {
                log.lock().unwrap().push((n, "start"));
                sleep(SECOND * (1 + 3 * n % 7)).await;
                log.lock().unwrap().push((n, "end"));
                n
            }
        };
        for n in 0..10 {
            pool.spawn(job(n)).await;
        }
        assert_eq!(pool.exec(job(10)).await.unwrap(), 10);
        assert!(!pool.is_empty());
        pool.join().await;
        assert_eq!(pool.stats().completed, 11);

        let log = log.lock().unwrap();
        let of = |event: &str| -> Vec<u32> {
            let entries = log.iter().filter(|(_, logged)| *logged == event);
            entries.map(|(n, _)| *n).collect()
        };
        assert_eq!(of("start"), Vec::from_iter(0..=10));
        assert!(!of("end").is_sorted());
        let place = |entry| log.iter().position(|logged| *logged == entry).unwrap();
        assert!(place((10, "end")) > place((10, "start")) + 1);
    });
}

/// test_map.py: test_map_simple
#[test]
fn map_keeps_the_order_of_its_items_whichever_ends_first() {
    on_tokio(async {
        let pool = AioPool::new(3);
        let results = pool.map(0..9, |n| after(9 - n, n * 10)).await;
        assert_eq!(values(results), Vec::from_iter((0..9).map(|n| n * 10)));
    });
}

/// test_map.py: test_map_crash
///
/// Theirs has two forms of result; a `Result` is both.
#[test]
fn map_puts_a_failure_in_its_place_and_returns_the_rest() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let results = pool.map([5, 0, 2, 1], |n| async move { 10 / n }).await;
        let error = results[1].as_ref().unwrap_err();
        assert!(error.panic_message().unwrap().contains("divide by zero"));
        let values: Vec<_> = results.into_iter().map(Result::ok).collect();
        assert_eq!(values, [Some(2), None, Some(5), Some(10)]);
    });
}

/// test_map.py: test_itermap
#[test]
fn itermap_gives_what_is_there_at_each_timeout() {
    on_tokio(async {
        let pool = AioPool::new(3);
        let half = |n| async move {
            sleep(SECOND / 2).await;
            n
        };
        let batches = pool.itermap(0..4, half).batches(ReturnWhen::AllCompleted);
        let batches = batches.timeout(SECOND * 3 / 5);
        let batches: Vec<_> = batches.map(|batch| batch.len()).collect().await;
        assert_eq!(batches, [3, 1]);
    });
}

/// test_map.py: test_itermap_cancel
#[test]
fn the_rest_may_be_cancelled_in_the_midst_of_an_itermap() {
    let (hand, pool) = Hand::pool(5);
    let probes = Probe::several(100);
    let results = pool.itermap(probes.clone(), |probe| probe.task(()));
    let mut results = results.buffer(usize::MAX);
    assert_pending!(pin!(results.next()));
    for probe in &probes[..13] {
        probe.end();
        hand.run();
        assert!(poll_once(pin!(results.next())).is_ready());
    }
    let mut cancelling = pin!(pool.cancel_all());
    assert_pending!(cancelling);
    hand.run();
    assert_eq!(now(cancelling), 87);
    drop(results);
    assert!(poll_once(pin!(pool.join())).is_ready());
    assert_eq!(pool.stats().completed, 13);
}

/// test_callbacks.py: test_spawn_n
#[test]
fn a_callback_makes_the_result_out_of_a_value_or_an_error_or_fails_itself() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let context = Arc::new(2);
        let handles = (0..5).map(|n: u32| {
            let factor = context.clone();
            let job = pool.task(async move { 12 / n });
            let doubled = job.then(move |result: Result<u32, JoinError>| async move {
                result.map(|value| match value {
                    3 => panic!("the callback, at three"),
                    value => value * *factor,
                })
            });
            doubled.spawn_n()
        });
        let handles: Vec<_> = handles.collect();
        let [handed_on, one, two, three, failed] = join_all(handles).await.try_into().unwrap();
        let error: JoinError = handed_on.unwrap().unwrap_err();
        assert!(error.panic_message().unwrap().contains("divide by zero"));
        let doubled = [one, two, three].map(|result| result.unwrap().ok());
        assert_eq!(doubled, [Some(24), Some(12), Some(8)]);
        assert_eq!(
            failed.unwrap_err().panic_message(),
            Some("the callback, at three")
        );
    });
}

/// test_callbacks.py: test_map
///
/// `map` takes no callback: what comes after is part of the future.
#[test]
fn map_gives_the_values_that_callbacks_made() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let doubled = |n: u32| async move { called_back(job(n).await) };
        let sum: u32 = values(pool.map(0..10, doubled).await).into_iter().sum();
        assert_eq!(sum, 90);
    });
}

/// test_callbacks.py: test_map_n
#[test]
fn handles_give_the_values_that_callbacks_made() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let task = |n| {
            pool.task(job(n))
                .then(|n| async { called_back(n.unwrap()) })
        };
        let handles: Vec<_> = (0..10).map(|n| task(n).spawn_n()).collect();
        assert_eq!(values(join_all(handles).await).into_iter().sum::<u32>(), 90);
    });
}

/// test_callbacks.py: test_itermap, with its three timeouts
#[test]
fn itermap_gives_each_callback_s_value_once_whatever_the_timeout() {
    on_tokio(async {
        for timeout in [None, Some(SECOND / 10), Some(SECOND * 2)] {
            let pool = AioPool::new(3);
            let doubled = |n| async move { called_back(after(1, n).await) };
            let mut batches = pool
                .itermap(0..10, doubled)
                .batches(ReturnWhen::AllCompleted);
            if let Some(timeout) = timeout {
                batches = batches.timeout(timeout);
            }
            let mut all = values(
                batches
                    .map(futures::stream::iter)
                    .flatten()
                    .collect::<Vec<_>>()
                    .await,
            );
            all.sort_unstable();
            assert_eq!(all, Vec::from_iter((0..10).map(|n| n * 2)));
        }
    });
}

async fn job(n: u32) -> u32 {
    n
}

fn called_back(n: u32) -> u32 {
    n * 2
}

/// A callback's own state, with callbacks of several kinds.
struct Context(u32);

impl Context {
    async fn method(self: Arc<Self>, result: Result<u32, JoinError>) -> u32 {
        self.0 + result.unwrap()
    }

    async fn associated(result: Result<u32, JoinError>) -> u32 {
        result.unwrap()
    }
}

/// test_callbacks.py: test_callback_types
///
/// Their callbacks are sorted out at run time, by how many arguments they take.
/// Here there is one form, a function of the result, and the compiler sees to it.
#[test]
fn a_callback_may_be_any_function_of_the_result() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let context = Arc::new(Context(10));
        let with_method = |result| context.method(result);
        assert_eq!(
            pool.task(job(1)).then(with_method).exec().await.unwrap(),
            11
        );
        let associated = pool.task(job(2)).then(Context::associated);
        assert_eq!(associated.exec().await.unwrap(), 2);
        let falsy = pool.task(job(3)).then(|_| async { false });
        assert!(!falsy.exec().await.unwrap());
        let asserting = pool.task(job(4)).then(|result| async move {
            assert_eq!(result.unwrap(), 5, "not five");
        });
        let error = asserting.exec().await.unwrap_err();
        assert!(error.panic_message().unwrap().contains("not five"));
        let failed = pool.task(async { panic!("oh") });
        let failed = failed.then(|result: Result<(), _>| async { result.unwrap_err().to_string() });
        assert!(failed.exec().await.unwrap().ends_with("panicked: oh"));
    });
}
