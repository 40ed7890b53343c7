//! `task_fn` and `retry`: a task that is tried again while it fails.

use std::future::pending;
use std::iter::repeat;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aiopool::{AioPool, Shutdown};
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use crate::support::{Probe, Timed, on_every_runtime, on_tokio, yield_now};

const SECOND: Duration = Duration::from_secs(1);

/// A function that fails with the number of its try.
async fn fail(attempt: u32) -> Result<(), u32> {
    Err(attempt)
}

/// A function that succeeds at this try.
fn from_try(
    first: u32,
) -> impl FnMut(u32) -> std::future::Ready<Result<u32, u32>> + Send + 'static {
    move |attempt| {
        std::future::ready(if attempt < first {
            Err(attempt)
        } else {
            Ok(attempt)
        })
    }
}

#[test]
fn a_task_is_tried_again_until_it_succeeds() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let delays = [Duration::from_millis(1); 9];
        let task = pool.task_fn(from_try(4)).retry(delays);
        assert_eq!(task.exec().await.unwrap(), Ok(4), "on {}", pools.runtime);
        pool.join().await;
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.started, stats.completed), (1, 1, 1));
    });
}

#[test]
fn without_retry_the_function_is_called_once() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        assert_eq!(pool.task_fn(fail).exec().await.unwrap(), Err(1));
        assert_eq!(pool.task_fn(from_try(1)).spawn_n().await.unwrap(), Ok(1));
    });
}

#[test]
fn the_function_is_not_called_before_the_task_starts() {
    on_tokio(async {
        let pool = AioPool::new(1);
        pool.pause();
        let calls = Arc::new(AtomicU32::new(0));
        let counted = calls.clone();
        let task = pool.task_fn(move |_| {
            counted.fetch_add(1, SeqCst);
            async { Ok::<(), ()>(()) }
        });
        let handle = task.spawn_n();
        yield_now().await;
        assert_eq!(calls.load(SeqCst), 0);
        pool.resume();
        handle.await.unwrap().unwrap();
        assert_eq!(calls.load(SeqCst), 1);
    });
}

#[test]
fn there_is_one_try_more_than_there_are_delays() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        let task = pool.task_fn(fail).retry([1, 2, 4].map(Duration::from_secs));
        assert_eq!(task.exec().await.unwrap(), Err(4));
        assert_eq!(begun.elapsed().as_secs(), 7);
        let begun = Instant::now();
        let task = pool.task_fn(fail).retry([]);
        assert_eq!(task.exec().await.unwrap(), Err(1));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    });
}

#[test]
fn delays_may_come_from_backon() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        let delays = ExponentialBuilder::default()
            .with_min_delay(SECOND)
            .with_factor(3.0)
            .with_max_times(3);
        let task = pool.task_fn(fail).retry(delays.build());
        assert_eq!(task.exec().await.unwrap(), Err(4));
        assert_eq!(begun.elapsed().as_secs(), 1 + 3 + 9);
    });
}

#[test]
fn between_two_tries_the_task_holds_no_permit() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let waits = pool.task_fn(fail).retry([100 * SECOND]).spawn_n();
        // With a permit that is kept, these would wait for a hundred seconds.
        pool.exec(async {}).await.unwrap();
        pool.exec(async {}).await.unwrap();
        assert_eq!((pool.active(), pool.waiting()), (0, 1));
        waits.cancel().await.unwrap_err();
    });
}

#[test]
fn the_next_try_comes_before_tasks_that_have_not_started() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let seen = order.clone();
        let retried = pool.task_fn(move |attempt| {
            seen.lock().unwrap().push(format!("try {attempt}"));
            async move { if attempt < 3 { Err(()) } else { Ok(()) } }
        });
        let retried = retried.retry([SECOND / 2; 2]).spawn_n();
        for n in 0..4 {
            let order = order.clone();
            pool.spawn_n(async move {
                order.lock().unwrap().push(format!("task {n}"));
                sleep(SECOND).await;
            });
        }
        retried.await.unwrap().unwrap();
        pool.join().await;
        let expected = [
            "try 1", "task 0", "try 2", "task 1", "try 3", "task 2", "task 3",
        ];
        assert_eq!(*order.lock().unwrap(), expected);
    });
}

#[test]
fn an_abort_between_two_tries_ends_the_task_at_once() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        for is_lent in [true, false] {
            let waits = pool.task_fn(fail).retry([100 * SECOND]).spawn_n();
            let busy = pool.spawn(pending::<()>()).await;
            if is_lent {
                // The task is aborted while another one has its permit.
                assert!(waits.cancel().await.unwrap_err().is_cancelled());
                busy.cancel().await.unwrap_err();
            } else {
                busy.cancel().await.unwrap_err();
                assert!(waits.cancel().await.unwrap_err().is_cancelled());
            }
            assert!(pool.is_empty(), "on {}", pools.runtime);
        }
        assert_eq!(pool.exec(async { 7 }).await.unwrap(), 7);
    });
}

