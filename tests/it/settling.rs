//! DESIGN 3.4: every handle settles, exactly once, whatever happens. So do `join`, `closed` and `below`.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use aiopool::{AioPool, FnSpawner, JoinHandle, Tokio, Worker};
use futures::executor::block_on;
use futures::future::join_all;

use crate::support::{Hand, Probe, on_every_runtime, within};

#[test]
fn workers_that_are_dropped_end_their_tasks_and_those_that_wait() {
    let (hand, pool) = Hand::pool(2);
    let probes = Probe::several(2);
    let running: Vec<_> = probes
        .iter()
        .map(|probe| pool.spawn_n(probe.task(())))
        .collect();
    hand.run();
    hand.drop_workers();
    assert!(running.iter().all(JoinHandle::is_finished));
    assert!(probes.iter().all(Probe::is_dropped));
    for handle in running {
        assert!(block_on(handle).unwrap_err().is_cancelled(), "it had begun");
    }
    assert!(pool.is_empty());
}

#[test]
fn a_runtime_that_refuses_all_workers_rejects_all_tasks_without_recursion() {
    within("nothing", || {
        let pool = AioPool::with_spawner(1, FnSpawner(drop::<Worker>));
        pool.pause();
        let handles = pool.map_n(0..200_000, |n| async move { n });
        pool.resume();
        assert!(handles.iter().all(JoinHandle::is_finished));
        assert!(
            handles
                .into_iter()
                .all(|handle| block_on(handle).unwrap_err().is_rejected())
        );
        let stats = pool.stats();
        assert_eq!(
            (stats.started, stats.rejected, stats.submitted),
            (0, 200_000, 200_000)
        );
        assert!(block_on(pool.exec(async {})).unwrap_err().is_rejected());
        block_on(pool.join());
    });
}

#[test]
fn a_runtime_that_ends_while_tasks_wait_rejects_them() {
    let (hand, pool) = Hand::pool(1);
    let handles = pool.map_n(0..10, |_| std::future::pending::<()>());
    hand.run();
    // What the pool asks for next is dropped too.
    hand.drop_workers();
    let errors: Vec<_> = handles
        .into_iter()
        .map(|handle| block_on(handle).unwrap_err())
        .collect();
    assert!(errors[0].is_cancelled());
    assert!(errors[1..].iter().all(aiopool::JoinError::is_rejected));
}

#[test]
fn a_spawner_that_drops_some_of_its_workers_loses_no_task() {
    within("a spawner that drops every third", || {
        let given = AtomicUsize::new(0);
        let pool = AioPool::with_spawner(
            4,
            FnSpawner(move |worker: Worker| {
                if given.fetch_add(1, SeqCst) % 3 != 0 {
                    smol::spawn(worker).detach();
                }
            }),
        );
        let handles: Vec<_> = (0..1000).map(|n| pool.spawn_n(async move { n })).collect();
        let results = block_on(join_all(handles));
        let rejected = results.iter().filter(|result| result.is_err()).count();
        assert!(results.iter().flatten().count() > 0 && rejected > 0);
        block_on(pool.join());
        let stats = pool.stats();
        assert_eq!(stats.completed + stats.rejected, 1000);
        assert_eq!(stats.started, stats.completed);
    });
}

#[test]
fn a_spawner_that_panics_rejects_the_task() {
    let pool = AioPool::with_spawner(1, FnSpawner(|_: Worker| panic!("no more threads")));
    let mut handle = pool.spawn_n(async {});
    assert!(handle.try_join().unwrap().unwrap_err().is_rejected());
    assert!(pool.is_empty());
}

#[test]
#[expect(clippy::async_yields_async, reason = "the handle is awaited outside")]
fn an_executor_that_polls_inside_of_spawn_is_served() {
    within("an executor that polls at once", || {
        let pool = AioPool::with_spawner(1, FnSpawner(|worker: Worker| smol::block_on(worker)));
        let inside = pool.clone();
        let handle = pool.spawn_n(async move { inside.spawn_n(async { 1 }) });
        let inner = smol::block_on(handle).unwrap();
        assert_eq!(smol::block_on(inner).unwrap(), 1);
        assert_eq!(smol::block_on(pool.exec(async { 2 })).unwrap(), 2);
    });
}

