//! The bugs of asyncio-pool, each by its number, and that this pool does right.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use aiopool::{AioPool, JoinError, JoinHandle, ReturnWhen, Shutdown, Tokio, iterwait, wait};
use futures::future::{FutureExt, join_all};
use futures::{Stream, StreamExt};
use tokio::time::{Instant, sleep, timeout};

use super::{SECOND, after, now, values};
use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, on_tokio, poll_once, within};

#[test]
fn a1_cancel_before_the_first_poll_leaks_nothing() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let probe = Probe::new();
        let handle = pool.spawn(probe.task(())).await;
        let report = pool.cancel([handle]).await;
        assert_eq!(report.cancelled, 1);
        assert!(report.results[0].as_ref().unwrap_err().is_cancelled());
        assert!(probe.is_dropped());
        pool.join().await;
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn a2_cancel_of_parked_jobs_at_once_leaks_nothing() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let probes = Probe::several(6);
        let handles = pool.map_n(&probes, |probe| probe.task(()));
        let report = pool.cancel(handles).await;
        assert_eq!(report.cancelled, 6);
        assert!(probes.iter().all(Probe::is_dropped));
        pool.join().await;
        assert_eq!(pool.len(), 0);
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn a2_none_of_many_jobs_is_started_by_the_cancel_of_those_before_it() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let started = Arc::new(AtomicUsize::new(0));
        let job = |_| {
            let started = started.clone();
            async move {
                started.fetch_add(1, SeqCst);
                pending::<()>().await;
            }
        };
        let handles = pool.map_n(0..20_000, job);
        assert_eq!(pool.cancel(handles).await.cancelled, 20_000);
        assert!(started.load(SeqCst) <= 2, "cancel: {started:?}");

        for ordered in [false, true] {
            let before = started.load(SeqCst);
            let mut results = pool.itermap(0..20_000, job);
            if ordered {
                results = results.ordered();
            }
            assert_pending!(pin!(results.next()));
            drop(results);
            pool.join().await;
            assert!(started.load(SeqCst) <= before + 2, "itermap: {started:?}");
        }
    });
}

#[test]
fn a3_a_caller_that_gives_up_a_blocked_spawn_gets_no_handle_and_the_job_goes_along() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let (busy, unwanted) = (Probe::new(), Probe::new());
        pool.spawn_n(busy.task(()));
        let given_up = timeout(SECOND, pool.spawn(unwanted.task(()))).await;
        assert!(given_up.is_err());
        assert_eq!(pool.waiting(), 0);
        busy.end();
        pool.join().await;
        assert!(unwanted.is_dropped() && !unwanted.has_started());
    });
}

#[test]
fn a4_a_map_that_is_given_up_stops_in_either_phase() {
    on_tokio(async {
        let pool = AioPool::new(2);
        let (pulled, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counted = pulled.clone();
        let items = (0..6).inspect(move |_| _ = counted.fetch_add(1, SeqCst));
        let job = |_| {
            let done = done.clone();
            async move {
                sleep(SECOND).await;
                done.fetch_add(1, SeqCst);
            }
        };
        assert!(timeout(SECOND * 3 / 2, pool.map(items, job)).await.is_err());
        pool.join().await;
        assert_eq!((done.load(SeqCst), pulled.load(SeqCst)), (2, 5));

        let begun = Instant::now();
        let waits_for_results = pool.map(0..2, |n| after(10, n));
        assert!(timeout(SECOND, waits_for_results).await.is_err());
        pool.join().await;
        assert_eq!(begun.elapsed(), SECOND);
    });
}

#[test]
fn a5_stopping_the_last_waiting_job_releases_those_who_join() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        pool.pause();
        let stops: [fn(&AioPool, JoinHandle<()>); 3] = [
            |_, last| assert!(last.abort()),
            |pool, last| assert_eq!(pool.abort([last.id()]), Ok(1)),
            |pool, _| assert_eq!(pool.abort_all(), 1),
        ];
        for stop in stops {
            let probe = Probe::new();
            let last = pool.spawn_n(probe.task(()));
            futures::join!(pool.join(), async { stop(&pool, last) });
            assert!(pool.is_empty() && probe.is_dropped());
        }
    });
}

