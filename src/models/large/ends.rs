//! Pools that are closed, shut down, or lose their runtime while they are used.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use futures_util::future::select;

use super::super::in_random_orders::choose;
use super::super::{Event, block_on, check, poll_once, pool, yield_once};
use super::settle_all;
use crate::sync::thread;
use crate::{AioPool, FnSpawner, JoinHandle, Shutdown, Worker};

/// Submits tasks in all the ways, and returns how many of them each had a value, were cancelled and were rejected.
fn submit(pool: &AioPool) -> [u64; 3] {
    let mut handles: Vec<JoinHandle<()>> = Vec::new();
    for _ in 0..3 {
        match choose(3) {
            0 => handles.push(pool.spawn_n(yield_once())),
            1 => handles.push(block_on(pool.spawn(yield_once()))),
            _ => handles.extend(pool.try_spawn(yield_once())),
        }
    }
    let mut ends = [0; 3];
    for handle in handles {
        let end = match block_on(handle) {
            Ok(()) => 0,
            Err(error) if error.is_cancelled() => 1,
            Err(error) => {
                assert!(error.is_rejected(), "{error}");
                2
            }
        };
        ends[end] += 1;
    }
    ends
}

/// Lets two threads submit tasks while this one does something else. Asserts that the handles tell the same as the
/// counters.
fn check_with_submitters(pool: AioPool, meanwhile: impl FnOnce(&AioPool)) {
    let submitters = [pool.clone(), pool.clone()].map(|pool| thread::spawn(move || submit(&pool)));
    meanwhile(&pool);
    let mut sums = [0; 3];
    for submitter in submitters {
        for (sum, count) in sums.iter_mut().zip(submitter.join().unwrap()) {
            *sum += count;
        }
    }
    settle_all(&pool);
    let stats = pool.stats();
    assert_eq!(sums, [stats.completed, stats.cancelled, stats.rejected]);
}

#[test]
fn a_pool_that_is_shut_down_and_reopened_loses_no_task() {
    check(|| {
        check_with_submitters(pool(1 + choose(2)), |pool| {
            for _ in 0..2 {
                match choose(5) {
                    0 => pool.close(),
                    1 => drop(block_on(pool.shutdown(Shutdown::Drain))),
                    2 => drop(block_on(pool.shutdown(Shutdown::CancelWaiting))),
                    3 => drop(block_on(pool.shutdown(Shutdown::CancelAll))),
                    _ => {
                        pool.close();
                        block_on(pool.closed());
                    }
                }
                pool.reopen();
            }
        });
    });
}

#[test]
fn whoever_waits_for_the_end_of_a_pool_hears_of_it() {
    check(|| {
        let pool = pool(1);
        let other = pool.clone();
        let waiters = [pool.clone(), pool.clone()].map(|pool| {
            thread::spawn(move || {
                block_on(pool.closed());
                assert!(pool.is_empty());
            })
        });
        let submitter = thread::spawn(move || submit(&other));
        block_on(pool.shutdown(Shutdown::CancelAll));
        submitter.join().unwrap();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        settle_all(&pool);
    });
}

/// Makes a pool on a runtime that drops some of its workers after some polls, and all that are left at the event.
fn mortal_pool(over: &Arc<Event>, is_over: &Arc<AtomicBool>) -> AioPool {
    let (over, is_over) = (over.clone(), is_over.clone());
    let spawner = FnSpawner(move |mut worker: Worker| {
        if is_over.load(SeqCst) {
            return;
        }
        let over = over.clone();
        thread::spawn(move || match choose(4) {
            0 => drop(poll_once(Pin::new(&mut worker))),
            _ => drop(block_on(select(worker, pin!(over.happened())))),
        });
    });
    AioPool::with_spawner(1 + choose(2), spawner)
}

#[test]
fn every_handle_settles_though_the_runtime_ends_in_the_midst() {
    check(|| {
        let (over, is_over) = (Arc::new(Event::default()), Arc::default());
        check_with_submitters(mortal_pool(&over, &is_over), |_| {
            is_over.store(true, SeqCst);
            over.happen();
        });
    });
}
