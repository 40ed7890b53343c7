//! The behaviour that the tests of cf-taskpool show.
//!
//! Most of those run twice, for a function and for a coroutine: here a task is a future, and there is one form.
//! Left to the compiler: `test_submit_awaitable_error` (no verb takes arguments beside a future), and `test_20369` and
//! `test_duplicate_futures` (a handle cannot be in two places).

use std::panic::panic_any;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::available_parallelism;
use std::time::Duration;

use aiopool::{AioPool, BuildError, JoinHandle, ReturnWhen, Shutdown, Tokio, iterwait, wait};
use futures::StreamExt;
use futures::future::join_all;
use tokio::time::{Instant, timeout};

use super::{SECOND, after, now, values};
use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once, within};

async fn power(base: u32, exponent: u32) -> u32 {
    base.pow(exponent)
}

async fn fails() -> u32 {
    panic!("on purpose")
}

fn places<T>(done: &[(usize, T)]) -> Vec<usize> {
    done.iter().map(|(place, _)| *place).collect()
}

/// test_task_pool.py: test_submit
#[test]
fn a_handle_gives_the_value_of_its_job() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        assert_eq!(pool.spawn_n(power(2, 8)).await.unwrap(), 256);
        assert_eq!(pool.spawn(power(2, 8)).await.await.unwrap(), 256);
    });
}

/// test_task_pool.py: test_submit_keyword
///
/// Arguments are given to the function that makes the future, so the compiler sees that none is missing.
#[test]
fn arguments_go_into_the_future_and_are_not_lost_while_it_waits() {
    let (hand, pool) = Hand::pool(1);
    let handles = pool.map_n([(2, 8), (5, 2), (3, 3)], |(base, exponent)| {
        power(base, exponent)
    });
    hand.run();
    assert_eq!(values(now(join_all(handles))), [256, 25, 27]);
}

/// test_task_pool.py: test_exception
#[test]
fn what_a_job_throws_is_what_its_handle_gives() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let thrown = Arc::new("thrown");
        let payload = thrown.clone();
        let handle: JoinHandle<()> = pool.spawn_n(async move { panic_any(payload) });
        let given = handle.await.unwrap_err().into_panic();
        assert!(Arc::ptr_eq(&thrown, given.downcast_ref().unwrap()));
    });
}

/// test_task_pool.py: test_cancellation
///
/// A future has nothing to throw for a cancellation: it aborts itself.
#[test]
fn a_job_that_cancels_itself_is_cancelled() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inside = pool.clone();
        let handle = pool.spawn_n(async move {
            inside.abort([0.into()]).unwrap();
            std::future::pending::<()>().await;
        });
        assert!(handle.await.unwrap_err().is_cancelled());
    });
}

/// test_task_pool.py: test_map
#[test]
fn ordered_results_are_those_of_the_function_in_the_order_of_the_items() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let results = pool.itermap(0..10, |n| power(n, 2)).ordered();
        let expected = Vec::from_iter((0..10_u32).map(|n| n.pow(2)));
        assert_eq!(values(results.collect::<Vec<_>>().await), expected);
        assert_eq!(values(pool.map(0..10, |n| power(n, 2)).await), expected);
    });
}

/// test_task_pool.py: test_map_exception[error]
///
/// Theirs ends there. Here a failure is an item like the others, and it is `try_map` that stops.
#[test]
fn an_error_comes_at_its_place_among_the_results() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let divide = |by: u32| async move { 10 / by };
        let results = pool.itermap([5, 2, 0, 1], divide).ordered();
        let values: Vec<_> = results.map(Result::ok).collect().await;
        assert_eq!(values, [Some(2), Some(5), None, Some(10)]);

        let started = pool.stats().started;
        let divide = |by: u32| async move { 10_u32.checked_div(by).ok_or("by zero") };
        assert!(pool.try_map([5, 2, 0, 1, 1, 1], divide).await.is_err());
        assert!(pool.stats().started - started < 6, "the last are not run");
    });
}

