//! Tasks that wait for their pool, and are polled all the time meanwhile for something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use aiopool::{AioPool, lend};
use futures::channel::oneshot;
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

/// Runs busy tasks of `outer`, each of which waits for a task of `inner` that needs two permits.
async fn nest_heavy(outer: AioPool, inner: AioPool) {
    for _ in 0..7 {
        let inner = inner.clone();
        let waits = async move { inner.task(async {}).weight(2).spawn_n().await.unwrap() };
        drop(outer.spawn_n(beside_a_busy_one(waits)));
    }
    outer.join().await;
}

async fn looks_again_and_again(done: Arc<AtomicBool>) {
    while !done.load(SeqCst) {
        lend(yield_now()).await;
    }
}

/// Lends the permit many times, and takes it back each time before the wait is over.
async fn come_back_often(pool: &AioPool) {
    for _ in 0..200 {
        let waits = pool.exec(async {});
        select(Box::pin(waits), Box::pin(yield_now())).await;
    }
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
fn a_heavy_task_that_busy_tasks_wait_for_starts() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let group = pool.group("a", 2).unwrap();
        let inside = group.group("inside", 2).unwrap();
        nest_heavy(pool.clone(), pool.clone()).await;
        nest_heavy(pool.clone(), group.clone()).await;
        nest_heavy(group.clone(), pool.clone()).await;
        nest_heavy(group.clone(), group.clone()).await;
        nest_heavy(inside.clone(), group.clone()).await;
        nest_heavy(group, inside).await;
    });
}

#[test]
fn a_heavy_task_starts_while_others_look_for_its_work_again_and_again() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let done = Arc::new(AtomicBool::new(false));
        for _ in 0..7 {
            drop(pool.spawn_n(looks_again_and_again(done.clone())));
        }
        let ends = async move { done.store(true, SeqCst) };
        pool.task(ends).weight(2).spawn_n().await.unwrap();
        pool.join().await;
    });
}

#[test]
fn a_heavy_task_does_not_keep_others_from_coming_back_to_one_that_keeps_its_permit() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let (tell, told) = oneshot::channel();
        let keeps = pool.spawn_n(told);
        let busy = pool.clone();
        let tells = pool.spawn_n(async move {
            come_back_often(&busy).await;
            tell.send(()).unwrap();
        });
        let heavy = pool.task(async {}).weight(2).spawn_n();
        tells.await.unwrap();
        keeps.await.unwrap().unwrap();
        heavy.await.unwrap();
    });
}

#[test]
fn a_heavy_task_does_not_keep_others_from_coming_back_to_one_that_came_back_and_stays() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let (go, gone) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let comes_back = pool.spawn_n(async move {
            gone.await.unwrap();
            lend(yield_now()).await;
            tell.send(()).unwrap();
        });
        let busy = pool.clone();
        let stays = pool.spawn_n(async move {
            for _ in 0..100 {
                lend(yield_now()).await;
            }
            // It has its turn from now on, and would fit if this task lent its permit again.
            drop(busy.task(async {}).weight(2).spawn_n());
            lend(yield_now()).await;
            go.send(()).unwrap();
            told.await.unwrap();
        });
        comes_back.await.unwrap();
        stays.await.unwrap();
        pool.join().await;
    });
}

#[test]
fn a_task_starts_while_others_look_for_its_work_again_and_again() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let done = Arc::new(AtomicBool::new(false));
        for _ in 0..3 {
            drop(pool.spawn_n(looks_again_and_again(done.clone())));
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
