//! What is done to very many tasks is done in parts, between which others have a turn: the promises hold all the same.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::thread;

use aiopool::{AbortError, AioPool, JoinHandle, Shutdown, TaskId, TaskState};

use crate::support::{Hand, Reader, on_every_runtime, poll_once, within, yield_now};

/// So many that they do not fit into one part.
const MANY: usize = 5_000;

/// The pool or a group of it, and a way to submit tasks there.
type Submit = fn(&AioPool, usize, Arc<AtomicUsize>) -> JoinHandle<()>;

async fn count_then_wait(started: Arc<AtomicUsize>) {
    started.fetch_add(1, SeqCst);
    std::future::pending::<()>().await;
}

fn bare(pool: &AioPool, _: usize, started: Arc<AtomicUsize>) -> JoinHandle<()> {
    pool.spawn_n(count_then_wait(started))
}

fn with_options(pool: &AioPool, at: usize, started: Arc<AtomicUsize>) -> JoinHandle<()> {
    let task = pool.task(count_then_wait(started)).name("one of many");
    task.priority((at % 3) as i32).spawn_n()
}

#[test]
fn cancel_all_lets_none_of_them_start_and_keeps_newcomers_on_every_runtime() {
    on_every_runtime(async |pools| {
        for submit in [bare as Submit, with_options] {
            for depth in [0, 1, 3] {
                let pool = pools.size(4);
                let mut home = pool.clone();
                for _ in 0..depth {
                    home = home.group("inner", 4).unwrap();
                }
                let started = Arc::new(AtomicUsize::new(0));
                let handles: Vec<_> = (0..MANY)
                    .map(|at| submit(&home, at, started.clone()))
                    .collect();
                while pool.active() < 4 || started.load(SeqCst) < 4 {
                    yield_now().await;
                }
                let (begins, ended) = (AtomicBool::new(false), AtomicBool::new(false));
                let newcomers = thread::scope(|threads| {
                    let submitting = threads.spawn(|| {
                        let mut newcomers = Vec::new();
                        while !ended.load(SeqCst) {
                            let is_late = begins.load(SeqCst);
                            newcomers.push((is_late, home.spawn_n(async {})));
                        }
                        newcomers
                    });
                    while pool.len() < MANY + 10 {
                        thread::yield_now();
                    }
                    let asked = home.abort_all();
                    begins.store(true, SeqCst);
                    assert!(asked >= MANY);
                    let submitted = pool.stats().submitted;
                    while pool.stats().submitted < submitted + 10 {
                        thread::yield_now();
                    }
                    ended.store(true, SeqCst);
                    submitting.join().unwrap()
                });
                pool.join().await;
                assert_eq!(started.load(SeqCst), 4, "none started that had waited");
                for handle in handles {
                    assert!(handle.await.unwrap_err().is_cancelled());
                }
                assert!(newcomers.iter().any(|(is_late, _)| *is_late));
                for (is_late, handle) in newcomers {
                    let result = handle.await;
                    assert!(result.is_ok() || !is_late && result.unwrap_err().is_cancelled());
                }
                let stats = pool.stats();
                assert_eq!(stats.submitted, stats.completed + stats.cancelled);
            }
        }
    });
}

#[test]
fn cancel_all_ends_every_feed_wherever_it_is_on_every_runtime() {
    on_every_runtime(async |pools| {
        for round in 0..20 {
            let pool = pools.size(3);
            let group = pool.group("inner", 3).unwrap();
            let home = if round % 2 == 0 { &pool } else { &group };
            let feeds: Vec<_> = (0..5)
                .map(|_| home.feed(0_u64.., |_| yield_now()))
                .collect();
            drop(home.map_n(0..MANY, |_| async {}));
            for _ in 0..round {
                yield_now().await;
            }
            home.cancel_all().await;
            for feed in feeds {
                assert!(!feed.await.broken);
            }
            pool.join().await;
        }
    });
}

#[test]
fn several_threads_may_cancel_all_of_many_at_once_on_every_runtime() {
    on_every_runtime(async |pools| {
        let pool = pools.size(2);
        let group = pool.group("inner", 2).unwrap();
        let homes = [&pool, &group];
        let handles: Vec<_> = (0..2 * MANY)
            .map(|at| homes[at % 2].spawn_n(std::future::pending::<()>()))
            .collect();
        let asked: usize = thread::scope(|threads| {
            let stops = homes.into_iter().cycle().take(4);
            let stops: Vec<_> = stops
                .map(|home| threads.spawn(|| home.abort_all()))
                .collect();
            stops.into_iter().map(|stop| stop.join().unwrap()).sum()
        });
        assert_eq!(asked, 2 * MANY, "each was asked once");
        assert_eq!(pool.cancel_all().await, 0);
        assert!(handles.iter().all(JoinHandle::is_finished));
    });
}

