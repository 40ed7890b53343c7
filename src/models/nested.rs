//! Tasks that wait for their own pool.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use super::{Event, block_on, check, pool, settle, value_or, yield_once};
use crate::sync::thread;
use crate::{AioPool, JoinError, current, lend};

#[test]
fn a_task_that_waits_for_another_lends_it_its_permit() {
    check(|| {
        let pool = pool(1);
        let inner = pool.clone();
        let outer = pool.spawn_n(async move { inner.exec(async { 1 }).await.unwrap() + 1 });
        assert_eq!(block_on(outer).unwrap(), 2);
        settle(&pool);
    });
}

#[test]
fn a_task_gets_the_permit_back_that_it_lent_while_another_comes() {
    check(|| {
        let pool = pool(1);
        let handle = pool.spawn_n(async { lend(yield_once()).await });
        let next = pool.spawn_n(async {});
        block_on(async {
            handle.await.unwrap();
            next.await.unwrap();
        });
        settle(&pool);
    });
}

#[test]
fn an_abort_reaches_a_task_that_has_lent_its_permit() {
    check(|| {
        let pool = pool(1);
        let handle = pool.spawn_n(async { lend(pending::<()>()).await });
        handle.abort();
        assert!(block_on(handle).unwrap_err().is_cancelled());
        settle(&pool);
    });
}

#[test]
fn a_task_that_waits_to_be_aborted_hears_of_it() {
    check(|| {
        let pool = pool(1);
        let handle = pool.spawn_n(async {
            let task = current().unwrap();
            task.aborted().await;
            assert!(task.is_aborted());
        });
        handle.abort();
        value_or(block_on(handle), JoinError::is_cancelled);
        settle(&pool);
    });
}

#[test]
fn a_handle_that_is_dropped_elsewhere_ends_the_wait() {
    check(|| {
        let pool = pool(1);
        let (inner, event) = (pool.clone(), Arc::new(Event::default()));
        let awaited = event.clone();
        let outer = pool.spawn_n(async move {
            let mut handle = inner.spawn_n(async {});
            let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut handle).poll(cx))).await;
            assert!(polled.is_pending());
            thread::spawn(move || {
                drop(handle);
                event.happen();
            });
            awaited.happened().await;
        });
        block_on(outer).unwrap();
        settle(&pool);
    });
}

#[test]
fn two_tasks_that_join_their_pool_do_not_wait_for_each_other() {
    check(|| {
        let pool = pool(2);
        let join = |pool: AioPool| async move { pool.join().await };
        let handles = [
            pool.spawn_n(join(pool.clone())),
            pool.spawn_n(join(pool.clone())),
        ];
        block_on(async {
            for handle in handles {
                handle.await.unwrap();
            }
        });
        settle(&pool);
    });
}
