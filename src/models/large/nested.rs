//! Tasks that wait for tasks of their own pool, at three levels.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join};

use super::super::in_random_orders::choose;
use super::super::{block_on, check, pool, value_or, yield_once};
use super::settle_all;
use crate::sync::thread;
use crate::{AioPool, JoinError, lend};

/// Returns the number of leaves of a tree, with a task for each of its nodes.
fn leaves(pool: AioPool, levels: usize) -> BoxFuture<'static, usize> {
    async move {
        yield_once().await;
        if levels == 0 {
            return 1;
        }
        let child = || leaves(pool.clone(), levels - 1);
        match choose(4) {
            0 => {
                let (left, right) = join(pool.exec(child()), pool.exec(child())).await;
                left.unwrap() + right.unwrap()
            }
            1 => {
                let (left, right) = (pool.spawn_n(child()), pool.spawn_n(child()));
                right.await.unwrap() + left.await.unwrap()
            }
            2 => {
                let counts = pool.map(0..2, |_| child()).await;
                counts.into_iter().map(Result::unwrap).sum()
            }
            _ => {
                let left = pool.spawn(child()).await;
                lend(yield_once()).await;
                left.await.unwrap() + child().await
            }
        }
    }
    .boxed()
}

#[test]
fn trees_are_walked_by_a_pool_that_is_smaller_than_they_are_high() {
    check(|| {
        let pool = pool(1 + choose(2));
        let other = pool.clone();
        let there = thread::spawn(move || block_on(other.exec(leaves(other.clone(), 3))).unwrap());
        assert_eq!(block_on(pool.exec(leaves(pool.clone(), 3))).unwrap(), 8);
        assert_eq!(there.join().unwrap(), 8);
        settle_all(&pool);
    });
}

#[test]
fn a_tree_that_is_aborted_meanwhile_leaves_the_other_one_alone() {
    check(|| {
        let pool = pool(1 + choose(2));
        let aborted = pool.spawn_n(leaves(pool.clone(), 2));
        let whole = pool.spawn_n(leaves(pool.clone(), 2));
        let stopper = aborted.abort_handle();
        let there = thread::spawn(move || stopper.abort());
        assert_eq!(block_on(whole).unwrap(), 4);
        value_or(block_on(aborted), JoinError::is_cancelled);
        there.join().unwrap();
        settle_all(&pool);
    });
}

/// Waits in each group for a task of the next one, and in the innermost for one of the whole pool.
fn inwards(groups: Vec<AioPool>, pool: AioPool) -> BoxFuture<'static, ()> {
    async move {
        yield_once().await;
        let mut inner = groups;
        if inner.is_empty() {
            pool.exec(yield_once()).await.unwrap();
        } else {
            let group = inner.remove(0);
            let task = inwards(inner, pool);
            group.exec(task).await.unwrap();
        }
    }
    .boxed()
}

#[test]
fn tasks_of_a_pool_wait_for_those_of_its_groups_and_these_for_those_of_the_pool() {
    check(|| {
        let pool = pool(2);
        let outer = pool.keyed("outer", 1);
        let inner = outer.keyed("inner", 1);
        let groups = vec![outer, inner];
        let (other, same) = (pool.clone(), groups.clone());
        let there = thread::spawn(move || block_on(other.exec(inwards(same, other.clone()))));
        block_on(pool.exec(inwards(groups, pool.clone()))).unwrap();
        there.join().unwrap().unwrap();
        settle_all(&pool);
    });
}

#[test]
fn tasks_that_join_their_pool_wait_for_all_others_and_not_for_each_other() {
    check(|| {
        let pool = pool(1 + choose(2));
        let tasks: Vec<_> = (0..4)
            .map(|_| pool.spawn_n(leaves(pool.clone(), 1)))
            .collect();
        let joiners = (0..2).map(|_| {
            let inside = pool.clone();
            pool.spawn_n(async move { inside.join().await })
        });
        for joiner in joiners.collect::<Vec<_>>() {
            block_on(joiner).unwrap();
        }
        for mut task in tasks {
            assert_eq!(task.try_join().expect("it has ended").unwrap(), 2);
        }
        settle_all(&pool);
    });
}
