//! Tasks that wait for their pool, and are polled all the time meanwhile for something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use aiopool::{AioPool, lend};
use futures::future::select;

use crate::support::{on_every_runtime, yield_now};

/// Waits for a future, beside one that is woken again and again.
async fn beside_a_busy_one(waits: impl Future) {
    let busy = async {
        loop {
            yield_now().await;
        }
    };
    select(Box::pin(waits), Box::pin(busy)).await;
}

/// Runs busy tasks of `outer`, each of which waits for a task of `inner`.
async fn nest(outer: AioPool, inner: AioPool) {
    for _ in 0..5 {
        let inner = inner.clone();
        let waits = async move { inner.exec(async {}).await.unwrap() };
        drop(outer.spawn_n(beside_a_busy_one(waits)));
    }
    outer.join().await;
}

#[test]
fn a_task_that_busy_tasks_wait_for_starts() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        nest(pool.clone(), pool).await;
    });
}

#[test]
fn a_task_of_another_group_that_busy_tasks_wait_for_starts() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let one = pool.group("one", 1).unwrap();
        let other = pool.group("other", 1).unwrap();
        let inside = one.group("inside", 1).unwrap();
        nest(one.clone(), pool.clone()).await;
        nest(pool.clone(), one.clone()).await;
        nest(one.clone(), other).await;
        nest(inside.clone(), one.clone()).await;
        nest(one, inside).await;
    });
}

#[test]
fn a_task_that_busy_tasks_wait_for_starts_while_other_groups_are_busy_too() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let groups: Vec<AioPool> = ["a", "b", "c"]
            .map(|name| pool.group(name, 1).unwrap())
            .into();
        let nests = groups
            .iter()
            .map(|group| nest(group.clone(), group.clone()));
        futures::future::join_all(nests).await;
    });
}

#[test]
fn a_task_starts_while_others_look_for_its_work_again_and_again() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let done = Arc::new(AtomicBool::new(false));
        for _ in 0..3 {
            let done = done.clone();
            drop(pool.spawn_n(async move {
                while !done.load(SeqCst) {
                    lend(yield_now()).await;
                }
            }));
        }
        let ends = pool.spawn_n(async move { done.store(true, SeqCst) });
        ends.await.unwrap();
        pool.join().await;
    });
}

#[test]
fn busy_tasks_come_back_while_no_task_may_start() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let turns = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let (pool, turns) = (pool.clone(), turns.clone());
            drop(pool.clone().spawn_n(async move {
                // No other task starts after this one.
                if pool.stats().started == 3 {
                    pool.pause();
                }
                let counts = async {
                    loop {
                        turns.fetch_add(1, SeqCst);
                        yield_now().await;
                    }
                };
                let waits = pool.exec(async {});
                select(Box::pin(waits), Box::pin(counts)).await;
            }));
        }
        while !pool.is_paused() || turns.load(SeqCst) < 1000 {
            yield_now().await;
        }
        assert_eq!(pool.stats().started, 3, "on {}", pools.runtime);
        pool.resume();
        pool.join().await;
    });
}