#[test]
fn a_list_has_every_task_once_that_is_there_all_the_while_on_every_runtime() {
    on_every_runtime(async |pools| {
        let pool = pools.size(1);
        let group = pool.group("inner", 1).unwrap();
        pool.pause();
        let homes = [&pool, &group];
        let stay: Vec<_> = (0..MANY)
            .map(|at| homes[at % 2].spawn_n(async {}))
            .collect();
        let ended = AtomicBool::new(false);
        thread::scope(|threads| {
            threads.spawn(|| {
                while !ended.load(SeqCst) {
                    let passing = homes.map(|home| home.map_n(0..10, |_| async {}));
                    passing.iter().flatten().for_each(|task| _ = task.abort());
                }
            });
            for _ in 0..10 {
                let listed: Vec<_> = pool.tasks().iter().map(|task| task.id).collect();
                assert!(listed.is_sorted());
                let staying = |handle: &&JoinHandle<()>| listed.binary_search(&handle.id()).is_ok();
                assert_eq!(stay.iter().filter(staying).count(), MANY);
                let inside = group.find_tasks(usize::MAX, |task| task.group.is_some());
                let inside = inside.iter().filter(|task| task.id <= stay[MANY - 1].id());
                assert_eq!(inside.count(), MANY / 2);
                let first = pool.find_tasks(7, |task| task.state == TaskState::Waiting);
                let first: Vec<_> = first.iter().map(|task| task.id).collect();
                let lowest: Vec<_> = stay[..7].iter().map(JoinHandle::id).collect();
                assert_eq!(first, lowest);
                assert!(pool.find_tasks(0, |_| true).is_empty());
            }
            ended.store(true, SeqCst);
        });
        pool.cancel_all().await;
    });
}

#[test]
fn many_are_aborted_by_their_numbers_and_inside_of_the_ends_of_others() {
    within("this machine", || {
        let (_hand, pool) = Hand::pool(1);
        pool.pause();
        let many = || pool.map_n(0..20 * MANY, |_| async {});
        let handles = many();
        let aborted = pool.abort(handles.iter().map(JoinHandle::id));
        assert_eq!(aborted, Ok(20 * MANY));
        assert!(handles.iter().all(JoinHandle::is_finished));
        // At one of these depths the ends of all of them are put off.
        for depth in 5..10 {
            let owned: Vec<_> = many().into_iter().map(JoinHandle::abort_on_drop).collect();
            let owner = pool.spawn_n(async move { drop(owned) });
            let deep = (0..depth).fold(owner.abort_on_drop(), |inner, _| {
                let outer = pool.spawn_n(async move { drop(inner) });
                outer.abort_on_drop()
            });
            drop(deep);
            assert!(pool.is_empty());
        }
    });
}

#[test]
fn abort_by_number_finds_a_task_among_many() {
    let (_hand, pool) = Hand::pool(1);
    let group = pool.group("inner", 1).unwrap();
    let handles = pool.map_n(0..MANY, |_| async {});
    let inside = group.map_n(0..MANY, |_| async {});
    let ids = [&handles[MANY - 1], &inside[7], &inside[7]].map(JoinHandle::id);
    assert!(group.abort(ids).is_err(), "one of them is outside");
    assert_eq!(pool.abort(ids), Ok(2));
    assert!(handles[MANY - 1].is_finished() && inside[7].is_finished());
    assert!(pool.abort(ids).is_err(), "they have ended");
}

#[test]
fn very_many_are_aborted_by_their_numbers_or_none_is_and_none_starts_meanwhile() {
    on_every_runtime(async |pools| {
        let pool = pools.size(2);
        let started = Arc::new(AtomicUsize::new(0));
        let wait = |_| count_then_wait(started.clone());
        let handles = pool.map_n(0..MANY, wait);
        let others = pool.map_n(0..2, |_| async {});
        while started.load(SeqCst) < 2 {
            yield_now().await;
        }
        let ids = || handles.iter().map(JoinHandle::id);
        let unknown = TaskId::from(u64::MAX / 2);
        let refused = pool.abort(ids().chain([unknown]));
        assert_eq!(refused, Err(AbortError::NotFound(unknown)));
        assert_eq!((pool.active(), pool.waiting()), (2, MANY));
        assert_eq!(pool.abort(ids()), Ok(MANY));
        pool.join().await;
        assert_eq!(started.load(SeqCst), 2);
        for handle in handles {
            assert!(handle.await.unwrap_err().is_cancelled());
        }
        for other in others {
            other.await.unwrap();
        }
    });
}

