//! The bugs of cf-taskpool, each by its number, and that this pool does right.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use aiopool::{AbortHandle, AioPool, JoinHandle, Refusal, Shutdown, Tokio, lend};
use futures::StreamExt;
use futures::future::{FutureExt, join_all};
use tokio::time::{Instant, timeout};

use super::{SECOND, after, now, values};
use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once, within};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

#[test]
fn c1_aborting_a_running_job_stops_it_and_frees_its_permit() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (running, next) = (Probe::new(), Probe::new());
        let handle = pool.spawn(running.task(())).await;
        pool.spawn_n(next.task(()));
        running.started().await;
        assert!(handle.cancel().await.unwrap_err().is_cancelled());
        assert!(running.is_dropped());
        next.started().await;
        next.end();
        pool.join().await;
    });
}

#[test]
fn c1_a_time_limit_on_the_wait_leaves_the_job_and_one_on_the_job_stops_it() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let (waited, limited) = (Probe::new(), Probe::new());
        let mut handle = pool.spawn_n(waited.task(1));
        assert!(timeout(SECOND, &mut handle).await.is_err());
        assert!(!waited.is_dropped());
        waited.end();
        assert_eq!(handle.await.unwrap(), 1);

        let job = pool.task(limited.task(2)).timeout(SECOND);
        assert!(job.exec().await.unwrap_err().is_timeout());
        assert!(limited.is_dropped());
    });
}

#[test]
fn c2_a_runtime_that_ends_runs_no_job_again_and_waits_for_none() {
    within("a runtime that ends", || {
        let runtime = runtime();
        let pool = AioPool::with_spawner(1, Tokio::handle(runtime.handle().clone()));
        let started = Arc::new(AtomicUsize::new(0));
        let probe = Probe::new();
        let jobs = pool.apply(3, || {
            let (started, task) = (started.clone(), probe.task(()));
            async move {
                started.fetch_add(1, SeqCst);
                task.await;
            }
        });
        runtime.block_on(probe.started());
        drop(runtime);
        assert!(jobs.iter().all(JoinHandle::is_finished));
        assert_eq!(started.load(SeqCst), 1);
        assert!(now(pool.exec(async {})).unwrap_err().is_rejected());
    });
}

#[test]
fn c3_a_job_that_cancels_itself_runs_once_and_its_permit_comes_back() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let runs = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let (give, take) = futures::channel::oneshot::channel::<AbortHandle>();
            let counted = runs.clone();
            let handle = pool.spawn_n(async move {
                counted.fetch_add(1, SeqCst);
                take.await.unwrap().abort();
                pending::<()>().await;
            });
            give.send(handle.abort_handle()).unwrap();
            assert!(handle.await.unwrap_err().is_cancelled());
        }
        assert_eq!(runs.load(SeqCst), 3);
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn c4_workers_that_are_dropped_while_idle_leave_a_pool_that_works() {
    let (hand, pool) = Hand::pool(2);
    // The third spawn has to wait, after which workers stay for a moment.
    drop(pool.map_n(0..2, |n| async move { n }));
    let mut spawn = pin!(pool.spawn(async {}));
    assert_pending!(spawn);
    hand.step();
    hand.drop_workers();
    assert!(poll_once(spawn).is_ready() && pool.is_empty());
    let next = pool.map_n(0..5, |n| async move { n });
    hand.run();
    assert_eq!(values(now(join_all(next))), Vec::from_iter(0..5));
}

/// A handle has no result to be set: this is all that can be done to it.
#[test]
fn c5_nothing_done_to_the_handle_of_a_running_job_harms_its_worker() {
    let misuses: [fn(JoinHandle<u32>); 5] = [
        drop,
        |handle| _ = (handle.abort(), handle.abort_with("again")),
        |mut handle| assert!(handle.try_join().is_none()),
        |handle| drop(handle.abort_on_drop()),
        |handle| _ = poll_once(pin!(handle.cancel())),
    ];
    let (hand, pool) = Hand::pool(1);
    for misuse in misuses {
        let probe = Probe::new();
        let handle = pool.spawn_n(probe.task(1));
        hand.run();
        misuse(handle);
        probe.end();
        let next = pool.spawn_n(async { 2 });
        hand.run();
        assert_eq!(now(next).unwrap(), 2);
    }
}

tokio::task_local! {
    static WHO: u32;
}

#[test]
fn c6_a_job_has_the_context_it_was_given_and_none_of_the_one_before() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let who = || async { WHO.try_with(|who| *who).ok() };
        let jobs = WHO.scope(9, async {
            let one = pool.spawn_n(WHO.scope(1, who()));
            let two = pool.spawn_n(WHO.scope(2, who()));
            // As with a task of the runtime: what is to go along is put around the future.
            [one, two]
                .into_iter()
                .map(FutureExt::boxed)
                .chain([pool.spawn_n(who()).boxed()])
        });
        let told = values(join_all(jobs.await).await);
        assert_eq!(told, [Some(1), Some(2), None]);
    });
}

