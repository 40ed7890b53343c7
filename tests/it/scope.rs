//! `scope`: no task outlives it.

use std::future::pending;
use std::sync::Mutex;

use crate::assert_pending;
use crate::support::{Hand, Probe, on_every_runtime, poll_once, yield_now};

#[test]
fn a_scope_ends_after_all_its_tasks_with_the_value_of_its_body() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let outside = pool.spawn_n(pending::<()>());
        let started = Mutex::new(Vec::new());
        let handles = &started;
        let value = pool
            .scope(|tasks| async move {
                let inner = tasks.clone();
                handles.lock().unwrap().push(tasks.spawn_n(async move {
                    yield_now().await;
                    inner.spawn_n(yield_now());
                }));
                "value"
            })
            .await;
        assert_eq!(value, "value", "on {}", pools.runtime);
        assert!(handles.lock().unwrap()[0].is_finished());
        assert_eq!((pool.stats().completed, pool.len()), (2, 1));
        outside.cancel().await.unwrap_err();
        assert!(pool.groups().is_empty());
    });
}

#[test]
fn a_scope_that_is_dropped_aborts_its_tasks() {
    let (hand, pool) = Hand::pool(1);
    let probes = Probe::several(2);
    let body = |tasks: aiopool::AioPool| {
        tasks.map_n(probes.iter().map(|probe| probe.task(())), |task| task);
        pending::<()>()
    };
    let mut scope = Box::pin(pool.scope(body));
    assert_pending!(scope);
    hand.run();
    assert!(probes[0].has_started());
    drop(scope);
    hand.run();
    assert!(probes.iter().all(Probe::is_dropped) && pool.is_empty());
    assert_eq!(pool.stats().cancelled, 2);
}

#[test]
fn a_body_that_panics_cancels_its_tasks_and_passes_the_panic_on() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let probe = Probe::new();
        let inner = (pool.clone(), probe.clone());
        let scope = caught(async move {
            let (pool, probe) = inner;
            pool.scope(|tasks| async move {
                tasks.spawn(probe.task(())).await;
                probe.started().await;
                panic!("on purpose");
            })
            .await;
        });
        let message = scope.await.unwrap_err();
        assert_eq!(message, "on purpose", "on {}", pools.runtime);
        assert!(probe.is_dropped() && pool.is_empty());
    });
}

/// Awaits a future, and tells the message of its panic.
async fn caught(future: impl Future<Output = ()>) -> Result<(), String> {
    use futures::FutureExt;
    let caught = std::panic::AssertUnwindSafe(future).catch_unwind().await;
    caught.map_err(|payload| (*payload.downcast_ref::<&str>().unwrap()).to_owned())
}

#[test]
fn a_pool_kept_from_a_scope_takes_no_more_tasks() {
    let (_hand, pool) = Hand::pool(1);
    let mut scope = Box::pin(pool.scope(|tasks| async { tasks }));
    let std::task::Poll::Ready(kept) = poll_once(scope.as_mut()) else {
        panic!("there was nothing to wait for");
    };
    drop(scope);
    assert!(kept.is_closed() && kept.spawn_n(async {}).is_finished());
    assert_eq!(pool.stats().rejected, 1);
}

#[test]
fn scopes_inside_of_each_other_fit_into_one_permit() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(1);
        let inner = pool.clone();
        let sum = pool
            .scope(|tasks| async move {
                let task = tasks.spawn_n(async move {
                    inner
                        .scope(|tasks| async move { tasks.exec(async { 20 }).await.unwrap() })
                        .await
                });
                task.await.unwrap() + 1
            })
            .await;
        assert_eq!(sum, 21, "on {}", pools.runtime);
    });
}

#[test]
fn tasks_of_a_scope_are_named_and_listed_as_those_of_the_pool_around_it() {
    let (_hand, pool) = Hand::pool(1);
    let mut scope = Box::pin(pool.scope(|tasks| async move {
        tasks.spawn_n(pending::<()>());
        pending::<()>().await;
    }));
    assert_pending!(scope);
    let task = &pool.tasks()[0];
    assert_eq!(task.name, format!("{}-0", pool.name()));
    assert!(task.group.is_none() && pool.groups().is_empty());
}

#[test]
fn a_scope_in_a_task_waits_for_its_tasks_though_they_join() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(2);
        let inner = pool.clone();
        let task = pool.spawn_n(async move {
            inner
                .scope(|outer| async move {
                    for _ in 0..2 {
                        let tasks = outer.clone();
                        outer.spawn_n(async move {
                            let body = async |tasks: aiopool::AioPool| {
                                tasks.map_n(0..3, |_| yield_now());
                            };
                            tasks.scope(body).await;
                            yield_now().await;
                            yield_now().await;
                        });
                    }
                })
                .await;
            inner.stats().completed
        });
        assert_eq!(task.await.unwrap(), 8, "on {}", pools.runtime);
        pool.join().await;
        assert_eq!(pool.stats().cancelled, 0);
    });
}

#[test]
fn a_task_that_joins_its_scope_is_waited_for() {
    let (hand, pool) = Hand::pool(1);
    let (inner, probe) = (pool.clone(), Probe::new());
    let after = probe.task(());
    let owner = pool.spawn_n(async move {
        let body = |tasks: aiopool::AioPool| async move {
            let joined = tasks.clone();
            tasks.spawn_n(async move {
                joined.join().await;
                after.await;
            });
        };
        inner.scope(body).await;
    });
    hand.run();
    assert!(probe.has_started() && !owner.is_finished());
    probe.end();
    hand.run();
    assert!(owner.is_finished());
    assert_eq!(pool.stats().completed, 2);
}