#[test]
fn the_timeout_of_the_task_covers_all_tries_and_delays() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        let task = pool.task_fn(|_| async {
            sleep(SECOND).await;
            Err::<(), ()>(())
        });
        let task = task.timeout(10 * SECOND).retry(repeat(2 * SECOND));
        assert!(task.exec().await.unwrap_err().is_run_timeout());
        assert_eq!(begun.elapsed().as_secs(), 10);
        assert!(pool.is_empty());
    });
}

#[test]
fn a_try_that_takes_too_long_is_dropped_and_has_failed() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let probe = Probe::new();
        let first = probe.clone();
        let task = pool.task_fn(move |attempt| {
            let first = first.clone();
            async move {
                match attempt {
                    1 => first.task(Ok(0)).await,
                    _ => Ok::<u32, u32>(attempt),
                }
            }
        });
        let task = task.try_timeout(Duration::from_millis(5), || 99);
        let error = Arc::new(AtomicU32::new(0));
        let seen = error.clone();
        let task = task.retry([Duration::ZERO]).retry_when(move |error| {
            seen.store(*error, SeqCst);
            true
        });
        assert_eq!(task.exec().await.unwrap(), Ok(2), "on {}", pools.runtime);
        assert_eq!(error.load(SeqCst), 99);
        assert!(probe.has_started() && probe.is_dropped());
    });
}

#[test]
fn the_last_try_has_its_limit_too() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        let never = pool.task_fn(|_| pending::<Result<(), u32>>());
        let never = never.try_timeout(SECOND, || 99);
        assert_eq!(never.retry([SECOND; 2]).exec().await.unwrap(), Err(99));
        assert_eq!(begun.elapsed().as_secs(), 5);
        let never = pool.task_fn(|_| pending::<Result<(), u32>>());
        let once = never.try_timeout(SECOND, || 99).exec().await;
        assert_eq!(once.unwrap(), Err(99));
    });
}

#[test]
fn an_error_that_is_not_worth_it_ends_the_tries() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let task = pool.task_fn(fail).retry_when(|attempt| *attempt < 3);
        assert_eq!(task.retry(repeat(SECOND)).exec().await.unwrap(), Err(3));
    });
}

#[test]
fn an_error_may_say_how_long_to_wait() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        let task = pool.task_fn(fail).retry([SECOND; 3]);
        let task = task.retry_after(|attempt| (*attempt == 2).then_some(10 * SECOND));
        // The number of tries stays the same.
        assert_eq!(task.exec().await.unwrap(), Err(4));
        assert_eq!(begun.elapsed().as_secs(), 1 + 10 + 1);
    });
}

#[test]
fn a_panic_is_the_end_and_is_not_tried_again() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let calls = Arc::new(AtomicU32::new(0));
        for panics_in_call in [true, false] {
            let counted = calls.clone();
            let task = pool.task_fn(move |_| {
                counted.fetch_add(1, SeqCst);
                assert!(!panics_in_call, "in the call");
                async {
                    if true {
                        panic!("in the try")
                    } else {
                        Ok::<(), ()>(())
                    }
                }
            });
            let error = task.retry(repeat(SECOND)).exec().await.unwrap_err();
            assert!(error.is_panic());
        }
        assert_eq!(calls.load(SeqCst), 2);
        let task = pool
            .task_fn(fail)
            .retry_when(|_| panic!("in the judgement"));
        assert!(task.retry([SECOND]).exec().await.unwrap_err().is_panic());
        assert!(pool.is_empty());
    });
}

#[test]
fn a_runtime_without_a_timer_is_reported_at_the_submission() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let submit = || drop(pool.task_fn(fail).retry([Duration::ZERO]).spawn_n());
        let submitted = catch_unwind(AssertUnwindSafe(submit));
        assert_eq!(submitted.is_ok(), pools.timer, "on {}", pools.runtime);
        let limited = || drop(pool.task_fn(fail).try_timeout(SECOND, || 0).spawn_n());
        assert_eq!(catch_unwind(AssertUnwindSafe(limited)).is_ok(), pools.timer);
        pool.join().await;
    });
}

#[test]
fn all_options_may_come_before_it_and_after_it() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let task = pool.task_fn(from_try(2)).name("before").priority(1);
        let task = task.retry([SECOND]).weight(2).timeout(9 * SECOND);
        let task = task.then(|tried| async move { tried.unwrap().unwrap() * 10 });
        let handle = task.on_end(|_| {}).spawn().await;
        assert_eq!(handle.name(), "before");
        assert_eq!(pool.size() - pool.active(), 1);
        assert_eq!(handle.await.unwrap(), 20);
        let later = pool.task_fn(from_try(1)).retry([]).name("after");
        assert_eq!(later.try_spawn().unwrap().name(), "after");
    });
}