/// test_task_pool.py: test_map_exception[cancel]
#[test]
fn a_cancelled_job_is_an_error_at_its_place_among_the_results() {
    let (hand, pool) = Hand::pool(1);
    let mut results = pool.itermap(0..4, |n| async move { n }).ordered();
    assert_pending!(pin!(results.next()));
    pool.abort([2.into()]).unwrap();
    hand.run();
    let results: Vec<_> = now(results.collect());
    assert!(results[2].as_ref().unwrap_err().is_cancelled());
    let values: Vec<_> = results.into_iter().map(Result::ok).collect();
    assert_eq!(values, [Some(0), Some(1), None, Some(3)]);
}

/// test_task_pool.py: test_map_buffersize_validation
///
/// Neither a negative number nor a text is a `usize`.
#[test]
#[should_panic(expected = "a buffer of 0")]
fn a_buffer_of_zero_is_refused() {
    let (_hand, pool) = Hand::pool(1);
    drop(pool.itermap(0..3, |n| power(n, 2)).buffer(0));
}

/// test_task_pool.py: test_map_buffersize[1, 2, 4, 8]
#[test]
fn a_buffer_changes_neither_values_nor_their_order() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        for buffer in [1, 2, 4, 8] {
            let results = pool.itermap(0..4, |n| power(n, 2)).buffer(buffer).ordered();
            assert_eq!(values(results.collect::<Vec<_>>().await), [0, 1, 4, 9]);
        }
    });
}

/// test_task_pool.py: test_map_buffersize_on_multiple_iterables[1, 2, 4, 8]
#[test]
fn several_inputs_are_one_zipped_input_and_the_shortest_ends_it() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        for buffer in [1, 2, 4, 8] {
            let items = (2..).zip([0, 1, 2, 3]);
            let results = pool.itermap(items, |(base, exponent)| power(base, exponent));
            let results = results.buffer(buffer).ordered().collect::<Vec<_>>();
            assert_eq!(values(results.await), [1, 3, 16, 125]);
        }
    });
}

/// test_task_pool.py: test_map_buffersize_on_infinite_iterable
#[test]
fn an_infinite_input_is_read_as_far_as_somebody_asks() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let mut results = pool.itermap(0_u32.., |n| power(n, 2)).buffer(2).ordered();
        for expected in [0, 1, 4, 9] {
            assert_eq!(results.next().await.unwrap().unwrap(), expected);
        }
        drop(results);
        pool.join().await;
        assert!(pool.stats().submitted <= 6);
    });
}

/// test_task_pool.py: test_map_buffersize_on_multiple_infinite_iterables
#[test]
fn infinite_inputs_may_be_zipped() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let items = (0_u32..).zip(2_u32..).zip(1_u32..);
        let results = pool.itermap(items, |((a, b), c)| async move { a + b + c });
        let results = results.buffer(2).ordered().take(3).collect::<Vec<_>>();
        assert_eq!(values(results.await), [3, 6, 9]);
    });
}

/// test_task_pool.py: test_map_buffersize_on_empty_iterable, test_map_buffersize_without_iterable
#[test]
fn no_items_give_no_results() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let nothing = std::iter::empty::<u32>;
        let mut results = pool.itermap(nothing(), |n| power(n, 2)).buffer(8);
        assert!(results.next().await.is_none());
        assert!(results.next().await.is_none());
        assert!(pool.map(nothing(), |n| power(n, 2)).await.is_empty());
    });
}

/// test_task_pool.py: test_map_buffersize_when_buffer_is_full
///
/// Theirs pulls before the first read. Here nothing happens before the first poll.
#[test]
fn what_is_pulled_and_not_read_is_as_much_as_the_buffer() {
    let (hand, pool) = Hand::pool(8);
    let pulled = AtomicUsize::new(0);
    let items = (0_u32..).inspect(|_| _ = pulled.fetch_add(1, SeqCst));
    let mut results = pool.itermap(items, |n| power(n, 2)).buffer(4).ordered();
    assert_eq!(pulled.load(SeqCst), 0);
    assert_pending!(pin!(results.next()));
    hand.run();
    assert_eq!(pulled.load(SeqCst), 4);
    assert!(poll_once(pin!(results.next())).is_ready());
    assert_eq!(pulled.load(SeqCst), 4);
}

