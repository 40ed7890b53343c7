//! Time: `timeout` from the start, `wait_timeout` in the queue, on a clock that is moved by hand.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use aiopool::{AioPool, Spawner, Tokio, Worker};
use tokio::time::{Instant, sleep};

use crate::support::{Probe, on_every_runtime, on_tokio};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_task_has_its_time_from_its_start() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        pool.spawn_n(sleep(3 * SECOND));
        let held = Arc::new(());
        let inside = held.clone();
        let task = async move {
            sleep(9 * SECOND).await;
            drop(inside);
        };
        let error = pool
            .task(task)
            .timeout(2 * SECOND)
            .spawn_n()
            .await
            .unwrap_err();
        assert!(error.is_timeout() && !error.is_cancelled());
        assert_eq!(begun.elapsed(), 5 * SECOND);
        assert_eq!(Arc::strong_count(&held), 1);
        assert_eq!(
            pool.task(sleep(SECOND))
                .timeout(2 * SECOND)
                .exec()
                .await
                .unwrap(),
            ()
        );
    });
}

#[test]
fn a_task_that_waits_too_long_is_never_polled() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let (busy, late) = (Probe::new(), Probe::new());
        pool.spawn_n(busy.task(()));
        let begun = Instant::now();
        let handle = pool.task(late.task(())).wait_timeout(2 * SECOND).spawn_n();
        assert!(handle.await.unwrap_err().is_timeout());
        assert_eq!(begun.elapsed(), 2 * SECOND);
        assert!(!late.has_started());
        assert_eq!((pool.active(), pool.waiting()), (1, 0));
    });
}

#[test]
fn a_task_that_started_in_time_may_run_as_long_as_it_likes() {
    on_tokio(async {
        let pool = AioPool::new(1);
        pool.spawn_n(sleep(SECOND));
        let handle = pool
            .task(sleep(10 * SECOND))
            .wait_timeout(2 * SECOND)
            .spawn_n();
        handle.await.unwrap();
        let at_once = pool
            .task(sleep(10 * SECOND))
            .wait_timeout(SECOND)
            .exec()
            .await;
        at_once.unwrap();
    });
}

#[test]
fn a_spawn_whose_task_waits_too_long_returns_its_handle() {
    on_tokio(async {
        let pool = AioPool::new(1);
        pool.spawn_n(std::future::pending::<()>());
        let handle = pool.task(async {}).wait_timeout(SECOND).spawn().await;
        assert!(handle.await.unwrap_err().is_timeout());
    });
}

#[test]
fn the_clock_of_a_waiting_task_goes_with_it() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let alive = || {
            tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks()
        };
        let busy = pool.spawn(std::future::pending::<()>()).await;
        let waiting = pool.task(async {}).wait_timeout(1000 * SECOND).spawn_n();
        assert_eq!(alive(), 2);
        waiting.abort();
        busy.abort();
        pool.join().await;
        while alive() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_timeout_ends_a_task_on_every_runtime_with_a_timer() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let limit = Duration::from_millis(5);
        let error = pool
            .task(std::future::pending::<()>())
            .timeout(limit)
            .exec()
            .await
            .unwrap_err();
        assert!(error.is_timeout());
        let busy = pool
            .spawn(std::future::pending::<()>())
            .await
            .abort_on_drop();
        let error = pool
            .task(async {})
            .wait_timeout(limit)
            .exec()
            .await
            .unwrap_err();
        assert!(error.is_timeout());
        drop(busy);
        pool.exec(async {}).await.unwrap();
    });
}

#[test]
fn a_task_times_out_while_its_permit_is_lent() {
    on_tokio(async {
        let pool = AioPool::new(1);
        let begun = Instant::now();
        let inside = pool.clone();
        let held = Arc::new(());
        let kept = held.clone();
        let task = async move {
            let _kept = kept;
            inside.exec(sleep(3600 * SECOND)).await
        };
        let handle = pool.task(task).timeout(SECOND).spawn_n();
        let error = handle.await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(begun.elapsed(), SECOND);
        assert_eq!(Arc::strong_count(&held), 1);
        pool.join().await;
        let stats = pool.stats();
        assert_eq!((stats.timed_out, stats.cancelled), (1, 1));
        assert_eq!(begun.elapsed(), SECOND);
        pool.exec(async {}).await.unwrap();
    });
}

#[test]
fn a_task_times_out_while_others_keep_the_permit_that_it_lent() {
    on_every_runtime(|pools| async move {
        if !pools.timer {
            return;
        }
        let pool = pools.size(1);
        let inside = pool.clone();
        let busy = Probe::new();
        let work = busy.task(());
        let task = async move {
            let other = inside.spawn_n(work);
            other.await.unwrap();
        };
        let limit = Duration::from_millis(5);
        let handle = pool.task(task).timeout(limit).spawn_n();
        assert!(handle.await.unwrap_err().is_timeout(), "{}", pools.runtime);
        assert_eq!((pool.active(), pool.waiting()), (1, 0));
        busy.end();
        pool.join().await;
    });
}

/// Refuses the second of its workers.
struct Forgetful(AtomicUsize);

impl Spawner for Forgetful {
    fn spawn(&self, worker: Worker) {
        match self.0.fetch_add(1, SeqCst) {
            1 => drop(worker),
            _ => Tokio::current().spawn(worker),
        }
    }

    fn sleep(&self, duration: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        Tokio::current().sleep(duration)
    }
}

#[test]
fn a_task_whose_clock_the_runtime_drops_waits_no_longer() {
    on_tokio(async {
        let pool = AioPool::with_spawner(1, Forgetful(AtomicUsize::new(0)));
        let busy = pool.spawn_n(std::future::pending::<()>());
        let begun = Instant::now();
        let handle = pool.task(async {}).wait_timeout(SECOND).spawn_n();
        assert!(handle.await.unwrap_err().is_timeout());
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!((pool.active(), pool.waiting()), (1, 0));
        busy.abort();
        pool.join().await;
        pool.exec(async {}).await.unwrap();
    });
}

/// Has a clock that panics when it is polled.
struct Broken;

impl Spawner for Broken {
    fn spawn(&self, worker: Worker) {
        Tokio::current().spawn(worker);
    }

    fn sleep(&self, _: Duration) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        Some(Box::pin(async { panic!("on purpose") }))
    }
}

#[test]
fn a_clock_that_panics_loses_no_task_that_waits_for_it() {
    on_tokio(async {
        let pool = AioPool::with_spawner(1, Broken);
        let busy = pool.spawn_n(std::future::pending::<()>());
        let late = pool.task(async {}).wait_timeout(SECOND).spawn_n();
        tokio::task::yield_now().await;
        busy.abort();
        // There is no time any more, but a permit.
        late.await.unwrap();
        pool.join().await;
        pool.exec(async {}).await.unwrap();
    });
}