/// Counts how many are in here at once, over a moment in which others may run.
async fn counted(inside: &AtomicUsize) -> usize {
    let held = inside.fetch_add(1, SeqCst) + 1;
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    inside.fetch_sub(1, SeqCst);
    held
}

#[test]
fn c7_jobs_may_wait_for_jobs_of_theirs_and_no_more_than_size_run_all_the_while() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let running = Arc::new(AtomicUsize::new(0));
        let outer = pool.map_n(0..50, |_| {
            let (pool, outer, inner) = (pool.clone(), running.clone(), running.clone());
            async move {
                let before = counted(&outer).await;
                let within = pool.exec(async move { counted(&inner).await });
                let within = within.await.unwrap();
                before.max(within).max(counted(&outer).await)
            }
        });
        let most = values(join_all(outer).await).into_iter().max();
        assert!(most <= Some(2), "{most:?}");
        assert_eq!(pool.stats().completed, 100);
    });
}

#[test]
fn c7_a_job_may_lend_its_permit_to_the_one_it_waits_for() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (send, receive) = futures::channel::oneshot::channel();
        let waits = pool.spawn_n(async { lend(receive).await.unwrap() });
        let sends = pool.spawn_n(async { send.send(5) });
        assert_eq!(waits.await.unwrap(), 5);
        sends.await.unwrap().unwrap();
    });
}

#[test]
fn c7_a_job_may_shut_its_own_pool_down() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inside = pool.clone();
        let ends_it = pool.spawn_n(async move {
            let late = inside.spawn_n(async { 2 });
            inside.shutdown(Shutdown::Drain).await;
            late.is_finished()
        });
        assert!(ends_it.await.unwrap());
        pool.closed().await;
    });
}

#[test]
fn c8_one_of_two_who_wait_may_leave() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let probe = Probe::new();
        let handle = pool.spawn_n(probe.task(3)).map(Result::unwrap).shared();
        let mut leaves = handle.clone();
        assert!(poll_once(std::pin::Pin::new(&mut leaves)).is_pending());
        drop(leaves);
        probe.end();
        assert_eq!(handle.await, 3);
        assert_eq!(pool.stats().cancelled, 0);
    });
}

#[test]
fn c9_the_queue_can_be_bounded_and_spawn_holds_a_producer_back() {
    let hand = Hand::default();
    let pool = hand.builder().size(1).max_waiting(2).build().unwrap();
    drop(pool.map_n(0..3, |_| pending::<()>()));
    assert_eq!(
        pool.try_spawn(async {}).unwrap_err().reason(),
        Refusal::Full
    );
    assert!(now(pool.spawn_n(async {})).unwrap_err().is_rejected());

    let (hand, pool) = Hand::pool(2);
    let mut producer = pin!(async {
        for n in 0..1000 {
            pool.spawn(async move { n }).await;
        }
    });
    while poll_once(producer.as_mut()).is_pending() {
        assert!(pool.waiting() <= 1);
        hand.step();
    }
    hand.run();
    assert_eq!(pool.stats().completed, 1000);
}

#[test]
fn c9_a_feed_parks_an_endless_input_as_one_entry() {
    let (hand, pool) = Hand::pool(2);
    let pulled = Arc::new(AtomicUsize::new(0));
    let counted = pulled.clone();
    let items = (0_u64..).inspect(move |_| _ = counted.fetch_add(1, SeqCst));
    let feed = pool.feed(items, |_| pending::<()>());
    hand.run();
    assert_eq!((pool.active(), pulled.load(SeqCst)), (2, 2));
    assert!(pool.waiting() <= 1);
    assert!(feed.abort());
    pool.abort_all();
    hand.run();
    assert!(pool.is_empty() && feed.is_finished());
}

#[test]
fn c10_an_infinite_input_is_mapped_with_no_more_in_flight_than_the_buffer() {
    let (hand, pool) = Hand::pool(10);
    let probes = Probe::several(5);
    let endless = probes.iter().cycle().cloned();
    let mut results = pool
        .itermap(endless, |probe| probe.task(()))
        .buffer(2)
        .ordered();
    assert_pending!(pin!(results.next()));
    hand.run();
    assert_eq!(pool.len(), 2);
    probes[0].end();
    hand.run();
    assert!(poll_once(pin!(results.next())).is_ready());
    assert_pending!(pin!(results.next()));
    hand.run();
    assert_eq!(pool.len(), 2);
    assert!(probes[2].has_started() && !probes[3].has_started());
}