#[test]
fn a6_cancel_all_stops_the_job_of_a_blocked_spawn_for_good() {
    let (hand, pool) = Hand::pool(1);
    let blocked = Probe::new();
    pool.spawn_n(pending::<()>());
    let mut spawn = pin!(pool.spawn(blocked.task(())));
    assert_pending!(spawn);
    let mut cancelling = pin!(pool.cancel_all());
    assert_pending!(cancelling);
    hand.run();
    assert_eq!(now(cancelling), 2);
    assert!(now(now(spawn)).unwrap_err().is_cancelled());
    hand.run();
    assert!(blocked.is_dropped() && !blocked.has_started());
}

#[test]
fn a7_aborting_a_job_stops_it_and_giving_up_a_wait_does_not() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let (aborted, waited) = (Probe::new(), Probe::new());
        let handle = pool.spawn(aborted.task(())).await;
        aborted.started().await;
        handle.abort();
        pool.join().await;
        assert!(aborted.is_dropped(), "the permit came back with it");

        let handle = pool.spawn(waited.task(7)).await;
        let mut first = handle.map(Result::unwrap).shared();
        let second = first.clone();
        assert!(timeout(SECOND, &mut first).await.is_err());
        drop(first);
        waited.end();
        assert_eq!(second.await, 7, "the other one who waits has the value");

        let given_up = timeout(SECOND, pool.exec(pending::<()>())).await;
        assert!(given_up.is_err());
        pool.join().await;
        assert_eq!(pool.stats().cancelled, 2);
    });
}

#[test]
fn a8_a_job_in_its_callback_can_be_cancelled() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let callback = Probe::new();
        let later = callback.task(());
        let handle = pool.task(async {}).then(|_| later).spawn().await;
        callback.started().await;
        let report = pool.cancel([handle]).await;
        assert_eq!(report.cancelled, 1);
        assert!(report.results[0].as_ref().unwrap_err().is_cancelled());
        assert!(callback.is_dropped());
        pool.join().await;
    });
}

#[test]
fn a9_no_kind_of_callback_loses_a_permit() {
    type Told = Result<u32, JoinError>;
    let (hand, pool) = Hand::pool(1);
    let bound = {
        let ten = 10;
        move |told: Told| async move { ten + told.unwrap() }
    };
    let boxed: Box<dyn FnOnce(Told) -> std::future::Ready<u32> + Send> =
        Box::new(|told| std::future::ready(told.unwrap()));
    let built_in = |told: Told| std::future::ready(told.unwrap());
    let refuses = |_: Told| -> std::future::Ready<u32> { panic!("no future at all") };
    let handles = [
        pool.task(async { 1 }).then(bound).spawn_n(),
        pool.task(async { 2 }).then(boxed).spawn_n(),
        pool.task(async { 3 }).then(built_in).spawn_n(),
        pool.task(async { 4 }).then(refuses).spawn_n(),
    ];
    hand.run();
    assert!(poll_once(pin!(pool.join())).is_ready());
    let results = handles.map(|handle| now(handle).ok());
    assert_eq!(results, [Some(11), Some(2), Some(3), None]);
}

#[test]
fn a10_every_callback_is_told_of_a_failure() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let told = |result: Result<(), JoinError>| {
            let error = result.unwrap_err();
            async move { (error.is_panic(), error.is_timeout()) }
        };
        let panics = pool.task(async { panic!("on purpose") }).then(told);
        assert_eq!(panics.exec().await.unwrap(), (true, false));
        let late = pool.task(pending()).timeout(SECOND).then(told);
        assert_eq!(late.exec().await.unwrap(), (false, true));
    });
}