/// test_task_pool.py: test_no_stale_references
#[test]
fn what_a_job_held_is_gone_when_it_has_ended_though_nobody_kept_its_handle() {
    let (hand, pool) = Hand::pool(1);
    let held = Arc::new(());
    let inside = held.clone();
    drop(pool.spawn_n(async move { Arc::strong_count(&inside) }));
    let lasting = Probe::new();
    drop(pool.spawn_n(lasting.task(())));
    hand.run();
    assert!(lasting.has_started());
    assert_eq!(
        Arc::strong_count(&held),
        1,
        "its worker goes on, without it"
    );
}

/// test_task_pool.py: test_max_workers_negative
#[test]
fn a_size_of_zero_is_refused() {
    let refused = AioPool::builder().size(0).build();
    assert!(matches!(refused, Err(BuildError::ZeroSize)));
}

/// test_task_pool.py: test_default_workers
#[test]
fn without_a_size_a_pool_is_as_large_as_the_machine() {
    let pool = AioPool::builder().spawner(Hand::default()).build().unwrap();
    assert_eq!(pool.size(), available_parallelism().unwrap().get());
}

/// test_task_pool.py: test_free_future_reference
#[test]
fn a_result_belongs_to_who_has_read_it() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let held = Arc::new(());
        let inside = held.clone();
        let handle = pool.spawn_n(async move { inside });
        let seen = handle.abort_handle();
        let result = handle.await.unwrap();
        assert_eq!(Arc::strong_count(&held), 2);
        drop(result);
        assert_eq!(Arc::strong_count(&held), 1);
        assert!(seen.is_finished(), "it outlives the result, and keeps none");
    });
}

/// test_task_pool.py: test_free_result_reference
#[test]
fn a_stream_keeps_no_result_that_it_has_given() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let mut unordered = pool.itermap(0..3, |_| async { Arc::new(()) });
        let mut ordered = pool.itermap(0..3, |_| async { Arc::new(()) }).ordered();
        for _ in 0..3 {
            let result = unordered.next().await.unwrap().unwrap();
            assert_eq!(Arc::strong_count(&result), 1);
            let result = ordered.next().await.unwrap().unwrap();
            assert_eq!(Arc::strong_count(&result), 1);
        }
    });
}

/// test_task_pool.py: test_swallows_falsey_exceptions[bool, len]
#[test]
fn a_panic_without_anything_to_say_is_still_a_panic() {
    let (hand, pool) = Hand::pool(1);
    let handles: [JoinHandle<()>; 3] = [
        pool.spawn_n(async { panic_any(()) }),
        pool.spawn_n(async { panic_any(false) }),
        pool.spawn_n(async { panic_any("") }),
    ];
    hand.run();
    for handle in handles {
        assert!(now(handle).unwrap_err().is_panic());
    }
}

/// test_task_pool.py: test_map_submits_without_iteration
///
/// What runs without being read is `map_n`; `itermap` begins at its first poll.
#[test]
fn map_n_runs_all_though_nobody_reads() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let ran = Arc::new(AtomicUsize::new(0));
        let job = |_| {
            let ran = ran.clone();
            async move { ran.fetch_add(1, SeqCst) }
        };
        drop(pool.map_n(0..5, job));
        let unread = pool.itermap(0..5, job);
        pool.join().await;
        assert_eq!(ran.load(SeqCst), 5);
        drop(unread);
    });
}

/// test_task_pool.py: test_saturation
#[test]
fn many_times_as_many_jobs_take_as_many_workers_as_the_pool_is_large() {
    let (hand, pool) = Hand::pool(4);
    let probes = Probe::several(15 * 4);
    let handles = pool.map_n(&probes, |probe| probe.task(()));
    hand.run();
    assert_eq!(hand.workers(), 4);
    for probe in &probes {
        probe.end();
        hand.run();
        assert!(hand.workers() <= 4);
    }
    assert!(handles.iter().all(JoinHandle::is_finished));
}