#[test]
fn a_task_with_grace_that_is_aborted_makes_no_further_try() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let task = pool.task_fn(fail).retry(repeat(SECOND)).grace(100 * SECOND);
        let handle = task.spawn_n();
        sleep(SECOND * 5 / 2).await;
        let begun = Instant::now();
        assert_eq!(handle.cancel().await.unwrap(), Err(3));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        // Aborted in a try, which goes on to its end.
        let task = pool.task_fn(|attempt| async move {
            sleep(10 * SECOND).await;
            Err::<(), _>(attempt)
        });
        let handle = task.retry(repeat(SECOND)).grace(100 * SECOND).spawn_n();
        sleep(SECOND).await;
        assert_eq!(handle.cancel().await.unwrap(), Err(1));
        assert!(pool.is_empty());
    });
}

#[test]
fn tries_without_end_and_without_delay_let_others_run() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let tries = Arc::new(AtomicU32::new(0));
        let counted = tries.clone();
        let task = pool.task_fn(move |attempt| {
            counted.store(attempt, SeqCst);
            fail(attempt)
        });
        let handle = task.retry(repeat(Duration::ZERO)).spawn_n();
        while tries.load(SeqCst) < 10_000 {
            yield_now().await;
        }
        assert!(handle.cancel().await.unwrap_err().is_cancelled());
        assert!(pool.is_empty());
    });
}

#[test]
fn a_shutdown_ends_the_wait_for_a_try_as_it_ends_any_task() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let waits = pool.task_fn(fail).retry(repeat(SECOND)).spawn_n();
        sleep(5 * SECOND).await;
        let report = pool.shutdown(Shutdown::Deadline(5 * SECOND)).await;
        assert_eq!((report.completed, report.cancelled), (0, 1));
        assert!(waits.await.unwrap_err().is_cancelled());

        pool.reopen();
        let ends = pool.task_fn(from_try(3)).retry(repeat(SECOND)).spawn_n();
        let report = pool.shutdown(Shutdown::Drain).await;
        assert_eq!((report.completed, report.cancelled), (1, 0));
        assert_eq!(ends.await.unwrap(), Ok(3));
    });
}

#[test]
fn a_runtime_that_ends_between_two_tries_ends_the_task() {
    let (timed, pool) = Timed::pool(1);
    let waits = pool.task_fn(fail).retry([SECOND]).spawn_n();
    timed.hand.run();
    let next = pool.spawn_n(pending::<()>());
    timed.hand.run();
    assert_eq!((pool.active(), pool.waiting()), (1, 1));
    timed.hand.drop_workers();
    assert!(waits.is_finished() && next.is_finished());
    assert!(pool.is_empty());
    assert_eq!(pool.stats().cancelled, 2);
}

#[test]
fn each_further_try_is_counted_in_the_group_and_in_each_pool_around_it() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(2);
        let group = pool.group("group", 2).unwrap();
        let delays = [Duration::ZERO; 3];
        let ours = group.task_fn(from_try(3)).retry(delays).spawn_n();
        let others = pool.task_fn(fail).retry(delays).spawn_n();
        let at_once = group.task_fn(from_try(1)).retry(delays).spawn_n();
        assert_eq!(ours.await.unwrap(), Ok(3));
        assert_eq!(others.await.unwrap(), Err(4));
        assert_eq!(at_once.await.unwrap(), Ok(1));
        let (around, inside) = (pool.stats(), group.stats());
        assert_eq!((around.retries, inside.retries), (2 + 3, 2));
        assert_eq!((around.started, around.completed), (3, 3));
    });
}

#[test]
fn a_refused_task_comes_back_untried() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let busy = pool.spawn(pending::<()>()).await;
        let refused = pool.task_fn(from_try(2)).retry([SECOND]).try_spawn();
        let tries = refused.unwrap_err().into_inner();
        drop(busy.cancel().await);
        // Outside of a task there is no permit to lend, and no start to take.
        assert_eq!(tries.await, Ok(2));
        assert_eq!(pool.stats().retries, 0);
    });
}

#[test]
fn a_refused_task_outlives_its_group() {
    on_tokio(async {
        let pool = AioPool::builder().size(1).rate(100, SECOND);
        let pool = pool.build().unwrap();
        let group = pool.keyed_with("g", |group| group.rate(100, SECOND));
        let busy = pool.spawn(pending::<()>()).await;
        let refused = group.task_fn(from_try(2)).retry([SECOND]).try_spawn();
        let tries = refused.unwrap_err().into_inner();
        drop((group, busy.cancel().await));
        assert!(pool.groups().is_empty());
        assert_eq!(tries.await, Ok(2));
    });
}