/// Uses a pool in every way that waits, from within.
async fn uses(pool: AioPool) -> u32 {
    let spawned = pool.spawn(async { 1 }).await.await.unwrap();
    let executed = pool.exec(async { 2 }).await.unwrap();
    let mapped: u32 = values(pool.map(0..4, |n| async move { n }).await)
        .into_iter()
        .sum();
    let tried = pool
        .try_map(0..4, |n| async move { Ok::<u32, ()>(n) })
        .await;
    let streamed = pool.itermap(0..4, |n| async move { n }).collect::<Vec<_>>();
    let streamed: u32 = values(streamed.await).into_iter().sum();
    pool.cancel([pool.spawn_n(pending::<()>())]).await;
    pool.join().await;
    spawned + executed + mapped + tried.unwrap().len() as u32 + streamed
}

#[test]
fn a11_jobs_and_callbacks_may_wait_for_their_own_pool_when_no_permit_is_free() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        assert_eq!(pool.exec(uses(pool.clone())).await.unwrap(), 19);
        let inside = pool.clone();
        let called_back = pool.task(async {}).then(move |_| uses(inside));
        assert_eq!(called_back.exec().await.unwrap(), 19);
        assert!(pool.is_empty());
    });
}

#[test]
fn a11_a_pool_of_one_lists_a_tree_of_folders() {
    fn count(pool: AioPool, depth: u32) -> futures::future::BoxFuture<'static, u32> {
        let listing = async move {
            if depth == 0 {
                return 1;
            }
            let below = pool.map(0..2, |_| count(pool.clone(), depth - 1)).await;
            1 + values(below).into_iter().sum::<u32>()
        };
        listing.boxed()
    }
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        assert_eq!(pool.exec(count(pool.clone(), 5)).await.unwrap(), 63);
    });
}

#[test]
fn a12_parked_jobs_cost_no_task_of_the_runtime() {
    let (hand, pool) = Hand::pool(2);
    let handles = pool.map_n(0..1000, |_| pending::<()>());
    let results = pool.itermap(0..1000, |_| pending::<()>());
    let mut results = results.buffer(usize::MAX);
    for _ in 0..1000 {
        assert_pending!(pin!(results.next()));
    }
    hand.run();
    assert_eq!((pool.waiting(), hand.workers()), (1998, 2));
    drop(handles);
}

#[test]
#[cfg(target_os = "linux")]
fn a12_a_parked_job_and_its_handle_take_a_quarter_of_the_memory_at_most() {
    use crate::support::{alone, resident};

    alone(
        "seeds::asyncio_pool_bugs::a12_a_parked_job_and_its_handle_take_a_quarter_of_the_memory_at_most",
        || {
            const JOBS: usize = 200_000;
            let (_hand, pool) = Hand::pool(1);
            let before = resident();
            let handles = pool.map_n(0..JOBS, |n| async move { n });
            let each = (resident() - before) * 4096 / handles.len();
            assert!(each < 400, "{each} bytes");
        },
    );
}

/// Who reads results, and how often it was woken.
#[derive(Default)]
struct Reader(AtomicUsize);

impl Wake for Reader {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Reads all results, and checks that the reader stands in one place at a time, and is woken once for each at most.
fn read_all(hand: &Hand, mut results: impl Stream + Unpin) -> usize {
    let reader = Arc::new(Reader::default());
    let waker = Waker::from(reader.clone());
    let (mut read, mut woken) = (0, 0);
    loop {
        match Pin::new(&mut results).poll_next(&mut Context::from_waker(&waker)) {
            Poll::Ready(Some(_)) => read += 1,
            Poll::Ready(None) => break,
            Poll::Pending => {
                assert!(Arc::strong_count(&reader) <= 3, "more than one is held");
                // It may just let others have their turn.
                let has_yielded = reader.0.load(SeqCst) > woken;
                assert!(has_yielded || hand.step(), "nothing more would come");
                woken = reader.0.load(SeqCst);
            }
        }
    }
    assert!(reader.0.load(SeqCst) <= read);
    read
}

#[test]
fn a13_a_reader_is_registered_once_however_many_results_are_to_come() {
    let (hand, pool) = Hand::pool(10);
    let results = pool.itermap(0..5000, |n| async move { n });
    assert_eq!(read_all(&hand, results), 5000);
    let handles = pool.map_n(0..5000, |n| async move { n });
    assert_eq!(read_all(&hand, iterwait(handles)), 5000);
}

#[test]
fn a13_an_infinite_input_is_streamed() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let results = pool.itermap(0_u64.., |n| async move { n }).buffer(5);
        let some = results.ordered().take(100).collect::<Vec<_>>().await;
        assert_eq!(values(some), Vec::from_iter(0..100));
        pool.join().await;
        assert!(pool.stats().submitted <= 105);
    });
}

