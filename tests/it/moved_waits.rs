//! A task is seen to wait for its pool also where a combinator polls the handle with a waker of its own, and was polled
//! elsewhere before.

use std::pin::Pin;

use aiopool::AioPool;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, select_all};

use crate::assert_pending;
use crate::support::{Probe, on_every_runtime, poll_once, yield_now};

type Answer = Shared<BoxFuture<'static, usize>>;

/// The result of a task that waits behind one which holds the only permit.
fn behind(pool: &AioPool) -> Answer {
    let handle = pool.spawn_n(async { 7 });
    async move { handle.await.unwrap() }.boxed().shared()
}

#[test]
fn a_shared_handle_that_was_first_polled_outside_is_a_wait_inside() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let probe = Probe::new();
        let first = pool.spawn_n(probe.task(()));
        probe.started().await;
        let mut answer = behind(&pool);
        assert_pending!(Pin::new(&mut answer));
        let inside = answer.clone();
        let task = pool.task(inside).priority(1).spawn_n();
        probe.end();
        assert_eq!(task.await.unwrap(), 7, "on {}", pools.runtime);
        assert_eq!(answer.await, 7);
        first.await.unwrap();
    });
}

#[test]
fn shared_by_several_tasks_and_polled_outside_in_between() {
    on_every_runtime(|pools| async move {
        for size in [1, 2] {
            let pool = pools.size(size);
            pool.pause();
            let answer = behind(&pool);
            let tasks: Vec<_> = (0..3)
                .map(|_| {
                    let (mut once, inside) = (answer.clone(), answer.clone());
                    let task = async move {
                        // Polled, left, and polled again after others.
                        let _ = poll_once(Pin::new(&mut once));
                        yield_now().await;
                        drop(once);
                        inside.await
                    };
                    pool.task(task).priority(1).spawn_n()
                })
                .collect();
            let mut outside = answer.clone();
            assert_pending!(Pin::new(&mut outside));
            pool.resume();
            yield_now().await;
            // Only where no other thread polls it at the same moment: `Shared` lets one caller through at a time.
            if ["tokio, one thread", "foreign"].contains(&pools.runtime) {
                let _ = outside.now_or_never();
            }
            for task in tasks {
                assert_eq!(task.await.unwrap(), 7, "on {}", pools.runtime);
            }
        }
    });
}

#[test]
fn selected_handles_that_were_first_polled_outside_are_waits_inside() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        pool.pause();
        let handles = pool.map_n(0..3, |n| async move { n });
        let mut selected = select_all(handles);
        assert_pending!(Pin::new(&mut selected));
        let task = pool.task(selected).priority(1).spawn_n();
        pool.resume();
        let (first, _, rest) = task.await.unwrap();
        assert_eq!((first.unwrap(), rest.len()), (0, 2));
        pool.join().await;
    });
}