#[test]
fn handles_settle_after_their_tokio_runtime_has_ended() {
    within("a runtime that ends", || {
        for threads in [None, Some(2)] {
            let runtime = match threads {
                None => tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap(),
                Some(n) => tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(n)
                    .build()
                    .unwrap(),
            };
            let pool = AioPool::with_spawner(2, Tokio::handle(runtime.handle().clone()));
            let probes = Probe::several(2);
            let active: Vec<_> = probes
                .iter()
                .map(|probe| pool.spawn_n(probe.task(())))
                .collect();
            let waiting = pool.map_n(0..100, |_| std::future::pending::<()>());
            runtime.block_on(join_all(probes.iter().map(Probe::started)));
            drop(runtime);
            assert!(
                active
                    .into_iter()
                    .all(|handle| block_on(handle).unwrap_err().is_cancelled())
            );
            assert!(
                waiting
                    .into_iter()
                    .all(|handle| block_on(handle).unwrap_err().is_rejected())
            );
            block_on(pool.join());
            assert!(block_on(pool.exec(async {})).unwrap_err().is_rejected());
        }
    });
}

#[test]
fn join_and_closed_and_below_end_with_the_runtime() {
    let (hand, pool) = Hand::pool(1);
    let handles = pool.map_n(0..3, |_| std::future::pending::<()>());
    hand.run();
    pool.close();
    let waiting = futures::future::join3(pool.join(), pool.closed(), pool.below(1));
    let mut waiting = std::pin::pin!(waiting);
    crate::assert_pending!(waiting);
    hand.drop_workers();
    assert!(crate::support::poll_once(waiting.as_mut()).is_ready());
    assert!(handles.iter().all(JoinHandle::is_finished));
}

#[test]
fn what_was_submitted_runs_on_when_the_pool_is_dropped() {
    let (hand, pool) = Hand::pool(1);
    let handles = pool.map_n(0..3, |n| async move { n });
    drop(pool);
    hand.run();
    let values: Vec<_> = handles
        .into_iter()
        .map(|handle| block_on(handle).unwrap())
        .collect();
    assert_eq!(values, [0, 1, 2]);
}

#[test]
fn a_paused_pool_resumes_when_it_is_dropped_since_nobody_else_could() {
    let (hand, pool) = Hand::pool(1);
    pool.pause();
    let handle = pool.spawn_n(async { 1 });
    let clone = pool.clone();
    drop(pool);
    hand.run();
    assert!(!handle.is_finished(), "a clone is left");
    drop(clone);
    hand.run();
    assert_eq!(block_on(handle).unwrap(), 1);
}

#[test]
fn a_lingering_worker_that_is_dropped_takes_nothing_along() {
    let (hand, pool) = Hand::pool(1);
    // The second spawn has to wait, so the worker lingers after it.
    let mut first = std::pin::pin!(pool.spawn(async {}));
    assert!(crate::support::poll_once(first.as_mut()).is_ready());
    let mut second = std::pin::pin!(pool.spawn(async {}));
    crate::assert_pending!(second);
    hand.step();
    assert!(crate::support::poll_once(second.as_mut()).is_ready());
    assert!(pool.is_empty());
    let handed = pool.spawn_n(async { 1 });
    hand.drop_workers();
    assert!(block_on(handed).unwrap_err().is_rejected());
    let next = pool.spawn_n(async { 2 });
    hand.run();
    assert_eq!(block_on(next).unwrap(), 2);
}

#[test]
fn workers_that_linger_lose_no_task_that_another_thread_hands_them() {
    on_every_runtime(|pools| async move {
        let pool = pools.size(3);
        let producers = (0..3).map(|_| {
            let pool = pool.clone();
            async move {
                for n in 0..5_000 {
                    let handle = pool.spawn(async move { n }).await;
                    assert_eq!(handle.await.unwrap(), n);
                    pool.spawn(async {}).await;
                }
            }
        });
        let threads = producers.map(|producer| {
            let (done, ended) = futures::channel::oneshot::channel();
            let entered = tokio::runtime::Handle::try_current();
            std::thread::spawn(move || {
                let _inside = entered.as_ref().map(tokio::runtime::Handle::enter);
                block_on(producer);
                done.send(()).ok();
            });
            ended
        });
        for ended in threads.collect::<Vec<_>>() {
            ended.await.unwrap();
        }
        pool.join().await;
        assert_eq!(pool.stats().completed, 30_000, "on {}", pools.runtime);
    });
}