#[test]
fn a14_a_time_limit_of_batches_gives_no_empty_ones_and_that_of_wait_does_end_it() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let batches = pool
            .itermap(0..3, |n| after(10, n))
            .batches(ReturnWhen::AllCompleted);
        let batches: Vec<_> = batches.timeout(SECOND).map(values).collect().await;
        assert_eq!(batches, [[0], [1], [2]]);

        let begun = Instant::now();
        let handles = pool.map_n(0..3, |n| after(10, n));
        let waited = wait(handles, ReturnWhen::AllCompleted, Some(SECOND * 15)).await;
        assert_eq!(begun.elapsed(), SECOND * 15);
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 2));
    });
}

#[test]
fn a15_a_map_over_nothing_is_nothing() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let nothing = std::iter::empty::<u32>;
        assert!(pool.map(nothing(), after_none).await.is_empty());
        assert!(pool.map_n(nothing(), after_none).is_empty());
        assert!(pool.itermap(nothing(), after_none).next().await.is_none());
    });
}

async fn after_none(_: u32) {}

#[test]
fn a16_a_job_that_cancels_itself_stops_and_holds_nobody_up() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let (give, take) = futures::channel::oneshot::channel::<JoinHandle<()>>();
        let inside = pool.clone();
        let handle = pool.spawn_n(async move {
            let mine = take.await.unwrap();
            inside.cancel([mine]).await;
            unreachable!("it was to stop there");
        });
        let seen = handle.abort_handle();
        give.send(handle).unwrap();
        pool.join().await;
        assert!(seen.is_finished());

        let inside = pool.clone();
        let tyrant = pool.spawn_n(async move { inside.cancel_all().await });
        assert!(tyrant.await.unwrap_err().is_cancelled());
        assert_eq!(pool.stats().cancelled, 2);
        assert_eq!(pool.exec(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn a16_a_job_may_cancel_others_and_wait_for_them() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let other = Probe::new();
        let running = pool.spawn(other.task(())).await;
        other.started().await;
        let inside = pool.clone();
        let report = pool.exec(async move {
            let waiting = inside.apply(3, pending::<()>);
            inside.cancel(waiting.into_iter().chain([running])).await
        });
        assert_eq!(report.await.unwrap().cancelled, 4);
        assert!(other.is_dropped());
    });
}

#[test]
fn a17_what_was_thrown_is_kept_whole_and_may_be_thrown_on() {
    on_every_runtime(|pools| async move {
        #[derive(Debug, PartialEq)]
        struct Interrupt(u8);
        let pool = pools.size(1);
        let error = pool
            .exec(async { panic_any(Interrupt(2)) })
            .await
            .map(|(): ()| ())
            .unwrap_err();
        let payload = error.into_panic();
        let thrown_on = catch_unwind(AssertUnwindSafe(|| resume_unwind(payload)));
        let payload = thrown_on.unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&Interrupt(2)));
    });
}

#[test]
fn a18_a_caller_that_gives_up_takes_its_jobs_along() {
    on_tokio(async {
        let pool = AioPool::new(3);
        let begun = Instant::now();
        let given_up = timeout(SECOND, pool.try_map(0..9, |_| after(10, Ok::<(), ()>(())))).await;
        assert!(given_up.is_err());
        pool.join().await;
        assert_eq!(begun.elapsed(), SECOND);
        let report = {
            pool.map_n(0..9, |n| after(10, n));
            pool.shutdown(Shutdown::CancelAll).await
        };
        assert_eq!((report.cancelled, begun.elapsed()), (9, SECOND));
    });
}

