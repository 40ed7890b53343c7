//! A task waits for the tasks that it spawns, down a tree, with a permit or two.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use aiopool::AioPool;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use crate::support::on_every_runtime;

/// Counts the bodies that run, between their awaits.
#[derive(Clone, Default)]
struct Bodies(Arc<AtomicUsize>);

impl Bodies {
    /// What a task does itself, between two waits.
    fn work(&self, most: usize) {
        assert!(self.0.fetch_add(1, SeqCst) < most, "too many bodies run");
        std::thread::yield_now();
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Counts the nodes of a binary tree, each in a task, in one of the ways in which a task can wait for others.
fn count(pool: AioPool, depth: u64, bodies: Bodies, size: usize) -> BoxFuture<'static, u64> {
    async move {
        bodies.work(size);
        if depth == 0 {
            return 1;
        }
        let below = |_: i32| count(pool.clone(), depth - 1, bodies.clone(), size);
        let counted: u64 = match depth % 6 {
            0 => pool.exec(below(0)).await.unwrap() + pool.exec(below(1)).await.unwrap(),
            1 => {
                let results = pool.map(0..2, below).await;
                results.into_iter().map(Result::unwrap).sum()
            }
            2 => {
                let fallible = |n| below(n).map(Ok::<_, ()>);
                pool.try_map(0..2, fallible).await.unwrap().iter().sum()
            }
            3 => {
                let results = pool.itermap(0..2, below).collect::<Vec<_>>().await;
                results.into_iter().map(Result::unwrap).sum()
            }
            4 => {
                let handles = pool.map_n(0..2, below);
                let results: Vec<_> = handles
                    .into_iter()
                    .collect::<FuturesUnordered<_>>()
                    .collect()
                    .await;
                results.into_iter().map(Result::unwrap).sum()
            }
            _ => {
                let (one, other) = (pool.spawn(below(0)).await, pool.spawn(below(1)).await);
                let (one, other) = futures::join!(one, other);
                one.unwrap() + other.unwrap()
            }
        };
        bodies.work(size);
        counted + 1
    }
    .boxed()
}

#[test]
fn a_small_pool_walks_a_tree_recursively_and_runs_no_more_bodies_than_its_size() {
    on_every_runtime(|pools| async move {
        for size in [1, 2, 3] {
            let pool = pools.size(size);
            let walk = count(pool.clone(), 8, Bodies::default(), size);
            assert_eq!(pool.exec(walk).await.unwrap(), 511, "{}", pools.runtime);
            pool.join().await;
            let stats = pool.stats();
            assert_eq!((stats.submitted, stats.completed), (511, 511));
        }
    });
}

#[test]
fn a_chain_of_a_thousand_tasks_fits_into_one_permit() {
    fn chain(pool: AioPool, length: u32) -> BoxFuture<'static, u32> {
        async move {
            match length {
                0 => 0,
                _ => pool.exec(chain(pool.clone(), length - 1)).await.unwrap() + 1,
            }
        }
        .boxed()
    }
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let length = pool.exec(chain(pool.clone(), 1000)).await.unwrap();
        assert_eq!(length, 1000, "on {}", pools.runtime);
    });
}

#[test]
fn groups_of_size_one_inside_of_each_other_do_not_deadlock() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let group = pool.group("g", 1).unwrap();
        let (around, inside) = (pool.clone(), group.clone());
        let handle = group.spawn_n(async move {
            let same = inside.exec(async { 1 }).await.unwrap();
            let wider = around.exec(async { 10 }).await.unwrap();
            let inner = inside.group("h", 1).unwrap();
            same + wider + inner.exec(async { 100 }).await.unwrap()
        });
        assert_eq!(handle.await.unwrap(), 111, "on {}", pools.runtime);
    });
}