/// test_task_pool.py: test_idle_worker_reuse
///
/// Theirs keeps its worker for ever. Here one runs what waits, and ends with it.
#[test]
fn three_jobs_in_a_row_take_one_worker() {
    let (hand, pool) = Hand::pool(1);
    let probes = Probe::several(3);
    drop(pool.map_n(&probes, |probe| probe.task(())));
    for probe in &probes {
        hand.run();
        assert!(probe.has_started());
        assert_eq!(hand.workers(), 1);
        probe.end();
    }
    for _ in 0..3 {
        let mut exec = pin!(pool.exec(async {}));
        while poll_once(exec.as_mut()).is_pending() {
            assert!(hand.workers() <= 1);
            hand.run();
        }
    }
    assert_eq!(hand.workers(), 0);
}

/// test_task_pool.py: test_executor_map_current_future_cancel
///
/// Theirs cancels the iteration with a `next` that is given up. Here nothing is
/// lost with that, and it is dropping the stream that stops its jobs.
#[test]
fn giving_up_a_result_loses_nothing_and_giving_up_the_stream_stops_the_rest() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let probes = Probe::several(4);
        let mut results = pool
            .itermap(probes.clone(), |probe| probe.task(()))
            .ordered();
        assert!(timeout(SECOND, results.next()).await.is_err());
        probes[0].end();
        assert!(results.next().await.unwrap().is_ok());
        assert!(timeout(SECOND, results.next()).await.is_err());
        drop(results);
        pool.join().await;
        assert!(probes[1].has_started() && probes[1].is_dropped());
        assert!(probes[2..].iter().all(|probe| !probe.has_started()));
    });
}

/// test_shutdown.py: test_run_after_shutdown
#[test]
fn after_a_shutdown_a_job_is_rejected() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        pool.shutdown(Shutdown::Drain).await;
        let error = pool.spawn_n(power(2, 5)).await.unwrap_err();
        assert!(error.is_rejected() && error.to_string().contains("closed"));
        assert!(pool.try_spawn(power(2, 5)).is_err());
    });
}

/// test_shutdown.py: test_shutdown[cancel_futures=False]
#[test]
fn a_shutdown_that_drains_runs_all_fifty() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(5);
        let handles = pool.map_n(0..50, |n| power(n, 1));
        let report = pool.shutdown(Shutdown::Drain).await;
        assert_eq!((pool.stats().completed, report.cancelled), (50, 0));
        assert_eq!(values(join_all(handles).await), Vec::from_iter(0..50));
    });
}

/// test_shutdown.py: test_shutdown[cancel_futures=True]
///
/// Those that hold a permit count as active, also before their first poll. `CancelAll` stops them too.
#[test]
fn a_shutdown_that_cancels_runs_none_of_those_that_wait() {
    let probes = Probe::several(50);
    let started = || probes.iter().filter(|probe| probe.has_started()).count();
    for (how, run) in [(Shutdown::CancelAll, 0), (Shutdown::CancelWaiting, 5)] {
        let (hand, pool) = Hand::pool(5);
        let handles = pool.map_n(&probes, |probe| probe.task(()));
        probes.iter().for_each(Probe::end);
        let mut shutdown = pin!(pool.shutdown(how));
        assert_pending!(shutdown);
        hand.run();
        assert_eq!(now(shutdown).cancelled, 50 - run);
        let results = now(join_all(handles));
        let (done, rest) = results.split_at(run);
        assert!(done.iter().all(Result::is_ok) && started() == run);
        assert!(
            rest.iter()
                .all(|result| result.as_ref().unwrap_err().is_cancelled())
        );
    }
}

/// test_shutdown.py: test_hang_gh94440
#[test]
fn a_shutdown_right_after_a_cancelled_job_returns() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        for handle in pool.apply(2, std::future::pending::<()>) {
            assert!(handle.abort());
        }
        let report = pool.shutdown(Shutdown::Drain).await;
        assert_eq!((report.completed, pool.stats().cancelled), (0, 2));
    });
}