#[test]
fn a18_a_scope_that_fails_or_is_given_up_takes_its_jobs_along() {
    on_tokio(async {
        let pool = AioPool::new(3);
        let begun = Instant::now();
        let fails = pool.scope(|jobs| async move {
            drop(jobs.map_n(0..9, |n| after(10, n)));
            after(1, ()).await;
            assert!(jobs.is_empty(), "on purpose");
        });
        assert!(AssertUnwindSafe(fails).catch_unwind().await.is_err());
        pool.join().await;
        assert_eq!(begun.elapsed(), SECOND);

        let slow = pool.scope(|jobs| async move { drop(jobs.map_n(0..9, |n| after(10, n))) });
        assert!(timeout(SECOND, slow).await.is_err());
        pool.join().await;
        assert_eq!((begun.elapsed(), pool.stats().cancelled), (SECOND * 2, 18));
    });
}

#[test]
fn a19_cancel_ends_whatever_the_job_waits_for_and_takes_any_future() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let deaf = pool.spawn(pending::<()>()).await;
        let (_send, receive) = futures::channel::oneshot::channel::<()>();
        let bare = pool.spawn_n(receive.map(drop));
        let report = pool.cancel([bare, deaf]).await;
        assert_eq!(report.cancelled, 2);
        assert!(pool.is_empty());
    });
}

#[test]
fn a19_a_cancel_that_is_given_up_has_been_asked_all_the_same() {
    let (hand, pool) = Hand::pool(1);
    let probe = Probe::new();
    let handle = pool.spawn_n(probe.task(()));
    hand.run();
    {
        let mut cancelling = pin!(pool.cancel([handle]));
        assert_pending!(cancelling);
    }
    hand.run();
    assert!(probe.is_dropped() && pool.is_empty());
}

#[test]
fn a20_spawn_does_not_overtake_parked_jobs() {
    let (hand, pool) = Hand::pool(1);
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |n| {
        let log = log.clone();
        async move { log.lock().unwrap().push(n) }
    };
    pool.pause();
    drop(pool.map_n(0..5, note));
    let mut spawn = pin!(pool.spawn(note(5)));
    assert_pending!(spawn);
    pool.spawn_n(note(6));
    pool.resume();
    hand.run();
    assert_eq!(*log.lock().unwrap(), Vec::from_iter(0..=6));
}

#[test]
fn a21_what_was_missing_is_there_and_a_size_of_zero_is_refused() {
    on_tokio(async {
        let error = AioPool::builder().size(0).build().unwrap_err();
        assert!(error.to_string().contains('0'), "{error}");
        let pool = AioPool::new(1);
        pool.resize(2).unwrap();
        assert_eq!(pool.size(), 2);
        pool.pause();
        let order = [(0, 2), (9, 1)].map(|(priority, n)| {
            let job = pool.task(after(n, n)).priority(priority);
            job.timeout(SECOND * 3 / 2).spawn_n()
        });
        pool.resize(1).unwrap();
        pool.resume();
        let mut results = iterwait(order);
        assert_eq!(results.next().await.unwrap().unwrap(), 1);
        assert!(results.next().await.unwrap().unwrap_err().is_timeout());
        pool.close();
        assert!(pool.exec(async {}).await.unwrap_err().is_rejected());
        let stats = pool.stats();
        assert_eq!(
            (stats.completed, stats.timed_out, stats.rejected),
            (1, 1, 1)
        );
    });
}

#[test]
fn a22_a_runtime_that_ends_under_a_busy_pool_settles_every_handle_in_silence() {
    within("a runtime that ends", || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let pool = AioPool::with_spawner(1, Tokio::handle(runtime.handle().clone()));
        let probe = Probe::new();
        let active = pool.spawn_n(probe.task(()));
        let waiting = pool.map_n(0..3, |_| pending::<()>());
        runtime.block_on(probe.started());
        drop(runtime);
        assert!(now(active).unwrap_err().is_cancelled());
        for error in now(join_all(waiting)).into_iter().map(Result::unwrap_err) {
            assert!(error.is_rejected());
        }
        now(pool.join());
        assert_eq!(pool.stats().panicked, 0);
    });
}