#[test]
fn c10_a_stream_is_never_cut_short_in_silence() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let mut results = pool
            .itermap(0..10, |n| async move { n })
            .buffer(1)
            .ordered();
        assert_eq!(results.next().await.unwrap().unwrap(), 0);
        drop(pool);
        assert_eq!(
            values(results.collect::<Vec<_>>().await),
            Vec::from_iter(1..10)
        );

        let pool = pools.size(1);
        let mut results = pool
            .itermap(0..10, |n| async move { n })
            .buffer(1)
            .ordered();
        assert_eq!(results.next().await.unwrap().unwrap(), 0);
        pool.shutdown(Shutdown::Drain).await;
        let rest: Vec<_> = results.collect().await;
        assert_eq!(rest.len(), 9);
        assert!(rest.last().unwrap().as_ref().unwrap_err().is_rejected());
    });
}

#[test]
fn c11_a_slow_first_job_holds_results_up_only_where_order_was_asked_for() {
    let (hand, pool) = Hand::pool(2);
    let slow = Probe::new();
    let job = |n| {
        let slow = slow.task(());
        async move {
            if n == 0 {
                slow.await;
            }
            n
        }
    };
    let mut ordered = pool.itermap(0..2, job).ordered();
    assert_pending!(pin!(ordered.next()));
    hand.run();
    assert_pending!(pin!(ordered.next()));
    pool.resize(4).unwrap();
    let mut as_they_come = pool.itermap(0..2, job);
    assert_pending!(pin!(as_they_come.next()));
    hand.run();
    assert_eq!(now(as_they_come.next()).unwrap().unwrap(), 1);
    slow.end();
    hand.run();
    assert_eq!(values(now(ordered.collect::<Vec<_>>())), [0, 1]);
}

#[test]
fn c12_a_pool_outlives_its_first_runtime() {
    within("one runtime after another", || {
        let pool = AioPool::with_spawner(1, Tokio::current());
        let nowhere = now(pool.exec(async {}));
        assert!(nowhere.unwrap_err().is_rejected() && pool.is_empty());
        for _ in 0..2 {
            let runtime = runtime();
            assert_eq!(runtime.block_on(pool.exec(async { 1 })).unwrap(), 1);
            let left = runtime.block_on(async { pool.map_n(0..3, |_| pending::<()>()) });
            drop(runtime);
            assert!(left.iter().all(JoinHandle::is_finished));
        }
    });
}

/// Floats, texts, functions that give no future: what is left to check after the compiler.
#[test]
fn c13_senseless_numbers_are_refused_before_anything_is_submitted() {
    let refused = |foolish: fn(&AioPool)| {
        let (_hand, pool) = Hand::pool(2);
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| foolish(&pool)));
        let text = *told.unwrap_err().downcast::<&str>().unwrap();
        assert!(text.contains('0'), "{text}");
        assert_eq!((pool.stats().submitted, pool.size()), (0, 2));
    };
    refused(|pool| drop(pool.itermap(0..1, |_| async {}).buffer(0)));
    refused(|pool| drop(pool.task(async {}).weight(0)));
    let (_hand, pool) = Hand::pool(2);
    assert!(pool.resize(0).is_err() && pool.size() == 2);
}

#[test]
fn c13_a_function_that_gives_no_future_is_for_spawn_blocking() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        assert_eq!(pool.spawn_blocking(|| 2 + 3).await.unwrap(), 5);
    });
}

#[test]
fn c14_what_waits_can_be_cancelled_at_the_end() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        let handles = pool.map_n(0..5, |n| after(10, n));
        let report = pool.shutdown(Shutdown::Deadline(SECOND * 15)).await;
        assert_eq!((report.completed, report.cancelled), (1, 4));
        assert_eq!(begun.elapsed(), SECOND * 15);
        assert!(handles.iter().all(JoinHandle::is_finished));
    });
}

#[test]
fn c14_workers_become_fewer_when_there_is_less_to_do_and_when_the_pool_shrinks() {
    let (hand, pool) = Hand::pool(8);
    let probes = Probe::several(20);
    drop(pool.map_n(&probes, |probe| probe.task(())));
    hand.run();
    assert_eq!(hand.workers(), 8);
    pool.resize(3).unwrap();
    probes[..8].iter().for_each(Probe::end);
    hand.run();
    assert_eq!((hand.workers(), pool.active()), (3, 3));
    probes.iter().for_each(Probe::end);
    hand.run();
    assert_eq!(hand.workers(), 0);
}

#[test]
fn c15_there_is_never_one_worker_too_many() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(30);
    for (n, probe) in probes.iter().enumerate() {
        pool.spawn_n(probe.task(()));
        // One in three ends before the next is submitted: some workers are idle then, and some not.
        if n % 3 == 0 {
            probe.end();
            hand.step();
        }
        assert!(hand.workers() <= 2);
    }
    probes.iter().for_each(Probe::end);
    while hand.step() {
        assert!(hand.workers() <= 2);
    }
    assert_eq!(pool.stats().completed, 30);
}