/// test_shutdown.py: test_tasks_terminate
#[test]
fn a_shutdown_leaves_no_worker_behind() {
    let (hand, pool) = Hand::pool(5);
    drop(pool.map_n(0..20, |n| power(n, 2)));
    let mut shutdown = pin!(pool.shutdown(Shutdown::Drain));
    assert_pending!(shutdown);
    hand.run();
    assert_eq!(now(shutdown).completed, 20);
    assert_eq!(hand.workers(), 0);
}

/// test_shutdown.py: test_context_manager_shutdown
#[test]
fn a_scope_returns_when_all_its_jobs_have_ended() {
    let (hand, pool) = Hand::pool(2);
    let mut scope = pin!(pool.scope(|jobs| async move { jobs.map_n(0..5, |n| power(n, 1)) }));
    assert_pending!(scope);
    hand.run();
    let handles = now(scope);
    assert!(handles.iter().all(JoinHandle::is_finished));
    assert_eq!(hand.workers(), 0);
    hand.run();
    assert!(!pool.is_closed(), "it is the scope that has ended");
}

/// test_shutdown.py: test_shutdown_no_wait[explicit shutdown]
#[test]
fn closing_returns_at_once_and_the_jobs_run_on() {
    let (hand, pool) = Hand::pool(5);
    let handles = pool.map_n(0..20, |n| power(n, 1));
    pool.close();
    assert!(!handles.iter().any(JoinHandle::is_finished));
    hand.run();
    assert_eq!(values(now(join_all(handles))), Vec::from_iter(0..20));
    assert_eq!(hand.workers(), 0);
}

/// test_shutdown.py: test_shutdown_no_wait[del executor]
#[test]
fn dropping_the_pool_returns_at_once_and_the_jobs_run_on() {
    let (hand, pool) = Hand::pool(5);
    let handles = pool.map_n(0..20, |n| power(n, 1));
    drop(pool);
    assert!(!handles.iter().any(JoinHandle::is_finished));
    hand.run();
    assert_eq!(values(now(join_all(handles))), Vec::from_iter(0..20));
    assert_eq!(hand.workers(), 0);
}

/// test_shutdown.py: test_task_names
///
/// Theirs name workers. Here it is tasks that have names, and workers come and go.
#[test]
fn tasks_are_named_after_their_pool() {
    let hand = Hand::default();
    let special = hand.builder().name("SpecialPool").size(5).build().unwrap();
    let names: Vec<_> = special.apply(5, || power(2, 2));
    let names: Vec<_> = names.iter().map(JoinHandle::name).collect();
    assert_eq!(
        names,
        (0..5)
            .map(|n| format!("SpecialPool-{n}"))
            .collect::<Vec<_>>()
    );

    let (_hand, unnamed) = Hand::pool(1);
    let handle = unnamed.spawn_n(power(2, 2));
    assert!(unnamed.name().starts_with("AioPool-"));
    assert_eq!(handle.name(), format!("{}-0", unnamed.name()));
}

/// Parks four jobs, ends their pool as told, then its runtime. Returns how many have run, and how many handles have values.
fn at_the_end_of_a_program(end: impl AsyncFnOnce(&AioPool)) -> (usize, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let pool = AioPool::with_spawner(1, Tokio::handle(runtime.handle().clone()));
    let ran = Arc::new(AtomicUsize::new(0));
    let handles = pool.apply(4, || {
        let ran = ran.clone();
        async move {
            tokio::task::yield_now().await;
            ran.fetch_add(1, SeqCst)
        }
    });
    runtime.block_on(end(&pool));
    drop((pool, runtime));
    assert!(handles.iter().all(JoinHandle::is_finished));
    let results = now(join_all(handles));
    (
        ran.load(SeqCst),
        results.iter().filter(|result| result.is_ok()).count(),
    )
}