/// Adds one when it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A pool that is paused, with many waiting tasks, and how many of their futures have been dropped.
fn many_waiting() -> (Hand, AioPool, Vec<JoinHandle<()>>, Arc<AtomicUsize>) {
    let (hand, pool) = Hand::pool(1);
    pool.pause();
    let dropped = Arc::new(AtomicUsize::new(0));
    let handles = pool.map_n(0..MANY, |_| {
        let counted = Counted(dropped.clone());
        async move { drop(counted) }
    });
    (hand, pool, handles, dropped)
}

/// More in one poll would keep a runtime from its timers.
const IN_A_POLL: usize = 1024;

#[test]
fn cancel_all_drops_some_in_each_poll_and_the_runtime_goes_on_with_the_rest() {
    let (hand, pool, handles, dropped) = many_waiting();
    let mut all = pin!(pool.cancel_all());
    assert!(Reader::new().poll(all.as_mut()).is_pending());
    assert_eq!(pool.waiting(), 0, "all have been asked");
    assert_eq!(
        pool.tasks().len(),
        pool.len(),
        "a list has what the counts have"
    );
    let first = dropped.load(SeqCst);
    assert!((1..=IN_A_POLL).contains(&first), "{first}");
    hand.step();
    assert!(dropped.load(SeqCst) <= first + IN_A_POLL);

    // Whether or not the caller is polled again.
    hand.run();
    assert_eq!(dropped.load(SeqCst), MANY);
    assert!(handles.iter().all(JoinHandle::is_finished));
    let ended = poll_once(all);
    assert!(matches!(ended, Poll::Ready(cancelled) if cancelled == MANY));
    assert_eq!((pool.len(), hand.workers()), (0, 0));
}

#[test]
fn cancel_all_goes_on_where_no_runtime_does() {
    let (hand, pool, handles, dropped) = many_waiting();
    let mut all = pin!(pool.cancel_all());
    let reader = Reader::new();
    let mut polls = 0;
    let cancelled = loop {
        polls += 1;
        match reader.poll(all.as_mut()) {
            Poll::Ready(cancelled) => break cancelled,
            Poll::Pending => assert!(
                reader.is_woken(),
                "a poll that is not the last asks for another"
            ),
        }
    };
    assert_eq!((cancelled, dropped.load(SeqCst)), (MANY, MANY));
    assert!(polls >= MANY / IN_A_POLL);
    assert!(handles.iter().all(JoinHandle::is_finished));
    hand.run();
    assert_eq!(hand.workers(), 0);
}

#[test]
fn cancel_all_that_is_dropped_leaves_nobody_behind_though_the_runtime_ends() {
    let (hand, pool, handles, dropped) = many_waiting();
    assert!(Reader::new().poll(pin!(pool.cancel_all())).is_pending());
    assert!(dropped.load(SeqCst) < MANY);
    hand.drop_workers();
    assert_eq!(dropped.load(SeqCst), MANY);
    assert!(handles.iter().all(JoinHandle::is_finished));
    assert!(pool.is_empty());
}

#[test]
fn a_shutdown_drops_some_in_each_poll_too() {
    let (hand, pool, _handles, dropped) = many_waiting();
    let mut end = pin!(pool.shutdown(Shutdown::CancelWaiting));
    assert!(Reader::new().poll(end.as_mut()).is_pending());
    assert!(dropped.load(SeqCst) <= IN_A_POLL);
    hand.run();
    let report = poll_once(end);
    assert!(matches!(report, Poll::Ready(report) if report.cancelled == MANY));
}

#[test]
fn cancel_asks_some_in_each_poll_and_all_if_it_is_dropped() {
    let (_hand, pool, handles, dropped) = many_waiting();
    {
        let mut cancel = pin!(pool.cancel(handles));
        assert!(Reader::new().poll(cancel.as_mut()).is_pending());
        assert!(dropped.load(SeqCst) <= IN_A_POLL);
    }
    assert_eq!(dropped.load(SeqCst), MANY);
    assert!(pool.is_empty());
}