/// test_shutdown.py: test_interpreter_shutdown, all eight
#[test]
fn what_a_shutdown_was_told_to_run_has_run_before_the_program_ends() {
    within("the end of a program", || {
        let drained =
            at_the_end_of_a_program(async |pool| _ = pool.shutdown(Shutdown::Drain).await);
        assert_eq!(drained, (4, 4));
        let joined = at_the_end_of_a_program(async |pool| {
            pool.close();
            pool.closed().await;
        });
        assert_eq!(joined, (4, 4));
        let cut =
            at_the_end_of_a_program(async |pool| _ = pool.shutdown(Shutdown::CancelWaiting).await);
        assert_eq!(cut, (1, 1));
        let cancelled =
            at_the_end_of_a_program(async |pool| _ = pool.shutdown(Shutdown::CancelAll).await);
        assert_eq!(cancelled, (0, 0));
    });
}

/// test_shutdown.py: test_interpreter_shutdown_without_executor_shutdown
///
/// Theirs keeps the program from ending until all jobs have run. Here a runtime
/// that ends takes its jobs along, and their handles say so.
#[test]
fn without_a_shutdown_the_jobs_end_with_their_runtime() {
    within("the end of a program", || {
        assert_eq!(at_the_end_of_a_program(async |_| {}), (0, 0));
        assert_eq!(at_the_end_of_a_program(async |pool| pool.close()), (0, 0));
    });
}

/// test_wait.py: test_first_completed
#[test]
fn wait_returns_the_first_and_gives_the_others_back() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let handles = pool.map_n([5, 1], |n| after(n, n));
        let waited = wait(handles, ReturnWhen::FirstCompleted, None).await;
        assert_eq!(places(&waited.done), [1]);
        assert_eq!(values(join_all(waited.pending).await), [5]);
    });
}

/// test_wait.py: test_first_completed_some_already_completed
#[test]
fn wait_returns_at_once_with_those_that_have_ended() {
    let (hand, pool) = Hand::pool(3);
    let never = pool.spawn_n(std::future::pending());
    let ended = [pool.spawn_n(power(1, 1)), pool.spawn_n(power(2, 1))];
    hand.run();
    let handles = std::iter::once(never).chain(ended).collect();
    let waited = now(wait(handles, ReturnWhen::FirstCompleted, None));
    let mut done = places(&waited.done);
    done.sort_unstable();
    assert_eq!((done, waited.pending.len()), (vec![1, 2], 1));
}

/// test_wait.py: test_first_exception
#[test]
fn wait_returns_at_the_first_error_with_those_that_have_ended() {
    on_tokio(async {
        let pool = AioPool::new(3);
        let jobs = [1, 2, 3].map(|seconds| async move {
            after(seconds, ()).await;
            assert_ne!(seconds, 2, "on purpose");
        });
        let handles = pool.map_n(jobs, |job| job);
        let waited = wait(handles, ReturnWhen::FirstError, None).await;
        assert_eq!(places(&waited.done), [0, 1]);
        assert!(waited.done[1].1.as_ref().unwrap_err().is_panic());
        assert_eq!(waited.pending.len(), 1);
    });
}

/// test_wait.py: test_first_exception_some_already_complete
#[test]
fn a_job_that_fails_at_its_first_poll_counts_as_an_error() {
    let (hand, pool) = Hand::pool(3);
    let handles = vec![
        pool.spawn_n(power(2, 2)),
        pool.spawn_n(std::future::pending()),
        pool.spawn_n(fails()),
    ];
    let mut waiting = pin!(wait(handles, ReturnWhen::FirstError, None));
    assert_pending!(waiting);
    hand.run();
    let waited = now(waiting);
    let mut done = places(&waited.done);
    done.sort_unstable();
    assert_eq!((done, waited.pending.len()), (vec![0, 2], 1));
}

/// test_wait.py: test_first_exception_some_already_complete, its plain function
#[test]
fn a_plain_function_that_fails_counts_as_an_error() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let never = pool.spawn_n(std::future::pending::<u32>());
        let fails = pool.spawn_blocking(|| -> u32 { panic!("on purpose") });
        let waited = wait(vec![never, fails], ReturnWhen::FirstError, None).await;
        assert_eq!(places(&waited.done), [1]);
        assert!(waited.done[0].1.as_ref().unwrap_err().is_panic());
    });
}

/// test_wait.py: test_first_exception_one_already_failed
#[test]
fn wait_returns_at_once_if_one_has_failed_already() {
    let (hand, pool) = Hand::pool(2);
    let failed = pool.spawn_n(fails());
    hand.run();
    assert!(failed.is_finished());
    let handles = vec![pool.spawn_n(std::future::pending()), failed];
    let waited = now(wait(handles, ReturnWhen::FirstError, None));
    assert_eq!((places(&waited.done), waited.pending.len()), (vec![1], 1));
}

/// test_wait.py: test_all_completed
#[test]
fn wait_for_all_has_ends_of_every_kind() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let cancelled = pool.spawn_n(std::future::pending());
        cancelled.abort();
        let handles = vec![pool.spawn_n(power(2, 3)), cancelled, pool.spawn_n(fails())];
        let mut waited = wait(handles, ReturnWhen::AllCompleted, None).await;
        assert!(waited.pending.is_empty());
        waited.done.sort_by_key(|(place, _)| *place);
        let [(_, value), (_, cancelled), (_, failed)] = waited.done.try_into().unwrap();
        assert_eq!(value.unwrap(), 8);
        assert!(cancelled.unwrap_err().is_cancelled() && failed.unwrap_err().is_panic());
    });
}

/// test_wait.py: test_timeout
#[test]
fn wait_gives_the_late_ones_back_when_its_time_is_over() {
    on_tokio(async {
        let pool = AioPool::new(3);
        let begun = Instant::now();
        let handles = pool.map_n([1, 6, 2], |n| after(n, n));
        let waited = wait(handles, ReturnWhen::AllCompleted, Some(SECOND * 5)).await;
        assert_eq!(begun.elapsed(), SECOND * 5);
        assert_eq!(places(&waited.done), [0, 2]);
        assert_eq!(values(join_all(waited.pending).await), [6]);
    });
}

/// test_wait.py: test_pending_calls_race
#[test]
fn a_hundred_jobs_that_are_released_at_once_all_complete() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(100);
        let gate = Probe::new();
        let handles = pool.apply(100, || gate.task(()));
        gate.started().await;
        gate.end();
        let waited = wait(handles, ReturnWhen::AllCompleted, None).await;
        assert_eq!((waited.done.len(), waited.pending.len()), (100, 0));
        assert!(waited.done.iter().all(|(_, result)| result.is_ok()));
    });
}

/// test_as_completed.py: test_no_timeout
#[test]
fn iterwait_gives_ends_of_every_kind() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let done = pool.spawn(power(2, 2)).await;
        let failed = pool.spawn(fails()).await;
        pool.join().await;
        let cancelled = pool.spawn_n(std::future::pending());
        cancelled.abort();
        let running = Probe::new();
        let handles = [done, cancelled, failed, pool.spawn_n(running.task(5))];
        running.end();
        let results: Vec<_> = iterwait(handles).collect().await;
        let mut values: Vec<_> = results.iter().flatten().copied().collect();
        values.sort_unstable();
        assert_eq!((results.len(), values), (4, vec![4, 5]));
    });
}

/// test_as_completed.py: test_future_times_out[0, 0.1]
#[test]
fn who_waits_no_longer_for_a_late_result_cancels_nothing() {
    on_tokio(async {
        for limit in [Duration::ZERO, SECOND / 10] {
            let pool = AioPool::new(2);
            let done = pool.spawn(after(0, 1)).await;
            pool.join().await;
            let late = Probe::new();
            let mut results = iterwait([pool.spawn_n(late.task(2)), done]);
            assert_eq!(
                timeout(limit, results.next())
                    .await
                    .unwrap()
                    .unwrap()
                    .unwrap(),
                1
            );
            assert!(timeout(limit, results.next()).await.is_err());
            late.end();
            assert_eq!(results.next().await.unwrap().unwrap(), 2);
            assert_eq!(pool.stats().cancelled, 0);
        }
    });
}
